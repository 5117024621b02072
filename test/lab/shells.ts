/** Shells as people have them, at a terminal: a line is typed, and the tab key is hit. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { whyMissing, type Needs } from './installed.ts'
import type { LullHome } from './lull.ts'
import { atTerminalOf, noTerminal } from './terminal.ts'

/** Shells that have a completion script, and Debian's packages that bring them. */
export const shellNeeds: Needs = { bash: 'bash', zsh: 'zsh', fish: 'fish' }

/** Why a shell cannot be tried here; `false` when it can. */
export function whyWithout(shell: string): string | false {
  const program = programOf(shell)
  return noTerminal || whyMissing({ [program]: shellNeeds[program] ?? program })
}

/** What a shell is started as, and has its script by. */
function programOf(shell: string): string {
  return shell.split(' ', 1)[0] ?? shell
}

/** What a shell made of a line. */
export interface Completion {
  /** The line behind the tab key. */
  readonly line: string
  /** Everything that was offered. */
  readonly offered: readonly string[]
}

/** One shell: how it is started, what it reads first, and what is typed behind a line. */
interface Shell {
  readonly file: string
  readonly start: (folder: string) => string
  readonly begins: string
  readonly keys: string
}

/*
 * Each reads the script, keeps what is offered, and has Ctrl-X p write both down: the line, every offer and an empty
 * string, each with a NUL behind it. Then it empties the line and shows that it is ready for the next one.
 */
const bash: Shell = {
  file: 'bashrc',
  start: (folder) => `bash --rcfile '${join(folder, 'bashrc')}' -i`,
  keys: '\t\x18p',
  begins: `
PS1='$ '
source ./script
eval "real$(declare -f _lull)"
_lull() { real_lull "$@"; offered=("\${COMPREPLY[@]}"); }
probe() {
  printf '%s\\0' "$READLINE_LINE" "\${offered[@]}" '' >> probed
  READLINE_LINE='' offered=()
  echo "<ready>"
}
bind -x '"\\C-xp": probe'
echo "<ready>"
`,
}

const shells: Readonly<Record<string, Shell>> = {
  bash,
  // As 3.2 of macOS is, which has no such command.
  'bash without compopt': { ...bash, begins: `enable -n compopt\n${bash.begins}` },
  zsh: {
    file: '.zshrc',
    start: (folder) => `ZDOTDIR='${folder}' zsh -d -i`,
    keys: '\t\x18p',
    begins: `
PS1='$ '
zstyle ':completion:*' insert-unambiguous true
source ./script
typeset -ga offered
compadd() {
  # Who asks what would be offered offers nothing.
  (( $argv[(I)-[AOD]] )) && { builtin compadd "$@"; return }
  local -a found
  builtin compadd -O found "$@"
  offered+=("\${(Q)found[@]}")
  builtin compadd "$@"
}
probe() {
  print -rN -- "$BUFFER" "\${(@u)offered}" '' >> probed
  BUFFER='' offered=()
  print '<ready>'
}
zle -N probe
bindkey '^Xp' probe
bindkey '^I' complete-word
print '<ready>'
`,
  },
  fish: {
    file: 'config',
    start: (folder) => `fish --no-config -i -C 'source ${join(folder, 'config')}'`,
    keys: '\x18o\t\x18p',
    begins: `
source ./script
function fish_prompt
  echo '$ '
end
function offer
  set -g offered (complete -C (commandline -b) | string split -f 1 \\t)
end
function probe
  printf '%s\\0' (commandline -b) $offered '' >> probed
  commandline ''
  echo '<ready>'
end
bind \\cxo offer
bind \\cxp probe
echo '<ready>'
`,
  },
}

/** The shells in which the scripts are tried. */
export const shellNames: readonly string[] = Object.keys(shells)

/** Types each of these lines, hits the tab key behind it, and says what came of it. */
export async function complete(
  shell: string,
  home: LullHome,
  lines: readonly string[],
): Promise<readonly Completion[]> {
  const { file, start, begins, keys } = shells[shell] ?? unknown(shell)
  const folder = join(home.folder, shell)
  mkdirSync(folder)
  writeFileSync(join(folder, file), begins)
  const { stdout } = await home.run(['completion', programOf(shell)])
  writeFileSync(home.path('script'), stdout)
  const env = { ...process.env, LULL_HOME: home.home, PATH: pathWithLull(home), HOME: folder }
  const answers = [...lines.map((line) => line + keys), 'exit\n'].map(
    (typed) => [/<ready>/u, typed] as const,
  )
  const { screen } = await atTerminalOf(start(folder), { cwd: home.target, env }, answers)
  const found = readFileSync(home.path('probed'), 'utf8').split('\0\0').slice(0, -1)
  if (found.length !== lines.length) throw new Error(`${shell} did not complete all: ${screen}`)
  return found.map((text) => {
    const [line = '', ...offered] = text.split('\0')
    return { line, offered: offered.toSorted() }
  })
}

function unknown(shell: string): never {
  throw new RangeError(`Nobody knows how to start ${shell}`)
}

/** A PATH on which `lull` is the command under test. */
function pathWithLull(home: LullHome): string {
  const folder = join(home.folder, 'bin')
  const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'lull'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`)
  chmodSync(join(folder, 'lull'), 0o755)
  return [folder, process.env['PATH']].join(delimiter)
}
