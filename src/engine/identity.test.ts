import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeCredentials } from '../auth/credential-record.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import { Secret } from '../auth/secret.ts'
import { failure, httpStatusFailure } from '../job/failure.ts'
import type { GivenPair } from '../job/given-credentials.ts'
import { helperTokenFlags } from '../job/helper-token.ts'
import type { Job } from '../job/job.ts'
import { MemoryVault, VaultMemory } from '../testing/memory-vault.ts'
import { Bench, done, me, other, part, root, storedFiles } from './bench.suite.ts'
import type { FetchOrder, IdentityOrder } from './order.ts'
import { clearHeaders } from './ports/job-store.ts'
import { VaultError, type Vault } from './ports/vault.ts'
import { defaultSettings } from './settings.ts'
import { FILES_PER_ORDER } from './turn.ts'

const basic: GivenPair = {
  target: 'server',
  scheme: 'basic',
  credentials: { userName: 'ann', password: 'hunter2' },
}
const proxyNtlm: GivenPair = {
  target: 'proxy',
  scheme: 'ntlm',
  credentials: { userName: null, password: null },
}

const refused = failure('ERROR_WINHTTP_LOGIN_FAILURE', 'REMOTE_FILE', 'The server refused')

/** The bytes that a carrier gets for a name and a password. */
function passwordBytes(userName: string, password: string): Uint8Array {
  return encodeCredentials({ kind: 'password', userName, password: Secret.fromText(password) })
}

/** The newest order to fetch files of a job. */
function newest(bench: Bench, job: Job): FetchOrder {
  const order = bench.carriers.orders('fetch').findLast((each) => each.job === job.id)
  assert(order !== undefined, 'the job was given a turn')
  return order
}

/** As whom the newest turn of a job asks. */
function identity(bench: Bench, job: Job): IdentityOrder | undefined {
  return newest(bench, job).identity
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code
}

