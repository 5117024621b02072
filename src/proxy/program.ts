/** Runs the small programs that tell settings: no shell, little time, little output. */

import { execFile } from 'node:child_process'

/** A program that has not answered by then is ended. */
const TIME_LIMIT_MS = 5_000

/** More than any of them says. */
const LONGEST_OUTPUT = 256 * 1024

/** The environment of a person. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a program said, or why it said nothing. */
export type ProgramOutput =
  | { readonly kind: 'said'; readonly text: string }
  /** One part of a sentence, without what the program wrote. */
  | { readonly kind: 'failed'; readonly reason: string }

/** Runs programs as the person whose settings are wanted. */
export interface Programs {
  /** @returns what it wrote to its standard output; never rejects */
  run(program: string, args: readonly string[]): Promise<ProgramOutput>
}

/**
 * Programs in an environment, as the user of this process.
 *
 * @param environment whole; nothing of this process's own is added
 */
export function hostPrograms(environment: Environment, timeLimitMs = TIME_LIMIT_MS): Programs {
  const options = {
    timeout: timeLimitMs,
    killSignal: 'SIGKILL',
    maxBuffer: LONGEST_OUTPUT,
    windowsHide: true,
    encoding: 'utf8',
  } as const
  return {
    run: (program, args) =>
      new Promise((resolve) => {
        const answer = (error: Ending | null, text: string): void => {
          if (error === null) resolve({ kind: 'said', text })
          else resolve({ kind: 'failed', reason: `${program} ${reasonOf(error)}` })
        }
        try {
          execFile(program, [...args], { ...options, env: { ...environment } }, answer)
        } catch {
          resolve({ kind: 'failed', reason: `${program} cannot be started` })
        }
      }),
  }
}

interface Ending {
  readonly code?: unknown
  readonly killed?: unknown
}

function reasonOf({ code, killed }: Ending): string {
  if (code === 'ENOENT') return 'is not installed'
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'said too much'
  if (killed === true) return 'did not answer in time'
  return `ended with ${String(code)}`
}
