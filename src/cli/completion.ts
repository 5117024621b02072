/** Completion scripts of the shells, made from the table of verbs. */

import { usageError } from './cli-error.ts'
import { bash } from './completion/bash.ts'
import { fish } from './completion/fish.ts'
import { zsh } from './completion/zsh.ts'

const scripts: ReadonlyMap<string, () => string> = new Map([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
])

/** The script of a shell. @throws {CliError} exit status 2 when it is another one */
export function completionScript(shell: string): string {
  const script = scripts.get(shell)
  if (script === undefined) {
    throw usageError(`Cannot complete for ${JSON.stringify(shell)}: there are bash, zsh and fish`)
  }
  return script()
}