describe('IdentityCommands: credentials', () => {
  test('credentials lie sealed in the queue and reach the carrier with the next turn (A24, A160)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false })
    bench.engine.identity.setCredentials(me, job.id, basic)
    bench.engine.identity.setCredentials(me, job.id, proxyNtlm)
    const [proxy, server] = bench.store.secrets(job.id)
    assert.deepEqual([proxy?.target, proxy?.scheme], ['proxy', 'ntlm'])
    assert.deepEqual([server?.target, server?.scheme], ['server', 'basic'])
    assert.doesNotMatch(Buffer.from(server?.sealed ?? []).toString('latin1'), /hunter2|ann/u)
    bench.engine.resume(me, job.id)
    assert.deepEqual(identity(bench, job), {
      pairs: [
        { target: 'proxy', scheme: 'ntlm', credentials: encodeCredentials({ kind: 'implicit' }) },
        { target: 'server', scheme: 'basic', credentials: passwordBytes('ann', 'hunter2') },
      ],
      settings: defaultAuthSettings,
      usesStoredForProxy: false,
    })
  })

  test('a job may have credentials before it first runs', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { credentials: [basic, proxyNtlm] })
    assert.equal(identity(bench, job)?.pairs.length, 2)
  })

  test('a job without credentials asks as nobody, unless the settings say otherwise (A53)', () => {
    const bench = new Bench()
    assert.equal(identity(bench, bench.add()), undefined)
    const auth = { ...defaultAuthSettings, useLmCompat: 0 as const }
    const lenient = new Bench({ settings: { ...defaultSettings, auth } })
    assert.deepEqual(identity(lenient, lenient.add())?.settings, auth)
  })

  test('a second call for a pair replaces the first (A12)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false, credentials: [basic] })
    const newer = { ...basic, credentials: { userName: 'bob', password: '' } }
    bench.engine.identity.setCredentials(me, job.id, newer)
    bench.engine.resume(me, job.id)
    assert.deepEqual(identity(bench, job)?.pairs, [
      { target: 'server', scheme: 'basic', credentials: passwordBytes('bob', '') },
    ])
  })

  test('credentials() tells which pairs are set, and removeCredentials() whether one was (A17, A25)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false, credentials: [basic, proxyNtlm] })
    const pairs = [
      { target: 'proxy', scheme: 'ntlm' },
      { target: 'server', scheme: 'basic' },
    ] as const
    assert.deepEqual(calls.credentials(me, job.id), pairs)
    assert.equal(calls.removeCredentials(me, job.id, pairs[0]), true)
    assert.equal(calls.removeCredentials(me, job.id, pairs[0]), false)
    assert.deepEqual(calls.credentials(root, job.id), pairs.slice(1))
  })

  test('only the owner sets and removes credentials, and no administrator (A18)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add()
    for (const caller of [other, root]) {
      const denied = hasCode('E_ACCESSDENIED')
      assert.throws(() => calls.setCredentials(caller, job.id, basic), denied)
      assert.throws(() => calls.removeCredentials(caller, job.id, basic), denied)
    }
    assert.deepEqual(calls.credentials(me, job.id), [])
  })

  test('credentials end with the job (A13), and a final job takes none', async () => {
    const bench = new Bench()
    const cancelled = bench.add('normal', 1, { credentials: [basic] })
    bench.over(cancelled)
    void bench.engine.cancel(me, cancelled.id)
    assert.deepEqual(bench.store.secrets(cancelled.id), [])
    bench.over(cancelled)
    const completed = bench.add('normal', 1, { credentials: [basic] })
    bench.carriers.report({ kind: 'discarded', job: cancelled.id, leftovers: [] })
    bench.connect(completed)
    bench.checkpoint(completed, done(0))
    bench.over(completed)
    assert.equal(bench.store.secrets(completed.id).length, 1)
    const completing = bench.engine.complete(me, completed.id)
    bench.carriers.report({ kind: 'renamed', job: completed.id, ordinals: [0] })
    await completing
    assert.deepEqual(bench.store.secrets(completed.id), [])
    const late = () => bench.engine.identity.setCredentials(me, completed.id, basic)
    assert.throws(late, hasCode('BG_E_INVALID_STATE'))
  })

  test('new credentials and Resume lead on from the bytes that are there (A132, A140)', () => {
    const bench = new Bench()
    const job = bench.add()
    bench.connect(job)
    bench.checkpoint(job, part(0, 40))
    bench.fail(job, refused)
    assert.equal(bench.state(job), 'error')
    bench.engine.identity.setCredentials(me, job.id, basic)
    assert.equal(bench.state(job), 'error')
    bench.engine.resume(me, job.id)
    const order = bench.carriers.orders('fetch').at(-1)
    assert.deepEqual(order?.files[0]?.ranges, [{ start: 0, end: 40 }])
    assert.equal(order?.identity?.pairs.length, 1)
  })

  test('what was refused is not tried again by itself, however long it takes (A130, A133)', () => {
    for (const status of [401, 407]) {
      const bench = new Bench()
      const job = bench.add('normal', 1, { credentials: [basic] })
      bench.connect(job)
      bench.checkpoint(job, part(0, 40))
      bench.fail(job, httpStatusFailure(status, 'The answer was no', { file: 0 }))
      const { state } = bench.engine.get(me, job.id)
      assert(state.kind === 'error')
      // Who it was is all that can be learned (A131).
      assert.equal(state.failure.symbol, `BG_E_HTTP_ERROR_${status}`)
      const orders = bench.carriers.orders('fetch').length
      bench.clock.turn(30 * 86_400_000)
      assert.equal(bench.carriers.orders('fetch').length, orders)
      assert.equal(bench.state(job), 'error')
      // A restart is no reason to try again, either.
      const restarted = new Bench({ store: bench.store, vault: bench.vault })
      assert.deepEqual(restarted.carriers.orders('fetch'), [])
      assert.equal(restarted.engine.identity.credentials(me, job.id).length, 1)
    }
  })

  test('the log tells who asked in vain, where, and what helps, and nothing secret (A142)', () => {
    for (const [status, challenger] of [
      [401, 'server'],
      [407, 'proxy'],
    ] as const) {
      const bench = new Bench()
      const files = [{ remoteName: 'http://ann:hunter2@o/x?token=hunter2', localName: '/data/x' }]
      const job = bench.add('normal', 0, { files, credentials: [basic] })
      bench.connect(job)
      bench.fail(job, httpStatusFailure(status, 'The answer was no', { file: 0 }))
      assert.equal(bench.state(job), 'error')
      const line = bench.log.lines.find((each) => each.includes('Credentials are missing'))
      assert(line !== undefined)
      assert.match(line, new RegExp(`"challenger":"${challenger}".*"url":"http://o/x"`, 'u'))
      assert.doesNotMatch(bench.log.lines.join(''), /hunter2|ann/u)
    }
  })

  test('the log warns of a password that everybody on the way can read (A183)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { credentials: [basic] })
    const proof = { target: 'server', peer: 'http://o', scheme: 'Basic' } as const
    const turn = bench.turn(job)
    bench.carriers.report({ kind: 'readable', job: job.id, turn, ...proof })
    const line = bench.log.lines.find((each) => each.includes('everybody on the way'))
    assert.match(
      line ?? '',
      /"level":"warn".*"target":"server","peer":"http:\/\/o","scheme":"Basic"/u,
    )
    assert.equal(bench.state(job), 'connecting')
  })

  test('credentials that come while a job has its turn reach it with a new one', () => {
    const bench = new Bench()
    const job = bench.add()
    const before = bench.turn(job)
    bench.engine.identity.setCredentials(me, job.id, basic)
    assert.equal(bench.carriers.orders('stop').length, 1)
    // What the old turn fails with is about credentials that are not used any more.
    bench.carriers.report({ kind: 'failed', job: job.id, turn: before, failure: refused })
    assert.equal(bench.state(job), 'connecting')
    assert.notEqual(bench.turn(job), before)
    assert.equal(identity(bench, job)?.pairs.length, 1)
    bench.engine.identity.removeCredentials(me, job.id, basic)
    bench.over(job)
    assert.equal(identity(bench, job), undefined)
  })

  test('removed secrets are scrubbed from the queue, many at a time (A162)', () => {
    const bench = new Bench()
    let scrubs = 0
    bench.store.scrub = () => {
      scrubs += 1
    }
    const job = bench.add('normal', 1, { resume: false, credentials: [basic, proxyNtlm] })
    bench.engine.identity.removeCredentials(me, job.id, basic)
    bench.engine.identity.removeCredentials(me, job.id, proxyNtlm)
    bench.clock.turn(1_000)
    assert.equal(scrubs, 1)
    bench.clock.turn(60_000)
    assert.equal(scrubs, 1)
  })
})

