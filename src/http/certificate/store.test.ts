import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { CertificateLocation } from '../../job/certificate.ts'
import { JobError } from '../../job/failure.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { ClientFiles, type Subject } from './client-files.suite.ts'
import { checkOwnFiles } from './owner.ts'
import { storeFolders, type StoreFolders } from './store-folders.ts'
import { findStored, type StoredName } from './store.ts'

/** Stores in one test's folder. */
class Stores extends ClientFiles {
  readonly folders: StoreFolders = {
    currentUser: this.path('user'),
    localMachine: this.path('machine'),
    currentService: this.path('service'),
  }

  /** Issues a certificate into the user's store `My`. @returns its hash */
  add(name: string, subject: Subject = {}, kind: 'pem' | 'p12' | 'pem alone' = 'pem'): string {
    const { fingerprint } = this.issue(name, subject)
    const hash = fingerprint.replaceAll(':', '').toLowerCase()
    const store = join(this.folders.currentUser, 'My')
    mkdirSync(store, { recursive: true })
    if (kind === 'p12') renameSync(this.pkcs12(name, ''), join(store, `${hash.toUpperCase()}.p12`))
    else renameSync(this.path(`${name}.pem`), join(store, `${hash}.pem`))
    if (kind === 'pem') renameSync(this.path(`${name}.key`), join(store, `${hash}.key`))
    return hash
  }

  find(
    named: Partial<{ location: CertificateLocation; store: string; hash: string; name: string }>,
  ) {
    // prettier-ignore
    const place = { location: 'currentUser', store: 'MY', ...named }
    return findStored(place as StoredName, this.folders, new Date())
  }
}

describe('findStored()', { skip: needsOpenssl }, () => {
  test('findStored() finds a certificate and its key by hash', (t) => {
    const stores = new Stores(t)
    stores.add('other')
    const hash = stores.add('a', { subject: '/O=Example/CN=a' })
    const path = stores.path(`user/My/${hash}`)
    const order = { certificateFile: `${path}.pem`, keyFile: `${path}.key` }
    assert.deepEqual(stores.find({ hash }), { order, hash, subject: 'Example, a' })
  })

  test('findStored() finds PKCS#12, whatever the case of its name', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('a', {}, 'p12')
    const certificateFile = stores.path(`user/My/${hash.toUpperCase()}.p12`)
    assert.deepEqual(stores.find({ hash }), { order: { certificateFile }, hash, subject: 'a' })
    assert.equal(stores.find({ name: 'A' }).hash, hash)
  })

  test('findStored() finds by hash what cannot be used, because using it says why', (t) => {
    const stores = new Stores(t)
    const old = stores.add('old', { to: '20200201000000Z', from: '20200101000000Z' })
    const alone = stores.add('alone', {}, 'pem alone')
    assert.equal(stores.find({ hash: old }).hash, old)
    assert.equal('keyFile' in stores.find({ hash: alone }).order, false)
  })

  test('findStored() looks in the store of the location alone', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('a')
    for (const location of ['localMachine', 'currentService'] as const) {
      assertRefuses(() => stores.find({ location, hash }), 'CRYPT_E_NOT_FOUND', /there is none/u)
    }
    renameSync(stores.folders.currentUser, stores.folders.localMachine)
    assert.equal(stores.find({ location: 'localMachine', hash }).hash, hash)
  })

  for (const location of [
    'services',
    'users',
    'currentUserGroupPolicy',
    'localMachineGroupPolicy',
    'localMachineEnterprise',
  ] as const) {
    // prettier-ignore
    test(`findStored() makes E_NOTIMPL of ${location} (A81)`, (t) => {
      const stores = new Stores(t)
      assertRefuses(() => stores.find({ location, name: 'a' }), 'E_NOTIMPL', /no location/u)
    })
  }

  test('findStored() makes ERROR_FILE_NOT_FOUND of a store that is not there (A73)', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('a')
    for (const store of ['Other', '../user/My', '..', '.', 'My/', '\0']) {
      assertRefuses(() => stores.find({ store, hash }), 'ERROR_FILE_NOT_FOUND', /no store/u)
    }
  })

  test('findStored() makes CRYPT_E_NOT_FOUND of what is in no predefined store (A71, A73)', (t) => {
    const stores = new Stores(t)
    for (const store of ['MY', 'ca', 'Root', 'SPC']) {
      assertRefuses(() => stores.find({ store, hash: '0'.repeat(40) }), 'CRYPT_E_NOT_FOUND', /0{40}/u) // prettier-ignore
    }
  })

  test('findStored() makes CRYPT_E_NOT_FOUND of a file that has another certificate', (t) => {
    const stores = new Stores(t)
    const [one, other] = [stores.add('one'), stores.add('other')]
    renameSync(stores.path(`user/My/${one}.pem`), stores.path(`user/My/${other}.pem`))
    assertRefuses(() => stores.find({ hash: other }), 'CRYPT_E_NOT_FOUND', /has another one/u)
  })

  test('findStored() says why it cannot read the certificate of a hash', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('a')
    stores.write(`user/My/${hash}.pem`, 'hello')
    assertRefuses(() => stores.find({ hash }), 'ERROR_INVALID_DATA', /neither PEM nor PKCS#12/u)
    rmSync(stores.path(`user/My/${hash}.pem`))
    stores.issue('b')
    renameSync(stores.pkcs12('b', 'x'), stores.path(`user/My/${hash}.p12`))
    assertRefuses(() => stores.find({ hash }), 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY', /needs a passphrase/u) // prettier-ignore
  })

  test('findStored() finds by a part of the subject (A72)', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('a', { subject: '/O=Example/OU=Sales/CN=Alice' })
    stores.add('b', { subject: '/O=Example/OU=Support/CN=Bob' })
    for (const name of ['alice', 'example, SALES, al', 'Sales']) {
      assert.equal(stores.find({ name }).hash, hash, name)
    }
    assertRefuses(() => stores.find({ name: 'carol' }), 'CRYPT_E_NOT_FOUND', /no subject has "carol"/u) // prettier-ignore
  })

  test('findStored() takes by name, of those that can be used, the one issued last', (t) => {
    const stores = new Stores(t)
    const subject = '/CN=alice'
    const dates = { from: '20250101000000Z', to: '20990101000000Z' }
    stores.add('old', { subject, from: '20190101000000Z', to: '20200101000000Z' })
    stores.add('early', { subject, from: '20980101000000Z', to: '20990101000000Z' })
    const first = stores.add('first', { subject, ...dates, usage: 'clientAuth' })
    assert.equal(stores.find({ name: 'alice' }).hash, first)
    const second = stores.add('second', { subject, ...dates, from: '20250102000000Z' })
    stores.add('server', { subject, ...dates, from: '20250103000000Z', usage: 'serverAuth' })
    stores.add('keyless', { subject, ...dates, from: '20250104000000Z' }, 'pem alone')
    assert.equal(stores.find({ name: 'alice' }).hash, second)
  })

  test('findStored() says why none of those of a name can be used', (t) => {
    const stores = new Stores(t)
    stores.add('old', { from: '20190101000000Z', to: '20200101000000Z' })
    assertRefuses(() => stores.find({ name: 'old' }), 'CRYPT_E_NOT_FOUND', /none can be used of the 1 .* it has expired/u) // prettier-ignore
    stores.add('server', { usage: 'serverAuth' })
    assertRefuses(() => stores.find({ name: 'server' }), 'CRYPT_E_NOT_FOUND', /is not for clients$/u) // prettier-ignore
  })

  test('findStored() takes by name no notice of files that cannot be read', (t) => {
    const stores = new Stores(t)
    const hash = stores.add('alice')
    stores.write(`user/My/${'0'.repeat(40)}.pem`, 'hello')
    stores.write(`user/My/${'1'.repeat(40)}.p12`, '0')
    stores.write('user/My/notes.txt', 'alice')
    assert.equal(stores.find({ name: 'alice' }).hash, hash)
  })
})

