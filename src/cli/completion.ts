/** Completion scripts of the shells, made from the table of verbs. */

import { usageError } from './cli-error.ts'
import { firstWords, secondWords, verbs, type OptionSpec, type VerbSpec } from './verbs.ts'

/** The script of a shell. @throws {CliError} exit status 2 when it is another one */
export function completionScript(shell: string): string {
  const script = scripts.get(shell)
  if (script === undefined) {
    throw usageError(`Cannot complete for ${JSON.stringify(shell)}: there are bash, zsh and fish`)
  }
  return script()
}

const scripts: ReadonlyMap<string, () => string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
])

const verbSpecs: readonly (readonly [string, VerbSpec])[] = Object.entries(verbs)

function optionsOf(spec: VerbSpec): readonly (readonly [string, OptionSpec])[] {
  return Object.entries(spec.options)
}

/** First words that need a second one. */
const pairs: readonly (readonly [first: string, seconds: readonly string[]])[] = firstWords
  .map((first) => [first, secondWords(first)] as const)
  .filter(([, seconds]) => seconds.length > 0)

/** What a first word is about: its verb, or all that belong together. */
function summaryOf(first: string): string {
  const own = verbSpecs.find(([verb]) => verb === first)
  return own === undefined ? secondWords(first).join(', ') : own[1].summary
}

/** Ids of jobs, as a shell asks for them. */
const JOB_IDS = `lull jobs --json 2>/dev/null | grep -o '"id": *"[^"]*"' | cut -d'"' -f4`

function words(spec: VerbSpec): string {
  return optionsOf(spec)
    .flatMap(([name, { short }]) =>
      short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`],
    )
    .join(' ')
}

function bash(): string {
  const cases = verbSpecs.map(([verb, spec]) => {
    const values = optionsOf(spec).flatMap(([name, option]) => {
      const pattern = option.short === undefined ? `--${name}` : `--${name}|-${option.short}`
      if (option.choices !== undefined) {
        return [
          `        ${pattern}) COMPREPLY=($(compgen -W '${option.choices.join(' ')}' -- "$cur")); return ;;`,
        ]
      }
      if (option.completes === 'file') return [`        ${pattern}) _lull_names -f; return ;;`]
      if (option.completes === 'folder') return [`        ${pattern}) _lull_names -d; return ;;`]
      return option.value === undefined ? [] : [`        ${pattern}) return ;;`]
    })
    const rest =
      spec.completes === 'job'
        ? `COMPREPLY=($(compgen -W "$(${JOB_IDS})" -- "$cur"))`
        : verb === 'completion'
          ? `COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))`
          : ':'
    return `    '${verb}')
      case "$prev" in
${[...values, '        *) ;;'].join('\n')}
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '${words(spec)}' -- "$cur")); else ${rest}; fi ;;`
  })
  return `# bash completion of lull
_lull_names() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$cur"))
  compopt -o filenames 2>/dev/null
}
_lull() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${firstWords.join(' ')} --help --version' -- "$cur"))
    return
  fi
  local verb="\${COMP_WORDS[1]}"
  case "$verb" in
${pairs.map(bashPair).join('\n')}
  esac
  case "$verb" in
${cases.join('\n')}
  esac
}
complete -o default -F _lull lull
`
}

function bashPair([first, seconds]: readonly [string, readonly string[]]): string {
  return `    ${first})
      if [[ $COMP_CWORD -eq 2 ]]; then COMPREPLY=($(compgen -W '${seconds.join(' ')}' -- "$cur")); return; fi
      verb+=" \${COMP_WORDS[2]}" ;;`
}

function zsh(): string {
  const cases = verbSpecs.map(([verb, spec]) => {
    const options = optionsOf(spec).map(([name, option]) => {
      const action =
        option.choices !== undefined
          ? `:${option.value}:(${option.choices.join(' ')})`
          : option.completes === 'file'
            ? `:${option.value}:_files`
            : option.completes === 'folder'
              ? `:${option.value}:_files -/`
              : option.value === undefined
                ? ''
                : `:${zshQuoted(option.value)}:`
      const repeat = option.multiple === true ? '*' : ''
      return `        '${repeat}--${name}[${zshQuoted(option.help)}]${action}'`
    })
    const rest =
      spec.completes === 'job'
        ? `'*:job:(($(${JOB_IDS.replaceAll("'", "'\\''")})))'`
        : verb === 'completion'
          ? `'1:shell:(bash zsh fish)'`
          : `'*:operand:_default'`
    return `    '${verb}')
      _arguments \\
${options.map((option) => `${option} \\`).join('\n')}
        ${rest} ;;`
  })
  const list = firstWords.map((first) => `    '${first}:${zshQuoted(summaryOf(first))}'`).join('\n')
  return `#compdef lull
_lull() {
  local -a verbs
  verbs=(
${list}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${pairs.map(zshPair).join('\n')}
  esac
  case $verb in
${cases.join('\n')}
  esac
}
compdef _lull lull
`
}

function zshPair([first, seconds]: readonly [string, readonly string[]]): string {
  const list = seconds.map((second) => {
    const summary = verbSpecs.find(([verb]) => verb === `${first} ${second}`)?.[1].summary ?? ''
    return `'${second}:${zshQuoted(summary)}'`
  })
  return `    ${first})
      if (( CURRENT == 2 )); then
        verbs=(${list.join(' ')})
        _describe 'verb' verbs
        return
      fi
      verb+=" $words[2]"
      shift words
      (( CURRENT-- )) ;;`
}

function fish(): string {
  const first = firstWords.map(
    (word) =>
      `complete -c lull -n __fish_use_subcommand -f -a ${word} -d ${fishQuoted(summaryOf(word))}`,
  )
  const second = pairs.flatMap(([first, seconds]) =>
    seconds.map((word) => {
      const summary = verbSpecs.find(([verb]) => verb === `${first} ${word}`)?.[1].summary ?? ''
      const others = `not __fish_seen_subcommand_from ${seconds.join(' ')}`
      const condition = `-n '__fish_seen_subcommand_from ${first}; and ${others}'`
      return `complete -c lull ${condition} -f -a ${word} -d ${fishQuoted(summary)}`
    }),
  )
  const rest = verbSpecs.flatMap(([verb, spec]) => {
    const seen = verb.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
    const condition = `-n '${seen.join('; and ')}'`
    const options = optionsOf(spec).map(([name, option]) => {
      const short = option.short === undefined ? '' : ` -s ${option.short}`
      const values = option.choices === undefined ? '' : ` -f -a '${option.choices.join(' ')}'`
      const needs = option.value === undefined ? '' : option.completes === undefined ? ' -x' : ' -r'
      return `complete -c lull ${condition} -l ${name}${short}${needs}${values} -d ${fishQuoted(option.help)}`
    })
    if (spec.completes === 'job')
      options.push(`complete -c lull ${condition} -f -a "(${JOB_IDS.replaceAll('"', '\\"')})"`)
    if (verb === 'completion') options.push(`complete -c lull ${condition} -f -a 'bash zsh fish'`)
    return options
  })
  return `# fish completion of lull\n${[...first, ...second, ...rest].join('\n')}\n`
}

/** Inside single quotes of an `_arguments` specification. */
function zshQuoted(text: string): string {
  return text
    .replaceAll("'", "'\\''")
    .replaceAll('[', '\\[')
    .replaceAll(']', '\\]')
    .replaceAll(':', '\\:')
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