describe('IdentityCommands: headers and URLs', () => {
  const headers = [['Authorization', 'Bearer hunter2']] as const

  test('headers lie sealed in the queue and reach the carrier with the turn (A165)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { transfer: { headers } })
    assert.doesNotMatch(JSON.stringify(bench.store.find(job.id)), /hunter2/u)
    assert.deepEqual(newest(bench, job).transfer.headers, headers)
    assert.equal(identity(bench, job), undefined)
  })

  test('headers are replaced and removed by their owner alone (bits-jobs.md §14.2)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { transfer: { headers }, resume: false })
    const change = (caller: typeof me, headers: readonly (readonly [string, string])[]) =>
      bench.engine.change(caller, job.id, { transfer: { headers } })
    assert.throws(() => change(root, []), hasCode('E_ACCESSDENIED'))
    change(me, [['X-Who', 'me']])
    assert.equal(bench.store.secrets(job.id).length, 1)
    bench.engine.resume(me, job.id)
    assert.deepEqual(newest(bench, job).transfer.headers, [['X-Who', 'me']])
    change(me, [])
    assert.deepEqual(bench.store.secrets(job.id), [])
  })

  test('headers that an older version left in clear are sealed at the start, or used as they are', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false })
    const sealed = new TextEncoder().encode(JSON.stringify(headers))
    bench.store.saveSecrets(job.id, [{ ...clearHeaders, sealed }])
    const { vault } = bench
    const seal = vault.seal.bind(vault)
    vault.seal = () => {
      throw new VaultError('ERR_VAULT_KEY_REFUSED', 'Cannot use the key file')
    }
    const unable = new Bench({ store: bench.store, vault })
    assert.equal(unable.store.clearSecrets(9).length, 1)
    unable.engine.resume(me, job.id)
    assert.deepEqual(newest(unable, job).transfer.headers, headers)
    vault.seal = seal
    const able = new Bench({ store: bench.store, vault })
    assert.deepEqual(able.store.clearSecrets(9), [])
    assert.doesNotMatch(
      Buffer.from(able.store.secrets(job.id)[0]?.sealed ?? []).toString(),
      /hunt/u,
    )
    assert.deepEqual(newest(able, job).transfer.headers, headers)
  })

  test('names and passwords in URLs lie sealed, and are given with their files (A40, A44)', () => {
    const bench = new Bench()
    const rows: readonly [string, string, string | undefined, string?][] = [
      ['http://ann:hunter2@o/', 'http://o/', 'ann', 'hunter2'],
      ['http://o/', 'http://o/', undefined],
      ['https://ann@o:8/x?y=a@b', 'https://o:8/x?y=a@b', 'ann', ''],
      ['http://%C3%A9:a%3Ab:c%40@o/', 'http://o/', 'é', 'a:b:c@'],
      ['http://:p@o/', 'http://o/', '', 'p'],
      ['http://@o/', 'http://o/', undefined],
    ]
    const job = bench.add('normal', 0, {
      files: rows.map(([remoteName], index) => ({ remoteName, localName: `/data/${index}` })),
    })
    const { files, identity } = newest(bench, job)
    for (const [index, [, remoteName, name, password = '']] of rows.entries()) {
      const bytes = name === undefined ? undefined : passwordBytes(name, password)
      assert.equal(files[index]?.remoteName, remoteName)
      assert.deepEqual(files[index]?.urlCredentials, bytes, remoteName)
    }
    assert.deepEqual(identity?.pairs, [])
    const kept = JSON.stringify([bench.store.find(job.id), bench.store.files(job.id, { limit: 9 })])
    assert.doesNotMatch(kept, /hunter2|ann/u)
  })

  test('names and passwords in URLs can be forbidden (A45)', () => {
    const bench = new Bench({ settings: { refusesUrlCredentials: true } })
    const add = () =>
      bench.add('normal', 0, { files: [{ remoteName: 'http://ann:hunter2@o/', localName: '/x' }] })
    assert.throws(add, { code: 'E_INVALIDARG', message: /http:\/\/o\/.* not allowed here/u })
    assert.equal(bench.engine.count(), 0)
  })

  test('files that are added later bring their names and passwords, too', () => {
    const bench = new Bench()
    const job = bench.add('normal', FILES_PER_ORDER + 1)
    const file = { remoteName: 'http://ann:hunter2@o/', localName: '/data/added' }
    bench.engine.addFiles(me, job.id, [file])
    bench.connect(job)
    bench.checkpoint(job, ...Array.from({ length: FILES_PER_ORDER }, (_, ordinal) => done(ordinal)))
    assert.deepEqual(
      newest(bench, job).files.at(-1)?.urlCredentials,
      passwordBytes('ann', 'hunter2'),
    )
  })

  test('a file that was led to another origin is asked for where it was named (A380)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 2, { credentials: [basic] })
    const again = (ordinal: number, remoteName: string): string | undefined => {
      bench.connect(job)
      bench.checkpoint(job, { ...part(ordinal, 40), remoteName })
      bench.engine.suspend(me, job.id)
      bench.over(job)
      bench.engine.resume(me, job.id)
      return newest(bench, job).files[ordinal]?.remoteName
    }
    assert.equal(again(0, 'http://x:y@elsewhere/0'), 'http://origin/0')
    assert.equal(bench.engine.file(job, 0)?.remoteName, 'http://elsewhere/0')
    assert.equal(again(1, 'http://origin/moved'), 'http://origin/moved')
    assert.equal(again(1, 'https://origin/moved'), 'http://origin/moved')
    assert.equal(again(1, 'http://origin/back'), 'http://origin/back')
  })

  test('the login of a URL whose key is lost is replaced by credentials for the server', () => {
    const { vault, forget } = forgetfulVault()
    const bench = new Bench({ vault })
    const files = [{ remoteName: 'http://ann:hunter2@o/', localName: '/data/a' }]
    const job = bench.add('normal', 0, { files, resume: false })
    forget()
    bench.engine.resume(me, job.id)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error' && state.failure.file === 0)
    assert.match(state.failure.sentence, /URL of file 0 .* set credentials for the server instead/u)
    bench.engine.identity.setCredentials(me, job.id, basic)
    bench.engine.resume(me, job.id)
    assert.equal(newest(bench, job).files[0]?.urlCredentials, undefined)
    assert.equal(identity(bench, job)?.pairs.length, 1)
  })
})

