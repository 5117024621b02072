/** The completion script of zsh, to be sourced or to lie in a folder of `fpath` as `_lull`. */

import { firstWords, type OptionSpec, type VerbSpec } from '../verbs.ts'
import { JOB_IDS, optionsOf, pairs, summaryOf, verbSpecs } from './table.ts'

/** The script. */
export function zsh(): string {
  return `#compdef lull
_lull_jobs() {
  local -a ids
  local expl
  ids=(\${(f)"$(${JOB_IDS})"})
  _wanted jobs expl job compadd -a ids
}
_lull() {
  local -a verbs
  verbs=(
${firstWords.map((first) => `    ${described(first, summaryOf(first))}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    if [[ $words[2] == -* ]]; then compadd -- --help --version; else _describe verb verbs; fi
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${pairs.map(secondWord).join('\n')}
  esac
  case $verb in
${verbSpecs.map(([verb, spec]) => verbCase(verb, spec)).join('\n')}
  esac
}
if [[ $funcstack[1] == _lull ]]; then
  _lull "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _lull lull
fi
`
}

function secondWord([first, seconds]: readonly [string, readonly string[]]): string {
  const list = seconds.map((second) => described(second, summaryOf(`${first} ${second}`)))
  return `    ${first})
      if (( CURRENT == 2 )); then
        verbs=(${list.join(' ')})
        _describe verb verbs
        return
      fi
      verb+=" $words[2]"
      shift words
      (( CURRENT-- )) ;;`
}

function verbCase(verb: string, spec: VerbSpec): string {
  const options = optionsOf(spec).flatMap(([name, option]) => optionSpecs(name, option))
  return `    '${verb}')
      _arguments -s -S \\
${[...options, ...operands(spec)].map((text) => `        ${quoted(text)}`).join(' \\\n')} ;;`
}

/** What `_arguments` takes for an option: one for each of its names, of which each excludes the other. */
function optionSpecs(name: string, option: OptionSpec): readonly string[] {
  const { short, value, multiple, help } = option
  const long = value === undefined ? `--${name}` : `--${name}=`
  const letter = value === undefined ? `-${short}` : `-${short}+`
  const names = short === undefined ? [long] : [long, letter]
  const others = short === undefined ? `--${name}` : `-${short} --${name}`
  const before = multiple === true ? '*' : `(${others})`
  const action = value === undefined ? '' : `:${escaped(value)}:${completing(option)}`
  return names.map((each) => `${before}${each}[${escaped(help)}]${action}`)
}

/** What offers the values of an option. */
function completing({ choices, isList, completes }: OptionSpec): string {
  if (choices !== undefined) {
    return isList === true ? `_sequence compadd - ${choices.join(' ')}` : `(${choices.join(' ')})`
  }
  switch (completes) {
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'job':
      return '_lull_jobs'
    case undefined:
      // There is a value, and nobody knows it.
      return ' '
    default:
      return completes satisfies never
  }
}

function operands({ operands, completes, choices, mostOperands }: VerbSpec): readonly string[] {
  if (mostOperands === 0) return []
  const many = mostOperands === 1 ? '1' : '*'
  const name = escaped(operands.replaceAll(/[[\]…]/gu, ''))
  if (choices !== undefined) return [`${many}:${name}:(${choices.join(' ')})`]
  return [`${many}:${name}:${completes === 'job' ? '_lull_jobs' : '()'}`]
}

/** A word and what it is about, as `_describe` takes them. */
function described(word: string, summary: string): string {
  return quoted(`${word}:${escaped(summary)}`)
}

/** Where a colon or a bracket would end the text. */
function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/gu, String.raw`\$&`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
