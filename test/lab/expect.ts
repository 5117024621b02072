/** What every test of bytes asks in the end: whole and right, or not there at all. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { Resource } from './situation.ts'

/** Asserts that a file is, from its first byte to its last, one version that its server has had. */
export function assertWhole(path: string, resource: Resource): void {
  assert(existsSync(path), `${path} is missing`)
  const differences = resource.versions.map((content) => content.firstDifference(path))
  if (differences.includes(undefined)) return
  assert.fail(`${path} differs from every version, at the offsets ${differences.join(', ')}`)
}

/** The line that a failed command ends with. */
export interface LastLine {
  readonly sentence: string
  readonly symbol: string
  readonly context: string
}

/** Takes the last line of a failed command apart. */
export function parseLastLine(line: string): LastLine {
  const match = /^lull: (?<sentence>.+) \((?<symbol>\w+) 0x[0-9A-F]{8}, (?<context>\w+)\)$/u.exec(
    line,
  )
  const { sentence = '', symbol = '', context = '' } = match?.groups ?? {}
  assert(match !== null, `not a last line: ${line}`)
  return { sentence, symbol, context }
}