describe('storeFolders()', () => {
  const world = { env: {}, platform: 'linux', homeFolder: '/home/a', serviceFolder: '/var/lib/lull' } as const // prettier-ignore
  const table: readonly (readonly [
    platform: NodeJS.Platform,
    env: Record<string, string>,
    StoreFolders,
  ])[] = [
    // prettier-ignore
    ['linux', {}, { currentUser: '/home/a/.local/share/lull/certs', localMachine: '/etc/lull/certs', currentService: '/var/lib/lull/certs' }], // prettier-ignore
    ['linux', { XDG_DATA_HOME: '/data' }, { currentUser: '/data/lull/certs', localMachine: '/etc/lull/certs', currentService: '/var/lib/lull/certs' }], // prettier-ignore
    ['linux', { XDG_DATA_HOME: 'data' }, { currentUser: '/home/a/.local/share/lull/certs', localMachine: '/etc/lull/certs', currentService: '/var/lib/lull/certs' }], // prettier-ignore
    ['darwin', {}, { currentUser: '/home/a/Library/Application Support/Lull/certs', localMachine: '/Library/Application Support/Lull/certs', currentService: '/var/lib/lull/certs' }], // prettier-ignore
  ]

  for (const [platform, env, folders] of table) {
    test(
      `storeFolders() on ${platform} with ${JSON.stringify(env)}`,
      { skip: process.platform === 'win32' && 'paths of POSIX' },
      () => {
        // prettier-ignore
        assert.deepEqual(storeFolders({ ...world, platform, env }), folders)
      },
    )
  }
})

describe('checkOwnFiles()', () => {
  const self = process.geteuid?.()

  test('checkOwnFiles() lets the owner of the service use what the system lets it read', () => {
    checkOwnFiles({ certificateFile: '/etc/passwd' }, String(self))
    checkOwnFiles({ certificateFile: '/etc/passwd' }, 'S-1-5-18')
  })

  test(
    'checkOwnFiles() refuses a file of somebody else for a job of another user (A76)',
    { skip: needsOpenssl || (self === undefined && 'there are no user ids here') },
    (t) => {
      // prettier-ignore
      const files = new ClientFiles(t)
      const certificateFile = files.write('a.pem', '')
      const other = String((self ?? 0) + 1)
      assertRefuses(() => checkOwnFiles({ certificateFile }, other), 'E_ACCESSDENIED', /belongs to the user/u) // prettier-ignore
      assertRefuses(() => checkOwnFiles({ certificateFile: files.path('no') }, other), 'ERROR_FILE_NOT_FOUND', /ENOENT/u) // prettier-ignore
    },
  )
})

function assertRefuses(call: () => unknown, symbol: string, sentence: RegExp): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof JobError)
    assert.equal(error.code, symbol)
    assert.match(error.message, sentence)
    return true
  })
}
