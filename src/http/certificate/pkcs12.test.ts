import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DerReader, encodeDer } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { readBer } from './ber.ts'
import { ClientFiles } from './client-files.suite.ts'
import { isPkcs12, readPkcs12 } from './pkcs12.ts'

const passphrase = new TextEncoder().encode('x')

describe('PKCS#12', { skip: needsOpenssl }, () => {
  test('readPkcs12() reads every certificate and the key', (t) => {
    const files = new ClientFiles(t)
    const { fingerprint256 } = files.issue('a')
    const bytes = files.read(nameOf(files.pkcs12('a', 'x')))
    const { certificates, keys } = readPkcs12(bytes, passphrase)
    const [own, authority] = certificates.map((der) => new X509Certificate(der))
    assert.equal(own?.fingerprint256, fingerprint256)
    assert.equal(authority?.subject, 'CN=clients')
    const [key = new Uint8Array()] = keys
    const opened = createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' })
    assert.ok(own.checkPrivateKey(opened))
  })

  test('readPkcs12() reads what is written in BER, with lengths only at the end and strings in pieces', (t) => {
    const files = new ClientFiles(t)
    files.issue('a')
    const bytes = files.read(nameOf(files.pkcs12('a', 'x')))
    const loose = loosen(bytes)
    assert.notDeepEqual(loose, bytes)
    assert.ok(isPkcs12(loose))
    assert.deepEqual(readPkcs12(loose, passphrase), readPkcs12(bytes, passphrase))
  })

  test('readPkcs12() throws nothing but a ProtocolError, whatever is damaged', (t) => {
    const files = new ClientFiles(t)
    files.issue('a')
    const bytes = files.read(nameOf(files.pkcs12('a', 'x', '-iter', '1', '-nomac')))
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(bytes.length),
        (changes, end) => {
          const damaged = bytes.slice()
          for (const [place, octet] of changes) damaged[place] = octet
          for (const file of [damaged, damaged.subarray(0, end)]) {
            try {
              readPkcs12(file, passphrase)
            } catch (error) {
              assert.ok(error instanceof ProtocolError, String(error))
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('isPkcs12() knows such a file from a certificate', (t) => {
    const files = new ClientFiles(t)
    files.issue('a')
    files.openssl('x509', '-in', 'a.pem', '-outform', 'DER', '-out', 'a.cer')
    assert.equal(isPkcs12(files.read('a.cer')), false)
    assert.equal(isPkcs12(files.read(nameOf(files.pkcs12('a', 'x')))), true)
    assert.equal(isPkcs12(new Uint8Array()), false)
  })
})

describe('readBer()', () => {
  const broken: Readonly<Record<string, readonly number[]>> = {
    'an end that is missing': [0x30, 0x80, 0x04, 0x00],
    'a length behind the end': [0x30, 0x05, 0x04, 0x00],
    'bytes without a length': [0x04, 0x80, 0x00, 0x00],
    'a length of nine octets': [0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    'a tag of several octets': [0x3f, 0x81, 0x01, 0x00],
    'what nests deeper than any file': Array.from({ length: 200 }, (_, place) => (place % 2 === 0 ? 0x30 : 0x80)), // prettier-ignore
  }

  for (const [what, octets] of Object.entries(broken)) {
    test(`readBer() does not take ${what}`, () => {
      assert.throws(() => readBer(new Uint8Array(octets)), { code: 'ERR_BER' })
    })
  }
})

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Writes DER in the loosest way that BER allows, also what is inside octet strings when it is DER itself. */
function loosen(der: Uint8Array): Uint8Array {
  const elements: Uint8Array[] = []
  const reader = new DerReader(der)
  while (!reader.atEnd) elements.push(loosenNext(reader))
  return Buffer.concat(elements)
}

function loosenNext(reader: DerReader): Uint8Array {
  const tag = reader.nextTag ?? 0
  const content = reader.content(tag)
  if (tag === 0x04 && content.length > 100) {
    // What a code is computed over must stay as it is, so the content is only cut in two.
    const halves = [content.subarray(0, 50), content.subarray(50)]
    return indefinite(0x24, Buffer.concat(halves.map((half) => encodeDer(0x04, half))))
  }
  if (tag === 0x80) return indefinite(0xa0, encodeDer(0x04, content))
  return (tag & 0x20) === 0 ? encodeDer(tag, content) : indefinite(tag, loosen(content))
}

function indefinite(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag, 0x80), content, Uint8Array.of(0, 0)])
}
