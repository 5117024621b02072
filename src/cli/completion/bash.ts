/** The completion script of bash; 3.2 of macOS can run it. */

import { firstWords, type OptionSpec, type VerbSpec } from '../verbs.ts'
import { JOB_IDS, optionsOf, pairs, verbSpecs } from './table.ts'

/**
 * The script.
 *
 * Readline breaks words at `=` and `:` too, and replaces nothing but what stands behind the last of them: so the words
 * are joined again as the command gets them, and what is offered loses what stands in front.
 */
export function bash(): string {
  return `# bash completion of lull
_lull_split() {
  local line="\${COMP_LINE:0:COMP_POINT}" at word
  words=()
  for ((at = 0; at <= COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    if [[ $at -eq 0 || "$line" == [[:blank:]]* ]]; then words+=("$word")
    else words[\${#words[@]} - 1]+="$word"; fi
    line="\${line#"\${line%%[![:blank:]]*}"}"
    # The cursor may stand within the last word.
    if [[ $at -eq $COMP_CWORD ]]; then
      words[\${#words[@]} - 1]="\${words[\${#words[@]} - 1]%"$word"}$line" last="$line"
    fi
    line="\${line:\${#word}}"
  done
}
_lull_offer() {
  local found front="\${cur%"$last"}"
  if [[ $cur == --*=* ]]; then front="\${front#*=}"; fi
  front="\${front//\\\\/}"
  while IFS= read -r found; do COMPREPLY+=("\${found#"$front"}"); done
}
_lull_words() { _lull_offer < <(compgen -W "$1" -- "$value"); }
_lull_list() {
  local before=''
  if [[ $value == *,* ]]; then before="\${value%,*},"; fi
  _lull_offer < <(compgen -P "$before" -W "$1" -- "\${value##*,}")
}
_lull_names() {
  _lull_offer < <(compgen "$1" -- "$value")
  compopt -o filenames 2>/dev/null
}
_lull_jobs() { _lull_words "$(${JOB_IDS})"; }
_lull() {
  local -a words
  local last
  _lull_split
  local at=$((\${#words[@]} - 1)) verb="\${words[1]}"
  local cur="\${words[at]}" option="\${words[at - 1]}"
  local value="$cur"
  COMPREPLY=()
  if [[ $last == [=:] ]]; then last=''; fi
  if [[ $at -eq 1 ]]; then
    _lull_words '${firstWords.join(' ')} --help --version'
    return
  fi
  if [[ $cur == --*=* ]]; then option="\${cur%%=*}" value="\${cur#*=}"; fi
  case "$verb" in
${pairs.map(secondWord).join('\n')}
  esac
  case "$verb" in
${verbSpecs.map(([verb, spec]) => verbCase(verb, spec)).join('\n')}
  esac
}
# Bash 3.2 cannot tell names of files from other words while it completes: then all are quoted alike.
if type compopt >/dev/null 2>&1; then complete -F _lull lull; else complete -o filenames -F _lull lull; fi
`
}

function secondWord([first, seconds]: readonly [string, readonly string[]]): string {
  return `    ${first})
      if [[ $at -eq 2 ]]; then _lull_words '${seconds.join(' ')}'; return; fi
      verb+=" \${words[2]}" ;;`
}

function verbCase(verb: string, spec: VerbSpec): string {
  const values = optionsOf(spec).flatMap(([name, option]) => {
    if (option.value === undefined) return []
    const pattern = option.short === undefined ? `--${name}` : `--${name} | -${option.short}`
    return [`        ${pattern}) ${completing(option)} return ;;`]
  })
  return `    '${verb}')
      case "$option" in
${[...values, '        *) ;;'].join('\n')}
      esac
      if [[ $cur == -* ]]; then _lull_words '${words(spec)}'; else ${operands(spec)}; fi ;;`
}

/** What offers the values of an option. */
function completing({ choices, isList, completes }: OptionSpec): string {
  if (choices !== undefined) {
    return `${isList === true ? '_lull_list' : '_lull_words'} '${choices.join(' ')}';`
  }
  switch (completes) {
    case 'file':
      return '_lull_names -f;'
    case 'folder':
      return '_lull_names -d;'
    case 'job':
      return '_lull_jobs;'
    case undefined:
      return ''
    default:
      return completes satisfies never
  }
}

function operands({ completes, choices }: VerbSpec): string {
  if (choices !== undefined) return `_lull_words '${choices.join(' ')}'`
  return completes === 'job' ? '_lull_jobs' : ':'
}

function words(spec: VerbSpec): string {
  return optionsOf(spec)
    .flatMap(([name, { short }]) =>
      short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`],
    )
    .join(' ')
}
