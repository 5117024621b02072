import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  CERTIFICATE_FLAGS,
  certificateFlags,
  readSecurityFlags,
  RELAXING_FLAGS,
  writeSecurityFlags,
} from './security-flags.ts'

describe('security flags', () => {
  test('have the numbers of BITS (A79)', () => {
    assert.deepEqual(Object.values(certificateFlags), [0x0001, 0x0002, 0x0004, 0x0008, 0x0010])
    const all = Object.values(certificateFlags).reduce((sum, bit) => sum | bit, 0)
    assert.equal(CERTIFICATE_FLAGS, all)
    assert.equal(RELAXING_FLAGS, all - certificateFlags.checkRevocation)
  })

  const policies = [
    [0x0000, { follow: 'silent', allowHttpsToHttp: false }],
    [0x0100, { follow: 'report', allowHttpsToHttp: false }],
    [0x0200, { follow: 'disallow', allowHttpsToHttp: false }],
    [0x0800, { follow: 'silent', allowHttpsToHttp: true }],
    [0x0900, { follow: 'report', allowHttpsToHttp: true }],
  ] as const

  for (const [flags, redirects] of policies) {
    test(`readSecurityFlags() reads the redirect policy of 0x${flags.toString(16)} (A79)`, () => {
      assert.deepEqual(readSecurityFlags(flags), { securityFlags: 0, redirects })
      assert.deepEqual(readSecurityFlags(flags | 0x1e), { securityFlags: 0x1e, redirects })
    })
  }

  for (const flags of [0x0020, 0x0080, 0x0300, 0x0400, 0x0700, 0x1000, 0xffff_ffff]) {
    test(`readSecurityFlags() refuses 0x${flags.toString(16)} with E_NOTIMPL`, () => {
      assert.throws(() => readSecurityFlags(flags), { code: 'E_NOTIMPL' })
    })
  }

  test('writeSecurityFlags() gives back what readSecurityFlags() took', () => {
    const masks = fc
      .tuple(fc.nat(0x1f), fc.constantFrom(0, 0x0100, 0x0200), fc.constantFrom(0, 0x0800))
      .map(([certificate, policy, extra]) => certificate | policy | extra)
    fc.assert(
      fc.property(masks, (flags) => {
        assert.equal(writeSecurityFlags(readSecurityFlags(flags)), flags)
      }),
    )
  })
})
