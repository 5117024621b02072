import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { certificateStores } from '../../service/certificate-stores.ts'
import type { CertificateLocation } from '../../job/certificate.ts'
import { needsOpenssl } from '../certificates.suite.ts'
import { ClientFiles } from './client-files.suite.ts'
import { readFromSystem } from './client-certificate.ts'
import { keychainStore, parseIdentities } from './keychain.ts'
import {
  formatPlace,
  hashOf,
  parsePlace,
  runCommand,
  type CommandOutcome,
  type PlatformStore,
  type RunCommand,
} from './platform-store.ts'
import { windowsStore } from './windows-store.ts'

/** What `security find-identity -p ssl-client` prints. */
const identities = (...lines: readonly string[]): string =>
  [
    '',
    'Policy: SSL (client)',
    '  Matching identities',
    ...lines.map((line, place) => `  ${place + 1}) ${line}`),
    `     ${lines.length} identities found`,
    '',
    '  Valid identities only',
    '     0 valid identities found',
    '',
  ].join('\n')

const fine = (stdout: string): CommandOutcome => ({ status: 0, stdout, stderr: '' })
const bad = (status: number, stderr = ''): CommandOutcome => ({ status, stdout: '', stderr })

/** What the systems write: RC2 where old OpenSSLs are asked, which ours cannot read, for certificates. */
const legacy = ['-legacy', '-certpbe', 'PBE-SHA1-RC2-40', '-keypbe', 'PBE-SHA1-3DES'] as const

/** A folder with the identities a, b and old, of which the system's store has a and old. */
function makeFiles(t: TestContext): ClientFiles {
  const files = new ClientFiles(t)
  files.issue('a', { subject: '/O=Example/CN=alice' })
  files.issue('b', { subject: '/O=Example/CN=alice the second' })
  files.issue('old', { subject: '/CN=alice', from: '20200101000000Z', to: '20200201000000Z' })
  return files
}

const der = (files: ClientFiles, name: string): string =>
  String(files.read(`${name}.pem`)).replaceAll(/-----[^-]+-----|\s/gu, '')

/** `security`, as far as it is used, over the files of a test. */
function security(files: ClientFiles, isLocked = false): RunCommand {
  return (command, args) => {
    assert.equal(command, '/usr/bin/security')
    const [verb] = args
    if (verb === 'find-certificate') return fine(['a', 'b', 'old', 'ca'].map((name) => String(files.read(`${name}.pem`))).join('')) // prettier-ignore
    if (verb === 'find-identity') {
      const [a, old] = ['a', 'old'].map((name) => hashOf(files.certificate(name)).toUpperCase())
      return fine(identities(`${a} "alice"`, `${old} "alice" (CSSMERR_TP_CERT_EXPIRED)`))
    }
    assert.equal(verb, 'export')
    if (isLocked) return bad(1, 'security: SecKeychainItemExport: The contents of this item cannot be retrieved.\n') // prettier-ignore
    const [word = '', out = ''] = ['-P', '-o'].map((option) => args[args.indexOf(option) + 1])
    writeFileSync(out, files.read(nameOf(files.pkcs12('a', word, ...legacy))))
    return fine('')
  }
}

/** PowerShell with the two scripts, over the files of a test. */
function powershell(files: ClientFiles, { isLocked = false } = {}): RunCommand {
  return (command, args, { env = {}, input = '' } = {}) => {
    assert.equal(command, 'powershell.exe')
    const script = Buffer.from(args.at(-1) ?? '', 'base64').toString('utf16le')
    // Names are no part of it: a store may be called anything.
    assert.doesNotMatch(script, /MY|alice|[0-9a-f]{40}/u)
    assert.equal(env['LULL_LOCATION'], 'CurrentUser')
    if (env['LULL_STORE']?.toLowerCase() !== 'my') return bad(2)
    if (!script.includes('.Export(')) return fine(['a', 'old'].map((name) => `${der(files, name)}\r\n`).join('')) // prettier-ignore
    if (env['LULL_HASH'] !== hashOf(files.certificate('a'))) return bad(3)
    if (isLocked) return bad(4)
    const sealed = files.read(nameOf(files.pkcs12('a', input.trim(), ...legacy))).toString('base64')
    return fine(`${sealed}\r\n${der(files, 'a')}\r\n`)
  }
}

const systems: readonly (readonly [
  name: string,
  open: (files: ClientFiles, isLocked?: boolean) => PlatformStore,
])[] = [
  ['macOS', (files, isLocked) => keychainStore(security(files, isLocked))],
  ['Windows', (files, isLocked = false) => windowsStore(powershell(files, { isLocked }))],
]

const silent: RunCommand = () => ({ status: undefined, stdout: '', stderr: '' })

