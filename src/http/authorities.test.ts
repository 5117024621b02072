import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { getCACertificates } from 'node:tls'
import { authoritiesStamp, readAuthorities } from './authorities.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'

/** Three authorities: in a file, and each of the others in a folder of its own as OpenSSL finds it. */
interface Scene {
  readonly file: string
  readonly folders: readonly [string, string]
  readonly pems: readonly [string, string, string]
}

function makeScene(t: TestContext): Scene {
  const authorities = [new Authority(t), new Authority(t), new Authority(t)] as const
  const root = mkdtempSync(join(tmpdir(), 'authorities-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folders = [join(root, 'a'), join(root, 'b')] as const
  for (const [place, folder] of folders.entries()) {
    mkdirSync(folder)
    writeFileSync(join(folder, '0123abcd.0'), authorities[place + 1]?.pem ?? '')
    // Nothing that OpenSSL would find.
    writeFileSync(join(folder, 'README'), new Authority(t).pem)
  }
  const [first, second, third] = authorities
  return { file: first.file, folders, pems: [first.pem, second.pem, third.pem] }
}

/** The environment of one test. */
function name(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const variable of ['SSL_CERT_FILE', 'SSL_CERT_DIR']) {
    const before = process.env[variable] ?? ''
    t.after(() => {
      process.env[variable] = before
    })
    process.env[variable] = variables[variable] ?? ''
  }
}

const trimmed = (pems: readonly string[]): readonly string[] => pems.map((pem) => pem.trim())

describe('readAuthorities()', { skip: needsOpenssl }, () => {
  test('readAuthorities() takes exactly what a job names', (t) => {
    const { file, folders, pems } = makeScene(t)
    name(t, { SSL_CERT_DIR: folders[0], SSL_CERT_FILE: file })
    assert.deepEqual(trimmed(readAuthorities(join(folders[1], '0123abcd.0'))), trimmed([pems[2]]))
  })

  test('readAuthorities() takes what the environment names, and NODE_EXTRA_CA_CERTS besides', (t) => {
    const { file, folders, pems } = makeScene(t)
    const [first, second, third] = pems
    const rows = [
      [{ SSL_CERT_FILE: file }, [first]],
      [{ SSL_CERT_DIR: folders[0] }, [second]],
      [{ SSL_CERT_DIR: folders.join(delimiter) }, [second, third]],
      [{ SSL_CERT_FILE: file, SSL_CERT_DIR: `${folders[0]}${delimiter}/nowhere` }, [first, second]],
    ] as const
    for (const [variables, expected] of rows) {
      name(t, variables)
      const extra = getCACertificates('extra')
      assert.deepEqual(trimmed(readAuthorities(undefined)), trimmed([...expected, ...extra]))
    }
  })

  test('readAuthorities() takes the store of the system and what comes with Node otherwise', (t) => {
    name(t, {})
    const found = new Set(readAuthorities(undefined))
    for (const pem of getCACertificates('default')) assert.ok(found.has(pem))
    const fingerprints = new Set([...found].map((pem) => new X509Certificate(pem).fingerprint256))
    // Node's own names for the store of the system are those of OpenSSL, which knows the same files.
    for (const pem of getCACertificates('system').slice(0, 20)) {
      assert.ok(fingerprints.has(new X509Certificate(pem).fingerprint256))
    }
  })

  test('readAuthorities() makes ERROR_FILE_NOT_FOUND of a file that is named and not there', (t) => {
    name(t, { SSL_CERT_FILE: '/nowhere/ca.pem' })
    assert.throws(() => readAuthorities(undefined), { code: 'ERROR_FILE_NOT_FOUND' })
    assert.throws(() => authoritiesStamp(undefined), { code: 'ERROR_FILE_NOT_FOUND' })
    assert.throws(() => authoritiesStamp('/nowhere/ca.pem'), { code: 'ERROR_FILE_NOT_FOUND' })
  })

  test('authoritiesStamp() changes with what is named', (t) => {
    const { file, folders } = makeScene(t)
    name(t, { SSL_CERT_FILE: file, SSL_CERT_DIR: folders[0] })
    for (const path of [file, folders[0]]) {
      const before = authoritiesStamp(undefined)
      assert.equal(authoritiesStamp(undefined), before)
      utimesSync(path, 1, 1)
      assert.notEqual(authoritiesStamp(undefined), before)
    }
  })
})
