import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DerReader, encodeDer } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { RevokingAuthority } from '../revoking.suite.ts'
import { certificateTags, distributionPointsOf, partsOf } from './extensions.ts'
import { RevocationList } from './revocation-list.ts'
import { parseTime } from './time.ts'

describe('RevocationList', { skip: needsOpenssl }, () => {
  test('RevocationList finds every number that was revoked, and no other', (t) => {
    const authority = new RevokingAuthority(t)
    const issued = Array.from({ length: 6 }, () => new X509Certificate(authority.issue().cert))
    const revoked = issued.filter((_, place) => place % 2 === 0)
    for (const certificate of revoked) authority.revoke(String(certificate))
    const list = new RevocationList(authority.list())
    const found = issued.filter((certificate) => list.has(partsOf(certificate)))
    assert.deepEqual(found.map(String), revoked.map(String))
  })

  test('RevocationList takes a number that lies across two entries for none', (t) => {
    const authority = new RevokingAuthority(t)
    const certificate = new X509Certificate(authority.issue().cert)
    const bytes = authority.issue().cert
    authority.revoke(bytes)
    const list = new RevocationList(authority.list())
    // Octets of the entry that are no whole number.
    const other = partsOf(new X509Certificate(bytes))
    assert.equal(list.has({ ...partsOf(certificate), serial: other.serial.subarray(1) }), false)
    assert.equal(list.has(other), true)
  })

  test('RevocationList is of no use with one bit changed, wherever that is', (t) => {
    const authority = new RevokingAuthority(t)
    const url = 'http://lists/ca.crl'
    const certificate = new X509Certificate(authority.issue({ lists: [url] }).cert)
    const issuer = new X509Certificate(authority.pem)
    const parts = partsOf(certificate)
    const by = { certificate: issuer, parts: partsOf(issuer) }
    const [point] = distributionPointsOf(parts)
    assert.ok(point !== undefined)
    assert.deepEqual(point.urls, [url])
    const question = { certificate, parts, point }
    const right = authority.list({ extensions: 'authorityKeyIdentifier=keyid' })
    const now = Date.now()
    assert.equal(new RevocationList(right).uselessFor(question, by, now), undefined)
    const places = fc.tuple(fc.nat(right.length - 1), fc.nat(7))
    fc.assert(
      fc.property(places, ([place, bit]) => {
        const wrong = Buffer.from(right)
        wrong.writeUInt8(wrong.readUInt8(place) ^ (1 << bit), place)
        try {
          assert.notEqual(new RevocationList(wrong).uselessFor(question, by, now), undefined)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      { numRuns: 500 },
    )
  })

  test('RevocationList refuses what is no list', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.throws(() => new RevocationList(bytes), ProtocolError)
      }),
    )
  })
})

describe('parseTime()', () => {
  const { utcTime, generalizedTime } = certificateTags
  const rows: readonly (readonly [tag: number, text: string, time: string | undefined])[] = [
    [utcTime, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [utcTime, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [generalizedTime, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    [utcTime, '4912312359Z', undefined],
    [utcTime, '491331235959Z', undefined],
    [utcTime, '491231235959+0100', undefined],
    [generalizedTime, '20500101000000.5Z', undefined],
    [generalizedTime, '', undefined],
  ]

  for (const [tag, text, time] of rows) {
    test(`parseTime() makes ${time ?? 'an error'} of ${JSON.stringify(text)} (RFC 5280 §4.1.2.5)`, () => {
      const reader = new DerReader(encodeDer(tag, new TextEncoder().encode(text)))
      if (time === undefined) assert.throws(() => parseTime(reader), { code: 'ERR_DER_TIME' })
      else assert.equal(new Date(parseTime(reader)).toISOString(), time)
    })
  }
})