for (const [name, open] of systems) {
  describe(`the store of ${name}`, { skip: needsOpenssl }, () => {
    test('certificates() has those with a key, and none of a store that is not there', (t) => {
      const files = makeFiles(t)
      const store = open(files)
      const found = store.certificates('currentUser', 'MY') ?? []
      assert.deepEqual(
        found.map(hashOf),
        ['a', 'old'].map((each) => hashOf(files.certificate(each))),
      )
      assert.equal(store.certificates('currentUser', 'elsewhere'), undefined)
    })

    test('take() gives a key that TLS can use, whatever its certificate is encrypted with', (t) => {
      const files = makeFiles(t)
      const hash = hashOf(files.certificate('a'))
      const place = { location: 'currentUser', store: 'MY', hash } as const
      using identity = readFromSystem(place, new Date(), open(files))
      assert.equal(hashOf(identity.certificate), hash)
      assert.match(Buffer.from(identity.key).toString(), /^-----BEGIN PRIVATE KEY-----/u)
    })

    test('take() says that a key may not leave the store, and what to do', (t) => {
      const files = makeFiles(t)
      const hash = hashOf(files.certificate('a'))
      const place = { location: 'currentUser', store: 'MY', hash } as const
      assert.throws(() => readFromSystem(place, new Date(), open(files, true)), {
        code: 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
        message: new RegExp(`^Cannot use the client certificate ${hash} .*${name}.* let`, 'u'),
      })
    })

    test('take() says that a certificate is gone', (t) => {
      const hash = '0'.repeat(40)
      const place = { location: 'currentUser', store: 'MY', hash } as const
      assert.throws(() => readFromSystem(place, new Date(), open(makeFiles(t))), {
        code: 'CRYPT_E_NOT_FOUND',
      })
    })

    test('a job finds by hash and by name what our own folders do not have (A72, A81)', (t) => {
      const files = makeFiles(t)
      const owner = { id: String(process.geteuid?.() ?? ''), name: 'me' }
      const world = { env: {}, platform: 'linux', homeFolder: files.path('home'), serviceFolder: files.path('service') } as const // prettier-ignore
      const stores = certificateStores(world, open(files))
      const [a, old] = ['a', 'old'].map((each) => hashOf(files.certificate(each)))
      const find = (sought: { hash: string } | { name: string }): string =>
        stores.find(owner, { location: 'currentUser', store: 'MY', ...sought }).certificateFile
      assert.equal(find({ hash: a ?? '' }), `store:/currentUser/MY/${a}`)
      // By hash it is found whatever is wrong with it; by name only what can be used.
      assert.equal(find({ hash: old ?? '' }), `store:/currentUser/MY/${old}`)
      assert.equal(find({ name: 'ALICE' }), `store:/currentUser/MY/${a}`)
      for (const sought of [{ name: 'bob' }, { hash: '0'.repeat(40) }]) {
        assert.throws(() => find(sought), { code: 'CRYPT_E_NOT_FOUND' })
      }
      const elsewhere = (location: CertificateLocation, store: string): unknown =>
        stores.find(owner, { location, store, name: 'alice' })
      assert.throws(() => elsewhere('currentUser', 'other'), { code: 'ERROR_FILE_NOT_FOUND' })
      assert.throws(() => elsewhere('users', 'MY'), { code: 'E_NOTIMPL' })
    })

    test('a system that does not answer is E_FAIL', () => {
      const store = name === 'macOS' ? keychainStore(silent) : windowsStore(silent)
      const world = { env: {}, platform: 'linux', homeFolder: '/nowhere', serviceFolder: '/nowhere' } as const // prettier-ignore
      const stores = certificateStores(world, store)
      const find = (): unknown =>
        stores.find({ id: '0', name: 'me' }, { location: 'currentUser', store: 'MY', name: 'a' })
      assert.throws(find, { code: 'E_FAIL', message: /ended with no status in time$/u })
    })
  })
}

test('parseIdentities() finds each hash once, and no other number', () => {
  const hash = '5BA93C9DB0CFF93F52B521D7420E43F6EDA2784F'
  const text = identities(`${hash} "a 1) ${'0'.repeat(40)} "`, `${hash} "b"`)
  assert.deepEqual([...parseIdentities(text)], [hash.toLowerCase()])
  assert.deepEqual([...parseIdentities(identities())], [])
})

test('parsePlace() reads what formatPlace() wrote, and takes no file for it', () => {
  const place = { location: 'localMachine', store: 'a/b ü', hash: '0'.repeat(40) } as const
  assert.deepEqual(parsePlace(formatPlace(place)), place)
  for (const path of [
    '/store:/x',
    'store:/currentUser/MY/..',
    'store:/users/MY/'.concat('0'.repeat(40)),
    String.raw`C:\store`,
  ]) {
    // prettier-ignore
    assert.equal(parsePlace(path), undefined)
  }
})

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? ''
}

test('runCommand() gives what a command says, and no status of one that is not there', () => {
  const args = ['-e', 'process.stdin.pipe(process.stdout); console.error(process.env.LULL_X)']
  const outcome = runCommand(process.execPath, args, { env: { LULL_X: 'x' }, input: 'word' })
  assert.deepEqual(outcome, { status: 0, stdout: 'word', stderr: 'x\n' })
  assert.equal(runCommand('/nowhere/security', []).status, undefined)
})
