import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { CertificateOrder } from '../../engine/order.ts'
import { FailureError } from '../../job/failure.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { readClientCertificate } from './client-certificate.ts'
import { ClientFiles } from './client-files.suite.ts'

/** What a test makes in its folder, to be read. */
type Make = (files: ClientFiles) => CertificateOrder

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const readable: Readonly<Record<string, Make>> = {
  'PEM in two files': (files) => ({ certificateFile: files.path('a.pem'), keyFile: files.path('a.key') }), // prettier-ignore
  'PEM in one file, the key first': (files) => ({
    certificateFile: files.write('one.pem', Buffer.concat([files.read('a.key'), files.read('a.pem')])), // prettier-ignore
  }),
  'PEM with its authority in front of it, and text between': (files) => ({
    certificateFile: files.write('chain.pem', `ours:\r\n${String(files.read('ca.pem'))}\nmine:\n${String(files.read('a.pem'))}`), // prettier-ignore
    keyFile: files.path('a.key'),
  }),
  'PEM with the key of another besides its own': (files) => {
    files.issue('b')
    return {
      certificateFile: files.path('a.pem'),
      keyFile: files.write('both.key', Buffer.concat([files.read('b.key'), files.read('a.key')])),
    }
  },
  'DER and a key in PEM': (files) => {
    files.openssl('x509', '-in', 'a.pem', '-outform', 'DER', '-out', 'a.cer')
    return { certificateFile: files.path('a.cer'), keyFile: files.path('a.key') }
  },
  'a key encrypted as PKCS#8': (files) => {
    files.openssl('pkcs8', '-topk8', '-in', 'a.key', '-passout', 'pass:sésame', '-out', 'e.key')
    return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key'), passphrase: bytesOf('sésame') } // prettier-ignore
  },
  'a key encrypted as OpenSSL did it before': (files) => {
    files.openssl('ec', '-in', 'a.key', '-aes128', '-passout', 'pass:x', '-out', 'e.key')
    return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key'), passphrase: bytesOf('x') } // prettier-ignore
  },
  'an encrypted key that others can read': (files) => {
    files.openssl('ec', '-in', 'a.key', '-aes128', '-passout', 'pass:x', '-out', 'e.key')
    chmodSync(files.path('e.key'), 0o644)
    return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key'), passphrase: bytesOf('x') } // prettier-ignore
  },
  'a key that others can read': (files) => {
    chmodSync(files.path('a.key'), 0o644)
    return { certificateFile: files.path('a.pem'), keyFile: files.path('a.key') }
  },
  'PKCS#12': (files) => ({ certificateFile: files.pkcs12('a', 'sésame'), passphrase: bytesOf('sésame') }), // prettier-ignore
  'PKCS#12 without a passphrase': (files) => ({ certificateFile: files.pkcs12('a', '') }),
  'PKCS#12 that is not encrypted': (files) => ({
    certificateFile: files.pkcs12('a', '', '-keypbe', 'NONE', '-certpbe', 'NONE'),
  }),
  'PKCS#12 without a code against damage': (files) => ({
    certificateFile: files.pkcs12('a', 'x', '-nomac'),
    passphrase: bytesOf('x'),
  }),
  'PKCS#12 with triple DES and SHA-1, as Windows exports it': (files) => ({
    certificateFile: files.pkcs12('a', 'sésame', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'), // prettier-ignore
    passphrase: bytesOf('sésame'),
  }),
  'PKCS#12 with triple DES of two keys, and without a passphrase': (files) => ({
    certificateFile: files.pkcs12('a', '', '-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES', '-macalg', 'sha384'), // prettier-ignore
  }),
  'PKCS#12 with AES-128 and SHA-512': (files) => ({
    certificateFile: files.pkcs12('a', 'x', '-keypbe', 'AES-128-CBC', '-certpbe', 'aes-192-cbc', '-macalg', 'sha512', '-iter', '3'), // prettier-ignore
    passphrase: bytesOf('x'),
  }),
}

/** A code and a part of the sentence. */
type Refused = readonly [make: Make, symbol: string, sentence: RegExp]

const refused: Readonly<Record<string, Refused>> = {
  'a file that is not there': [
    (files) => ({ certificateFile: files.path('nowhere.pem') }),
    'ERROR_FILE_NOT_FOUND',
    /nowhere\.pem: there is no such file$/u,
  ],
  'a key file that is not there': [
    (files) => ({ certificateFile: files.path('a.pem'), keyFile: files.path('no.key') }),
    'ERROR_FILE_NOT_FOUND',
    /no\.key: there is no such file$/u,
  ],
  'a folder': [
    (files) => ({ certificateFile: files.folder }),
    'ERROR_INVALID_DATA',
    /it is no file$/u,
  ],
  'a file that is something else': [
    (files) => ({ certificateFile: files.write('x.pem', 'hello') }),
    'ERROR_INVALID_DATA',
    /it is neither PEM nor PKCS#12$/u,
  ],
  'a file that is much too long': [
    (files) => ({ certificateFile: files.write('x.pem', new Uint8Array(2_000_000)) }),
    'ERROR_INVALID_DATA',
    /too long/u,
  ],
  'a key alone': [
    (files) => ({ certificateFile: files.path('a.key') }),
    'CRYPT_E_NOT_FOUND',
    /there is no certificate in it$/u,
  ],
  'a certificate alone': [
    (files) => ({ certificateFile: files.path('a.pem') }),
    'ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY',
    /its private key is not there$/u,
  ],
  'the key of another certificate': [
    (files) => {
      files.issue('b')
      return { certificateFile: files.path('a.pem'), keyFile: files.path('b.key') }
    },
    'ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY',
    /is of another certificate$/u,
  ],
  'an encrypted key without a passphrase': [
    (files) => {
      files.openssl('pkcs8', '-topk8', '-in', 'a.key', '-passout', 'pass:x', '-out', 'e.key')
      return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key') }
    },
    'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
    /needs a passphrase$/u,
  ],
  'an encrypted key with another passphrase': [
    (files) => {
      files.openssl('pkcs8', '-topk8', '-in', 'a.key', '-passout', 'pass:x', '-out', 'e.key')
      return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key'), passphrase: bytesOf('y') } // prettier-ignore
    },
    'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
    /the passphrase does not open its private key$/u,
  ],
  'a damaged key': [
    (files) => ({
      certificateFile: files.path('a.pem'),
      keyFile: files.write('d.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'), // prettier-ignore
    }),
    'ERROR_INVALID_DATA',
    /its private key is damaged/u,
  ],
  'a key of OpenSSH': [
    (files) => ({
      certificateFile: files.path('a.pem'),
      keyFile: files.write('s.key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n'), // prettier-ignore
    }),
    'ERROR_NOT_SUPPORTED',
    /ssh-keygen -p -m PEM -f .*s\.key$/u,
  ],
  'a key encrypted with RC2': [
    (files) => {
      files.openssl('pkcs8', '-topk8', '-v1', 'PBE-SHA1-RC2-40', '-provider', 'legacy', '-provider', 'default', '-in', 'a.key', '-passout', 'pass:x', '-out', 'e.key') // prettier-ignore
      return { certificateFile: files.path('a.pem'), keyFile: files.path('e.key'), passphrase: bytesOf('x') } // prettier-ignore
    },
    'ERROR_NOT_SUPPORTED',
    /openssl pkey -provider legacy/u,
  ],
  'a damaged certificate': [
    (files) => ({
      certificateFile: files.write('d.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), // prettier-ignore
      keyFile: files.path('a.key'),
    }),
    'ERROR_INVALID_DATA',
    /a certificate in it is damaged$/u,
  ],
  'PKCS#12 with another passphrase': [
    (files) => ({ certificateFile: files.pkcs12('a', 'x'), passphrase: bytesOf('y') }),
    'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
    /the passphrase does not open it$/u,
  ],
  'PKCS#12 without the passphrase that it needs': [
    (files) => ({ certificateFile: files.pkcs12('a', 'x') }),
    'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
    /it needs a passphrase$/u,
  ],
  'PKCS#12 without a code against damage, with another passphrase': [
    (files) => ({ certificateFile: files.pkcs12('a', 'x', '-nomac'), passphrase: bytesOf('y') }),
    'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
    /the passphrase does not open it$/u,
  ],
  'PKCS#12 with RC2': [
    (files) => ({ certificateFile: files.pkcs12('a', 'x', '-legacy'), passphrase: bytesOf('x') }),
    'ERROR_NOT_SUPPORTED',
    /out of use \(RC2\), convert it with: openssl pkcs12 -legacy -in .*a\.p12 -out NEW\.pem$/u,
  ],
  'PKCS#12 that is cut off': [
    (files) => ({ certificateFile: files.write('c.p12', files.read(basename(files.pkcs12('a', 'x'))).subarray(0, 500)) }), // prettier-ignore
    'ERROR_INVALID_DATA',
    /neither PEM nor PKCS#12|damaged/u,
  ],
  'PKCS#12 without a key': [
    (files) => {
      files.openssl('pkcs12', '-export', '-nokeys', '-in', 'a.pem', '-passout', 'pass:x', '-out', 'n.p12') // prettier-ignore
      return { certificateFile: files.path('n.p12'), passphrase: bytesOf('x') }
    },
    'ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY',
    /its private key is not there$/u,
  ],
  'a certificate that has expired': [
    (files) => {
      files.issue('old', { from: '20200101000000Z', to: '20200201000000Z' })
      return { certificateFile: files.path('old.pem'), keyFile: files.path('old.key') }
    },
    'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID',
    /it has expired on 2020-02-01T00:00:00Z$/u,
  ],
  'a certificate of tomorrow': [
    (files) => {
      files.issue('new', { from: '21000101000000Z', to: '21000201000000Z' })
      return { certificateFile: files.path('new.pem'), keyFile: files.path('new.key') }
    },
    'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID',
    /it is not valid before 2100-01-01T00:00:00Z$/u,
  ],
}

const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

describe('readClientCertificate()', { skip: needsOpenssl }, () => {
  for (const [what, make] of Object.entries(readable)) {
    test(`readClientCertificate() takes ${what}`, (t) => {
      const files = new ClientFiles(t)
      const { fingerprint256 } = files.issue('a')
      const identity = readClientCertificate(make(files), new Date())
      assert.equal(identity.certificate.fingerprint256, fingerprint256)
      files.write('read.key', identity.key)
      const same = files.openssl('pkey', '-in', 'read.key', '-pubout')
      assert.equal(same, files.openssl('pkey', '-in', 'a.key', '-pubout'))
      identity[Symbol.dispose]()
      assert.ok(identity.key.every((octet) => octet === 0))
    })
  }

  for (const [what, [make, symbol, sentence]] of Object.entries(refused)) {
    test(`readClientCertificate() makes ${symbol} of ${what}`, (t) => {
      const files = new ClientFiles(t)
      files.issue('a')
      assert.throws(
        () => readClientCertificate(make(files), new Date()),
        (error) => {
          assert.ok(error instanceof FailureError)
          const { severity, context } = error.failure
          assert.deepEqual([error.code, severity, context], [symbol, 'fatal', 'LOCAL_FILE'])
          assert.match(error.message, sentence)
          return true
        },
      )
    })
  }

  test('readClientCertificate() puts the certificate in front of its authorities', (t) => {
    const files = new ClientFiles(t)
    const { fingerprint256 } = files.issue('a')
    using identity = readClientCertificate({ certificateFile: files.pkcs12('a', '') }, new Date())
    const chain = identity.chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END [^-]+-----/gu)
    assert.equal(chain?.length, 2)
    assert.equal(chain[0], identity.certificate.toString().trim())
    assert.equal(identity.certificate.fingerprint256, fingerprint256)
  })

  test('readClientCertificate() leaves the passphrase of the order as it is', (t) => {
    const files = new ClientFiles(t)
    files.issue('a')
    const passphrase = bytesOf('x')
    using _identity = readClientCertificate({ certificateFile: files.pkcs12('a', 'x'), passphrase }, new Date()) // prettier-ignore
    assert.deepEqual(passphrase, bytesOf('x'))
  })
})
