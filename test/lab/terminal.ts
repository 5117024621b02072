/** The command at a terminal, as somebody has it who types; and where there is no terminal at all. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { resultOf, type CommandResult, type LullHome } from './lull.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

/** Why there can be no terminal here; `false` when there can: the `script` of util-linux makes one. */
export const noTerminal: string | false =
  spawnSync('script', ['-qec', 'tty', '/dev/null'], { input: '' }).status === 0
    ? false
    : 'the script program of util-linux is not installed'

/** What somebody sees, and what they type then. */
export type Answer = readonly [seen: RegExp, typed: string]

/** What stood on the screen in the end. */
export interface Session {
  readonly status: number | null
  /** Everything that was shown, also what was typed and shown. */
  readonly screen: string
}

/** How a session goes. */
export interface SessionOptions {
  /** What a shell does there afterwards. */
  readonly behind?: string
  /** What standard input says, instead of the terminal. */
  readonly input?: string
  /** Another program than the command. */
  readonly program?: string
}

/**
 * Runs a command at a terminal of its own, and answers it.
 *
 * @param answers each is typed when what is to be seen stands behind what was seen before
 */
export async function atTerminal(
  home: LullHome,
  args: readonly string[],
  answers: readonly Answer[],
  { behind, input, program = command }: SessionOptions = {},
): Promise<Session> {
  const words = [process.execPath, program, ...args].map(quoted).join(' ')
  const redirected = input === undefined ? words : `printf '%s' ${quoted(input)} | ${words}`
  const line = behind === undefined ? redirected : `${redirected}; ${behind}`
  const env = { ...process.env, LULL_HOME: home.home, NO_COLOR: '1', SHELL: '/bin/sh' }
  return atTerminalOf(line, { cwd: home.target, env }, answers)
}

/** Runs a line of the shell at a terminal of its own, and answers it as {@link atTerminal} does. */
export async function atTerminalOf(
  line: string,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  answers: readonly Answer[],
): Promise<Session> {
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  let from = 0
  const left = [...answers]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    const [next] = left
    const found = next?.[0].exec(screen.slice(from))
    if (next === undefined || found === null || found === undefined) return
    from += found.index + found[0].length
    left.shift()
    child.stdin.write(next[1])
  })
  await once(child, 'close')
  return { status: child.exitCode, screen: screen.replaceAll('\r\n', '\n') }
}

/** Runs a command in a session that has no terminal. */
export function withoutTerminal(
  home: LullHome,
  args: readonly string[],
  input?: string,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: home.target,
    env: { ...process.env, LULL_HOME: home.home, NO_COLOR: '1' },
    // A session of its own.
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  return resultOf(child)
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
