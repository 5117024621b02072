import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeCredentials } from '../auth/credential-record.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import { Secret } from '../auth/secret.ts'
import { failure } from '../job/failure.ts'
import type { GivenPair } from '../job/given-credentials.ts'
import type { Job } from '../job/job.ts'
import { MemoryVault, VaultMemory } from '../testing/memory-vault.ts'
import { Bench, done, me, other, part, root } from './bench.suite.ts'
import type { IdentityOrder } from './order.ts'
import { VaultError, type Vault } from './ports/vault.ts'
import { defaultSettings } from './settings.ts'

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

/** As whom the newest turn of a job asks. */
function identity(bench: Bench, job: Job): IdentityOrder | undefined {
  const order = bench.carriers.orders('fetch').findLast((each) => each.job === job.id)
  assert(order !== undefined, 'the job was given a turn')
  return order.identity
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code
}

describe('IdentityCommands: credentials', () => {
  test('credentials lie sealed in the queue and reach the carrier with the next turn', () => {
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

  test('removed secrets are scrubbed from the queue, many at a time', () => {
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