describe('IdentityCommands: ways, certificates, helpers, owners', () => {
  test('proxy settings are stored with the job and reach the carrier (N1, N3)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false })
    assert.deepEqual(calls.proxySettings(me, job.id), { usage: 'preconfig' })
    const proxy = { usage: 'override', list: 'p:8080', bypass: '<local>' } as const
    calls.setProxySettings(root, job.id, proxy)
    assert.deepEqual(calls.proxySettings(me, job.id), proxy)
    assert.throws(
      () => calls.setProxySettings(me, job.id, { usage: 'override' }),
      hasCode('E_INVALIDARG'),
    )
    bench.engine.resume(me, job.id)
    assert.deepEqual(newest(bench, job).proxy, proxy)
    assert.deepEqual(newest(bench, bench.add('foreground', 1, { proxy })).proxy, proxy)
    assert.equal(newest(bench, bench.add('foreground')).proxy, undefined)
  })

  test('a certificate can be read back, its passphrase cannot (A74)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const files = { certificateFile: '/home/me/c.pem', keyFile: '/home/me/c.key' }
    const job = bench.add('normal', 1, {
      resume: false,
      certificate: { ...files, passphrase: 'hunter2' },
    })
    assert.deepEqual(calls.certificate(root, job.id), files)
    assert.doesNotMatch(JSON.stringify(bench.store.find(job.id)), /hunter2/u)
    bench.engine.resume(me, job.id)
    const passphrase = new TextEncoder().encode('hunter2')
    assert.deepEqual(identity(bench, job)?.certificate, { ...files, passphrase })
    calls.setCertificate(me, job.id, { location: 'currentUser', store: 'MY', name: 'me' })
    bench.over(job)
    assert.deepEqual(identity(bench, job)?.certificate, storedFiles)
    assert.throws(() => calls.removeCertificate(root, job.id), hasCode('E_ACCESSDENIED'))
    assert.equal(calls.removeCertificate(me, job.id), true)
    assert.equal(calls.removeCertificate(me, job.id), false)
    assert.throws(() => calls.certificate(me, job.id), hasCode('RPC_X_BAD_STUB_DATA'))
    bench.over(job)
    assert.equal(identity(bench, job), undefined)
  })

  test('only the owner sets and removes the certificate, and it goes when the owner changes (A75, A76)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false })
    const certificate = { certificateFile: '/c.pem' }
    const denied = hasCode('E_ACCESSDENIED')
    assert.throws(() => calls.setCertificate(root, job.id, certificate), denied)
    calls.setCertificate(me, job.id, { ...certificate, passphrase: 'p' })
    assert.throws(() => calls.removeCertificate(root, job.id), denied)
    assert.deepEqual(calls.certificate(root, job.id), certificate)
    calls.takeOwnership(root, job.id)
    assert.throws(() => calls.certificate(root, job.id), hasCode('RPC_X_BAD_STUB_DATA'))
  })

  test('a helper for the network stands for implicit credentials, until the service ends (A90, A96)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false, credentials: [proxyNtlm] })
    const token = { kind: 'keytab', principal: 'h@R', keytab: '/etc/h.keytab' } as const
    calls.setHelperToken(me, job.id, token)
    bench.engine.resume(me, job.id)
    assert.equal(identity(bench, job)?.helper, undefined)
    calls.setHelperTokenFlags(me, job.id, helperTokenFlags.network)
    assert.equal(calls.helperTokenFlags(me, job.id), 2)
    bench.over(job)
    assert.deepEqual(identity(bench, job)?.helper, encodeCredentials(token))
    assert.doesNotMatch(JSON.stringify(bench.store.find(job.id)), /keytab/u)
    calls.clearHelperToken(me, job.id)
    bench.over(job)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error')
    assert.equal(state.failure.symbol, 'BG_E_TOKEN_REQUIRED')
    calls.setHelperTokenFlags(me, job.id, 0)
    bench.engine.resume(me, job.id)
    assert.equal(bench.state(job), 'connecting')
  })

  test('who the helper is can be read back, and is nobody once the token is gone (A92)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false })
    assert.equal(calls.helperTokenSid(me, job.id), undefined)
    const rows = [
      [{ kind: 'keytab', principal: 'h@R', keytab: '/etc/h.keytab' }, 'h@R'],
      [{ kind: 'tickets', cache: 'FILE:/tmp/c', principal: 'i@R' }, 'i@R'],
      [{ kind: 'tickets', cache: 'FILE:/tmp/c' }, 'FILE:/tmp/c'],
    ] as const
    for (const [token, sid] of rows) {
      calls.setHelperToken(me, job.id, token)
      assert.equal(calls.helperTokenSid(me, job.id), sid)
    }
    assert.throws(() => calls.helperTokenSid(other, job.id), hasCode('E_ACCESSDENIED'))
    calls.clearHelperToken(me, job.id)
    assert.equal(calls.helperTokenSid(me, job.id), undefined)
  })

  test('a helper is its owner’s to set, and goes with the service (A93, A94, A97)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false })
    const token = { kind: 'tickets', cache: 'FILE:/tmp/planted' } as const
    for (const caller of [root, other]) {
      const denied = hasCode('E_ACCESSDENIED')
      assert.throws(() => calls.setHelperToken(caller, job.id, token), denied)
      assert.throws(() => calls.clearHelperToken(caller, job.id), denied)
      assert.throws(() => calls.setHelperTokenFlags(caller, job.id, 2), denied)
    }
    calls.setHelperToken(me, job.id, token)
    assert.doesNotMatch(JSON.stringify(bench.store.find(job.id)), /planted/u)
    assert.deepEqual(bench.store.secrets(job.id), [])
    const restarted = new Bench({ store: bench.store, vault: bench.vault })
    assert.equal(restarted.engine.identity.helperTokenSid(me, job.id), undefined)
  })

  test('proxies are told who is logged on where the job says so, and servers are not (A63)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false })
    assert.equal(calls.useStoredCredentials(me, job.id), undefined)
    const unsupported = hasCode('BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED')
    assert.throws(() => calls.setUseStoredCredentials(me, job.id, 'server'), unsupported)
    const denied = hasCode('E_ACCESSDENIED')
    assert.throws(() => calls.setUseStoredCredentials(root, job.id, 'proxy'), denied)
    calls.setUseStoredCredentials(me, job.id, 'proxy')
    assert.equal(calls.useStoredCredentials(me, job.id), 'proxy')
    bench.engine.resume(me, job.id)
    assert.equal(identity(bench, job)?.usesStoredForProxy, true)
    calls.setUseStoredCredentials(me, job.id, undefined)
    assert.equal(calls.useStoredCredentials(me, job.id), undefined)
    bench.over(job)
    assert.equal(identity(bench, job), undefined)
  })

  test('a job may prove itself unasked where its owner says so, until another one takes it (A19, A86)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false, credentials: [basic] })
    assert.equal(calls.preemptiveAuthentication(me, job.id), false)
    assert.throws(
      () => calls.setPreemptiveAuthentication(root, job.id, true),
      hasCode('E_ACCESSDENIED'),
    )
    calls.setPreemptiveAuthentication(me, job.id, true)
    bench.engine.resume(me, job.id)
    assert.equal(identity(bench, job)?.provesUnasked, true)
    calls.setPreemptiveAuthentication(me, job.id, false)
    bench.over(job)
    assert.equal(identity(bench, job)?.provesUnasked, undefined)
    calls.setPreemptiveAuthentication(me, job.id, true)
    calls.takeOwnership(root, job.id)
    assert.equal(calls.preemptiveAuthentication(root, job.id), false)
  })

  test('a job may be made to prove itself unasked (A86)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { credentials: [basic], provesUnasked: true })
    assert.equal(identity(bench, job)?.provesUnasked, true)
  })

  test('who takes the ownership does not become who is told to proxies (A19, A63)', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false })
    bench.engine.identity.setUseStoredCredentials(me, job.id, 'proxy')
    bench.engine.identity.takeOwnership(root, job.id)
    assert.equal(bench.engine.identity.useStoredCredentials(root, job.id), undefined)
  })

  test('a helper for local files alone changes no order, but must be there', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, { resume: false, credentials: [proxyNtlm] })
    calls.setHelperTokenFlags(me, job.id, helperTokenFlags.localFile)
    calls.setHelperToken(me, job.id, { kind: 'tickets', cache: 'FILE:/tmp/c' })
    bench.engine.resume(me, job.id)
    assert.equal(identity(bench, job)?.helper, undefined)
    const restarted = new Bench({ store: bench.store, vault: bench.vault })
    assert.equal(restarted.state(job), 'error')
  })

  test('flags of helpers that mean nothing, and tokens that cannot be, are refused', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add()
    const invalid = hasCode('E_INVALIDARG')
    assert.throws(() => calls.setHelperTokenFlags(me, job.id, 4), invalid)
    assert.throws(() => calls.setHelperToken(me, job.id, { kind: 'tickets', cache: '' }), invalid)
    const relative = { kind: 'keytab', principal: 'h', keytab: 'h.keytab' } as const
    assert.throws(() => calls.setHelperToken(me, job.id, relative), invalid)
    const token = { kind: 'tickets', cache: 'c' } as const
    assert.throws(() => calls.setHelperToken(root, job.id, token), hasCode('E_ACCESSDENIED'))
  })

  test('a certificate and a helper for the network do not go together (A80)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const certificate = { certificateFile: '/c.pem' }
    const job = bench.add('normal', 1, { resume: false, certificate })
    calls.setHelperToken(me, job.id, { kind: 'tickets', cache: 'c' })
    calls.setHelperTokenFlags(me, job.id, helperTokenFlags.network)
    bench.engine.resume(me, job.id)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error')
    assert.equal(state.failure.symbol, 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY')
  })

  test('who takes the ownership gets nothing that the old owner could prove (A19)', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add('normal', 1, {
      files: [{ remoteName: 'http://ann:hunter2@o/', localName: '/data/a' }],
      credentials: [basic],
      certificate: { certificateFile: '/c.pem', passphrase: 'p' },
      transfer: { headers: [['X', 'y']], overwrite: true },
    })
    assert.throws(() => calls.takeOwnership(me, job.id), hasCode('E_ACCESSDENIED'))
    assert.equal(calls.takeOwnership(root, job.id).owner.name, 'root')
    assert.deepEqual(bench.store.secrets(job.id), [])
    assert.deepEqual(bench.store.secrets(job.id, { target: 'url' }), [])
    assert.throws(() => bench.engine.get(me, job.id), hasCode('E_ACCESSDENIED'))
    bench.over(job)
    const order = newest(bench, job)
    assert.deepEqual(order.transfer.headers, [])
    assert.equal(order.transfer.overwrite, true)
    assert.equal(order.identity, undefined)
    assert.equal(order.files[0]?.urlCredentials, undefined)
  })

  test('cost flags are kept with the job', () => {
    const bench = new Bench()
    const { identity: calls } = bench.engine
    const job = bench.add()
    assert.equal(calls.costFlags(me, job.id), 0x8000_00ff)
    calls.setCostFlags(me, job.id, 0x8000_0001)
    assert.equal(calls.costFlags(me, job.id), 0x8000_0001)
  })
})

