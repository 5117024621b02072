/** A stand-in for `ntlm_auth`: winbind itself needs a domain. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../files/disks.suite.ts'

/** The program, and how it was called and what it was told, a line each. */
export interface StandIn {
  readonly program: string
  readonly heard: () => readonly string[]
}

/**
 * Makes the program.
 *
 * @param answers by the first two letters of a line; `end` ends it, `silence` is no answer
 */
export function standIn(t: TestContext, answers: Readonly<Record<string, string>>): StandIn {
  const folder = temporaryFolder(t)
  const program = join(folder, 'ntlm_auth')
  const log = join(folder, 'log')
  writeFileSync(
    program,
    `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const answers = ${JSON.stringify(answers)}
appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n')
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  appendFileSync(${JSON.stringify(log)}, line + '\\n')
  const answer = answers[line.slice(0, 2)]
  if (answer === 'end') process.exit(1)
  if (answer !== 'silence') console.log(answer)
})
`,
  )
  chmodSync(program, 0o700)
  return { program, heard: () => readFileSync(log, 'utf8').trimEnd().split('\n') }
}
