import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatHex } from '../hex.ts'
import { hashChannelBinding } from '../ntlm/channel-bindings.ts'
import { fuzz } from '../ntlm/fuzz.suite.ts'
import { nodeHashes } from '../world.suite.ts'
import { encodeDer, encodeOid, contextTag, derTags } from './der.ts'
import { endPointHash, signatureAlgorithmOf, tlsServerEndPoint } from './end-point.ts'
import { certificates } from './vectors.suite.ts'

test('tlsServerEndPoint() binds to certificates of every signature, and to nothing else of a connection (A400, A402, V51 to V57)', () => {
  for (const [name, { signature, certificate, hash, binding }] of Object.entries(certificates)) {
    const data = tlsServerEndPoint(certificate, nodeHashes)
    const row = `${name}, ${signature}`
    if (hash === undefined) {
      assert.equal(data, undefined, row)
      continue
    }
    assert.ok(data !== undefined, row)
    assert.equal(new TextDecoder().decode(data.subarray(0, 21)), 'tls-server-end-point:')
    assert.equal(formatHex(data.subarray(21)), hash, row)
    assert.equal(formatHex(hashChannelBinding(data, nodeHashes)), binding, row)
  }
  assert.equal(Object.keys(certificates).length, 7)
})

/** RSASSA-PSS-params with this hash. */
function pss(hash: string): Uint8Array {
  const algorithm = encodeDer(derTags.sequence, encodeOid(hash))
  return encodeDer(derTags.sequence, encodeDer(contextTag(0), algorithm))
}

test('endPointHash() chooses as RFC 5929 §4.1 says (A400)', () => {
  const rsaPss = '1.2.840.113549.1.1.10'
  for (const [why, id, parameters, hash] of [
    ['md5WithRSA', '1.2.840.113549.1.1.4', undefined, 'sha-256'],
    ['sha1WithRSA', '1.2.840.113549.1.1.5', undefined, 'sha-256'],
    ['sha1WithRSASignature', '1.3.14.3.2.29', undefined, 'sha-256'],
    ['ecdsa-with-SHA1', '1.2.840.10045.4.1', undefined, 'sha-256'],
    ['dsa-with-sha1', '1.2.840.10040.4.3', undefined, 'sha-256'],
    ['sha224WithRSA', '1.2.840.113549.1.1.14', undefined, 'sha-224'],
    ['ecdsa-with-SHA224', '1.2.840.10045.4.3.1', undefined, 'sha-224'],
    ['sha256WithRSA', '1.2.840.113549.1.1.11', undefined, 'sha-256'],
    ['dsa-with-sha256', '2.16.840.1.101.3.4.3.2', undefined, 'sha-256'],
    ['sha384WithRSA', '1.2.840.113549.1.1.12', undefined, 'sha-384'],
    ['ecdsa-with-SHA384', '1.2.840.10045.4.3.3', undefined, 'sha-384'],
    ['sha512WithRSA', '1.2.840.113549.1.1.13', undefined, 'sha-512'],
    ['ecdsa-with-SHA512', '1.2.840.10045.4.3.4', undefined, 'sha-512'],
    ['PSS without parameters: SHA-1', rsaPss, undefined, 'sha-256'],
    ['PSS with empty parameters: SHA-1', rsaPss, encodeDer(derTags.sequence), 'sha-256'],
    ['PSS with SHA-1', rsaPss, pss('1.3.14.3.2.26'), 'sha-256'],
    ['PSS with SHA-512', rsaPss, pss('2.16.840.1.101.3.4.2.3'), 'sha-512'],
    ['PSS with SHA3-256', rsaPss, pss('2.16.840.1.101.3.4.2.8'), undefined],
    ['Ed25519', '1.3.101.112', undefined, undefined],
    ['Ed448', '1.3.101.113', undefined, undefined],
  ] as const) {
    const algorithm = parameters === undefined ? { id } : { id, parameters }
    assert.equal(endPointHash(algorithm), hash, why)
  }
})

test('tlsServerEndPoint() binds nothing when the machine lacks the hash (A430)', () => {
  const without = { ...nodeHashes, has: () => false }
  const { v51 } = certificates
  assert.ok(v51 !== undefined)
  assert.equal(tlsServerEndPoint(v51.certificate, without), undefined)
})

test('no certificate makes signatureAlgorithmOf() fail in another way than by refusing', () => {
  fuzz(
    (bytes) => endPointHash(signatureAlgorithmOf(bytes)),
    Object.values(certificates).map(({ certificate }) => certificate),
  )
})
