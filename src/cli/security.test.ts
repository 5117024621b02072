import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CliError, exitStatus } from './cli-error.ts'
import { parse } from './parse.ts'
import { securityFlagsOf } from './security.ts'

const flagsOf = (...words: readonly string[]): number | undefined =>
  securityFlagsOf(parse('get', ['http://o/', ...words]))

function isUsage(error: unknown): boolean {
  return error instanceof CliError && error.status === exitStatus.usage
}

describe('securityFlagsOf()', () => {
  const rows: readonly (readonly [words: readonly string[], flags: number | undefined])[] = [
    [[], undefined],
    [['-k'], 0x1e],
    [['--insecure', '--check-revocation'], 0x1f],
    [['--check-revocation'], 0x01],
    [['--security-flags', '0x0802'], 0x0802],
    [['--security-flags', '2050'], 0x0802],
    [['--security-flags', '0x0100', '--check-revocation'], 0x0101],
    [['--security-flags', '0'], 0],
  ]

  for (const [words, flags] of rows) {
    test(`securityFlagsOf() makes ${flags} of ${JSON.stringify(words.join(' '))}`, () => {
      assert.equal(flagsOf(...words), flags)
    })
  }

  for (const mask of ['', 'name', '-2', '0x', '1e3', '0x0020', '0x0300', '0x1000']) {
    test(`securityFlagsOf() refuses the mask ${JSON.stringify(mask)} as wrong usage`, () => {
      assert.throws(() => flagsOf(`--security-flags=${mask}`), isUsage)
    })
  }
})