/** A vault that lost its keys after it sealed what it was given. */
function forgetfulVault(): { readonly vault: Vault; readonly forget: () => void } {
  const memory = new VaultMemory()
  return {
    vault: new MemoryVault(memory),
    forget() {
      memory.loseKeys()
      memory.addKey()
    },
  }
}

describe('IdentityCommands: the vault', () => {
  test('a lost key costs the credentials and nothing else; setting them again helps', () => {
    const { vault, forget } = forgetfulVault()
    const bench = new Bench({ vault })
    const job = bench.add('normal', 1, { credentials: [basic] })
    bench.connect(job)
    bench.checkpoint(job, part(0, 40))
    bench.engine.suspend(me, job.id)
    bench.over(job)
    forget()
    bench.engine.resume(me, job.id)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error')
    assert.equal(state.failure.symbol, 'BG_E_INVALID_CREDENTIALS')
    assert.match(state.failure.sentence, /master key .* is lost; set it again/u)
    const another = bench.add()
    assert.equal(bench.state(another), 'connecting')
    bench.engine.identity.setCredentials(me, job.id, basic)
    bench.engine.resume(me, job.id)
    bench.engine.suspend(me, another.id)
    bench.over(another)
    const order = bench.carriers.orders('fetch').findLast((each) => each.job === job.id)
    assert.deepEqual(order?.files[0]?.ranges, [{ start: 0, end: 40 }])
  })

  test('a vault that cannot be used stops only jobs with credentials, and says why', () => {
    const message = 'Cannot use the key file: its mode 0644 lets others at it'
    const refuse = (): never => {
      throw new VaultError('ERR_VAULT_KEY_REFUSED', message)
    }
    const memory = new VaultMemory()
    const vault = new MemoryVault(memory)
    const bench = new Bench({ vault })
    const job = bench.add('normal', 1, { resume: false, credentials: [basic] })
    vault.open = refuse
    vault.seal = refuse
    bench.engine.resume(me, job.id)
    const { state } = bench.engine.get(me, job.id)
    assert(state.kind === 'error' && state.failure.sentence === message)
    assert.equal(bench.state(bench.add()), 'connecting')
    const setting = () => bench.engine.identity.setCredentials(me, job.id, basic)
    assert.throws(setting, hasCode('ERR_VAULT_KEY_REFUSED'))
    const creating = () => bench.add('normal', 1, { credentials: [basic] })
    assert.throws(creating, hasCode('ERR_VAULT_KEY_REFUSED'))
    assert.equal(bench.engine.count(), 2)
  })

  test('secrets that were opened for an order are wiped when its commit fails', () => {
    const bench = new Bench()
    const job = bench.add('normal', 1, { resume: false, credentials: [basic] })
    const opened: Uint8Array[] = []
    const { vault, store } = bench
    const open = vault.open.bind(vault)
    vault.open = (context, sealed) => {
      const bytes = open(context, sealed)
      opened.push(bytes)
      return bytes
    }
    const save = store.save.bind(store)
    store.save = (changed) => {
      if (changed.state.kind === 'connecting') throw new Error('The disk is full')
      save(changed)
    }
    assert.throws(() => bench.engine.resume(me, job.id), /disk is full/u)
    assert.equal(opened.length, 1)
    assert(opened.every((bytes) => bytes.every((byte) => byte === 0)))
  })
})
