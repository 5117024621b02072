import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isHresultSymbol, hresults, formatHresult } from '../../job/hresult.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { readClientCertificate } from './client-certificate.ts'
import { ClientFiles } from './client-files.suite.ts'
import { storeFolders } from './store-folders.ts'
import { findStored } from './store.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/certificates.md'), 'utf8')

describe('docs/certificates.md', () => {
  const skip = needsOpenssl === false && process.platform === 'linux' ? false : 'needs openssl and Linux' // prettier-ignore

  test('puts a certificate where it is found', { skip }, (t) => {
    const files = new ClientFiles(t)
    const { fingerprint } = files.issue('alice')
    const [, script = ''] = /```sh\n([\s\S]+?)```/u.exec(page) ?? []
    const env = { PATH: process.env['PATH'], HOME: files.folder }
    execFileSync('sh', ['-euc', script], { cwd: files.folder, env, stdio: 'pipe' })
    const world = { env, platform: process.platform, homeFolder: files.folder, serviceFolder: '/' }
    const hash = fingerprint.replaceAll(':', '').toLowerCase()
    for (const named of [{ hash }, { name: 'alice' }]) {
      const place = { location: 'currentUser', store: 'MY', ...named } as const
      const found = findStored(place, storeFolders(world), new Date())
      assert.equal(found.hash, hash)
      readClientCertificate(found.order, new Date())[Symbol.dispose]()
    }
  })

  test('converts PKCS#12 that is out of use', { skip }, (t) => {
    const files = new ClientFiles(t)
    files.issue('alice')
    files.write('OLD.p12', files.read(nameOf(files.pkcs12('alice', 'x', '-legacy')))) // prettier-ignore
    const [, command = ''] = /`openssl (pkcs12 [^`]+)`/u.exec(page) ?? []
    files.openssl(...command.split(' '), '-passin', 'pass:x', '-passout', 'pass:y')
    const order = { certificateFile: files.path('NEW.pem'), passphrase: Buffer.from('y') }
    readClientCertificate(order, new Date())[Symbol.dispose]()
  })

  test('converts a key that is out of use', { skip }, (t) => {
    const files = new ClientFiles(t)
    files.issue('alice')
    files.openssl(...'pkcs8 -topk8 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default -in alice.key -passout pass:x -out OLD.key'.split(' ')) // prettier-ignore
    const [, command = ''] = /`openssl (pkey [^`]+)`/u.exec(page) ?? []
    files.openssl(...command.split(' '), '-passin', 'pass:x', '-passout', 'pass:y')
    const order = {
      certificateFile: files.path('alice.pem'),
      keyFile: files.path('NEW.key'),
      passphrase: Buffer.from('y'),
    }
    readClientCertificate(order, new Date())[Symbol.dispose]()
  })

  test('gives every code the number that it has', () => {
    const codes = [...page.matchAll(/`([A-Z_]+)` (0x[0-9A-F]{8})/gu)]
    assert.ok(codes.length > 10)
    for (const [, symbol = '', number] of codes) {
      if (isHresultSymbol(symbol)) assert.equal(number, formatHresult(hresults[symbol]), symbol)
      else assert.fail(symbol)
    }
  })
})

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
