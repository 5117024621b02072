/** Kerberos through the helper, against MIT's KDC and MIT's acceptor. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { MechanismError } from '../../src/auth/error.ts'
import type { MechanismIdentity } from '../../src/auth/mechanism.ts'
import { SpnegoInitiator } from '../../src/auth/spnego/initiator.ts'
import { mechanismIds } from '../../src/auth/spnego/mechanism-ids.ts'
import { systemClock } from '../../src/carrier/system-clock.ts'
import { gssapiMechanisms, type GssapiOptions } from '../../src/native/gssapi/gssapi.ts'
import type { HelperMechanisms } from '../../src/native/gssapi/helper-mechanisms.ts'
import { firstToken, openContext, password, PASSWORD } from '../lab/kdc-contexts.ts'
import { CHANNEL_BOUND, GssAcceptor } from '../lab/kdc-acceptor.ts'
import { expireTickets } from '../lab/kdc-tickets.ts'
import { path } from '../lab/installed.ts'
import { cannotServeTickets, Kdc, realm } from '../lab/kdc.ts'

const principals = [
  { name: 'alice', password: PASSWORD, options: '+requires_preauth' },
  { name: 'bob', password: PASSWORD },
  { name: 'locked', password: PASSWORD, options: '-allow_tix' },
  { name: 'stale', password: PASSWORD, options: '-pwexpire yesterday' },
  { name: 'svc/bits' },
  { name: 'HTTP/localhost' },
  { name: 'HTTP/trusted.lull.test', options: '+ok_as_delegate' },
]

/** A308; the first two are in every realm, the others since RFC 8009. */
const etypes = [
  'aes256-cts-hmac-sha1-96',
  'aes128-cts-hmac-sha1-96',
  'aes128-cts-hmac-sha256-128',
  'aes256-cts-hmac-sha384-192',
] as const

function userOf(etype: string): string {
  return `user-${etype}`
}

const text = new TextEncoder()

suite('Kerberos over GSSAPI', { skip: cannotServeTickets }, () => {
  let kdc: Kdc
  let acceptor: GssAcceptor
  let mechanisms: HelperMechanisms
  let keytab: string
  let tickets: string

  before(async () => {
    const ofEtypes = etypes.map((etype) => ({
      name: userOf(etype),
      password: PASSWORD,
      options: `+requires_preauth -e ${etype}:normal`,
    }))
    kdc = await Kdc.start([...principals, ...ofEtypes])
    keytab = await kdc.keytab('svc.keytab', ['svc/bits'])
    tickets = await kdc.tickets({ name: 'alice', password: PASSWORD })
    const services = await kdc.keytab('http.keytab', ['HTTP/localhost', 'HTTP/trusted.lull.test'])
    acceptor = new GssAcceptor({ ...kdc.environment, KRB5_KTNAME: services })
    mechanisms = mechanismsHere()
  })

  after(async () => {
    await mechanisms.stop()
    await acceptor[Symbol.asyncDispose]()
    await kdc[Symbol.asyncDispose]()
  })

  test('whoever is logged on is whose tickets the environment names (N110)', async () => {
    const environment = { ...kdc.environment, KRB5CCNAME: tickets }
    await using implicit = mechanismsHere({ environment })
    acceptor.renew()
    const context = await openContext(implicit, { kind: 'implicit' })
    assert.equal((await acceptor.accept(await firstToken(context))).user, `alice@${realm}`)
  })

  test('of several who are logged on, the one that is named is told, or else the first (N110, N111)', async () => {
    const cache = `DIR:${join(kdc.folder, 'collection')}`
    mkdirSync(cache.slice('DIR:'.length), { mode: 0o700 })
    const env = { ...process.env, ...kdc.environment, PATH: path, KRB5CCNAME: cache }
    for (const name of ['alice', 'bob']) {
      execFileSync('kinit', [name], { env, input: `${PASSWORD}\n` })
    }
    execFileSync('kswitch', ['-p', 'alice'], { env })
    const userOf = async (identity: MechanismIdentity): Promise<string> => {
      acceptor.renew()
      const context = await openContext(mechanisms, identity)
      return (await acceptor.accept(await firstToken(context))).user
    }
    const tickets = { kind: 'tickets', cache } as const
    assert.equal(await userOf(tickets), `alice@${realm}`)
    assert.equal(await userOf({ ...tickets, principal: 'bob' }), `bob@${realm}`)
    assert.equal(await userOf({ ...tickets, principal: 'alice' }), `alice@${realm}`)
    const nobody = openContext(mechanisms, { ...tickets, principal: 'svc/bits' })
    await assert.rejects(nobody, { code: 'ERR_KERBEROS_NO_CREDENTIALS' })
  })

  function mechanismsHere(options: Partial<GssapiOptions> = {}): HelperMechanisms {
    return gssapiMechanisms({
      clock: systemClock,
      environment: kdc.environment,
      realms: { LULL: realm },
      ...options,
    })
  }

  const identities: readonly {
    readonly name: string
    readonly identity: () => MechanismIdentity
    readonly user: string
  }[] = [
    {
      name: 'tickets in a cache',
      identity: () => ({ kind: 'tickets', cache: tickets }),
      user: 'alice',
    },
    {
      name: 'tickets of a principal in a cache',
      identity: () => ({ kind: 'tickets', cache: tickets, principal: 'alice' }),
      user: 'alice',
    },
    {
      name: 'a keytab and its principal',
      identity: () => ({ kind: 'keytab', principal: 'svc/bits', keytab }),
      user: 'svc/bits',
    },
    { name: 'a name and a password', identity: () => password('alice'), user: 'alice' },
    {
      name: 'a name in a realm, where the KDC wants no proof before it answers',
      identity: () => password(`bob@${realm.toLowerCase()}`),
      user: 'bob',
    },
    {
      name: 'a name in a domain that is mapped to its realm',
      identity: () => password('Lull\\alice'),
      user: 'alice',
    },
  ]
  for (const { name, identity, user } of identities) {
    test(`${name} and the service prove themselves to each other, and both sign`, async () => {
      const context = await openContext(mechanisms, identity())
      const { token, complete } = await context.step(undefined)
      assert(token !== undefined && !complete)
      acceptor.renew()
      const accepted = await acceptor.accept(token)
      assert.equal(accepted.user, `${user}@${realm}`)
      assert(accepted.isComplete && !accepted.isDelegated)
      assert.deepEqual(await context.step(accepted.token), { complete: true })
      const message = text.encode('the list of mechanisms')
      assert(await acceptor.verify(message, await context.sign(message)))
      const code = await acceptor.sign(message)
      assert(await context.verify(message, code))
      assert(!(await context.verify(message, code)), 'a code counts once')
      context.close()
      context.close()
    })
  }

  // What the library computes for us (RFC 4120, 3961, 8009): keys, tickets, messages. The acceptor is another process.
  for (const etype of etypes) {
    test(`a key of ${etype} proves its user, and both sign with what was derived from it (A306, A307, A308, A314, A431)`, async () => {
      const context = await openContext(mechanisms, password(userOf(etype)))
      acceptor.renew()
      const accepted = await acceptor.accept(await firstToken(context))
      assert.equal(accepted.user, `${userOf(etype)}@${realm}`)
      assert.deepEqual(await context.step(accepted.token), { complete: true })
      const message = text.encode(etype)
      assert(await acceptor.verify(message, await context.sign(message)))
      context.close()
    })
  }

  test('a realm is found where a configuration includes another one (A305)', async () => {
    const config = join(kdc.folder, 'including.conf')
    writeFileSync(
      config,
      `[libdefaults]\n  default_realm = ELSEWHERE.TEST\ninclude ${kdc.config}\n`,
    )
    await using including = mechanismsHere({
      environment: { ...kdc.environment, KRB5_CONFIG: config },
    })
    assert((await firstToken(await openContext(including, password(`alice@${realm}`)))).length > 0)
    const nowhere = join(kdc.folder, 'nowhere.conf')
    writeFileSync(nowhere, '[libdefaults]\n  dns_lookup_kdc = false\n')
    await using without = mechanismsHere({
      environment: { ...kdc.environment, KRB5_CONFIG: nowhere },
    })
    await assert.rejects(openContext(without, password(`alice@${realm}`)), {
      code: 'ERR_KERBEROS_KDC',
    })
  })

  test('tickets that a password bought are in no cache of anybody else (A302)', async () => {
    const cache = join(kdc.folder, 'default-cache')
    await using own = mechanismsHere({
      environment: { ...kdc.environment, KRB5CCNAME: `FILE:${cache}` },
    })
    assert((await firstToken(await openContext(own, password('alice')))).length > 0)
    assert(!existsSync(cache))
    await assert.rejects(openContext(own, { kind: 'implicit' }), {
      code: 'ERR_KERBEROS_NO_CREDENTIALS',
    })
  })

  const failures: readonly {
    readonly name: string
    readonly identity: () => MechanismIdentity | Promise<MechanismIdentity>
    readonly targetName?: string
    readonly code: string
    readonly reason?: 'refused'
  }[] = [
    {
      name: 'a wrong password',
      identity: () => password('alice', 'Wandering-Albatross!8'),
      code: 'ERR_KERBEROS_PASSWORD',
      reason: 'refused',
    },
    {
      name: 'a wrong password, where the KDC wants no proof before it answers',
      identity: () => password('bob', 'wrong'),
      code: 'ERR_KERBEROS_PASSWORD',
      reason: 'refused',
    },
    {
      name: 'a locked account',
      identity: () => password('locked'),
      code: 'ERR_KERBEROS_REVOKED',
      reason: 'refused',
    },
    {
      name: 'a password that has expired',
      identity: () => password('stale'),
      code: 'ERR_KERBEROS_PASSWORD_EXPIRED',
      reason: 'refused',
    },
    {
      name: 'a name that nobody has',
      identity: () => password('nobody'),
      code: 'ERR_KERBEROS_CLIENT_UNKNOWN',
    },
    {
      name: 'a realm that nobody serves',
      identity: () => password('alice@ELSEWHERE.TEST'),
      code: 'ERR_KERBEROS_KDC',
    },
    {
      name: 'a domain without a realm',
      identity: () => password('CORP\\alice'),
      code: 'ERR_KERBEROS_REALM',
    },
    {
      name: 'a blank password',
      identity: () => password('alice', ''),
      code: 'ERR_KERBEROS_BLANK_PASSWORD',
    },
    {
      name: 'a cache that is not there',
      identity: () => ({ kind: 'tickets', cache: 'FILE:/nowhere/tickets' }),
      code: 'ERR_KERBEROS_NO_CREDENTIALS',
    },
    {
      name: 'a cache of somebody else',
      identity: () => ({ kind: 'tickets', cache: tickets, principal: 'bob' }),
      code: 'ERR_KERBEROS_NO_CREDENTIALS',
    },
    {
      name: 'tickets that have expired, in a cache of version 4 (A312)',
      identity: async () => {
        const cache = await kdc.tickets({ name: 'alice', password: PASSWORD })
        expireTickets(cache)
        return { kind: 'tickets', cache }
      },
      code: 'ERR_KERBEROS_EXPIRED',
    },
    {
      name: 'nobody logged on',
      identity: () => ({ kind: 'implicit' }),
      code: 'ERR_KERBEROS_NO_CREDENTIALS',
    },
    {
      name: 'a keytab that is not there',
      identity: () => ({ kind: 'keytab', principal: 'svc/bits', keytab: '/nowhere/keytab' }),
      code: 'ERR_KERBEROS_KEYTAB',
    },
    {
      name: 'a keytab without the principal',
      identity: () => ({ kind: 'keytab', principal: 'alice', keytab }),
      code: 'ERR_KERBEROS_NO_CREDENTIALS',
    },
    {
      name: 'a service that the realm does not have',
      identity: () => ({ kind: 'tickets', cache: tickets }),
      targetName: 'HTTP@nowhere.lull.test',
      code: 'ERR_KERBEROS_SERVICE_UNKNOWN',
    },
    {
      name: 'an address whose name in reverse DNS is a service (A272)',
      identity: () => ({ kind: 'tickets', cache: tickets }),
      targetName: 'HTTP@127.0.0.1',
      code: 'ERR_KERBEROS_SERVICE_UNKNOWN',
    },
  ]
  test('what cannot be proved is told with its reason, and without the password', async (t) => {
    for (const { name, identity, targetName, code, reason = 'unable' } of failures) {
      await t.test(name, async () => {
        const asked = await identity()
        await assert.rejects(openContext(mechanisms, asked, { targetName }), (error) => {
          assert(error instanceof MechanismError)
          assert.deepEqual([error.code, error.reason], [code, reason])
          assert.match(error.message, /^Cannot [^\n]+: [^\n]+[^.]$/u)
          assert(!error.message.includes('Albatross'))
          return true
        })
      })
    }
  })

  const channel = text.encode('tls-server-end-point:a certificate')
  const other = text.encode('tls-server-end-point:another certificate')
  const bindings: readonly {
    readonly name: string
    readonly ours?: Uint8Array
    readonly theirs?: Uint8Array
    readonly isBound?: boolean
    readonly isRefused?: boolean
  }[] = [
    { name: 'the same channel is bound to', ours: channel, theirs: channel, isBound: true },
    { name: 'another channel is refused', ours: channel, theirs: other, isRefused: true },
    {
      name: 'no channel is refused, because we say that we know channels (A310)',
      theirs: channel,
      isRefused: true,
    },
    { name: 'a channel that the server does not look at is no harm', ours: channel },
    { name: 'no channel is bound to where there is none' },
  ]
  for (const { name, ours, theirs, isBound = false, isRefused = false } of bindings) {
    test(`channel bindings: ${name}`, async () => {
      const context = await openContext(
        mechanisms,
        { kind: 'tickets', cache: tickets },
        { channelBinding: ours },
      )
      acceptor.renew()
      const accepting = acceptor.accept(await firstToken(context), theirs)
      if (isRefused) await assert.rejects(accepting, /^Error: Incorrect channel bindings/u)
      else assert.equal(((await accepting).flags & CHANNEL_BOUND) !== 0, isBound)
      context.close()
    })
  }

  test('an answer of anybody but the service is refused', async () => {
    const context = await openContext(mechanisms, { kind: 'tickets', cache: tickets })
    acceptor.renew()
    const { token } = await acceptor.accept(await firstToken(context))
    const forged = token.with(token.length - 1, (token.at(-1) ?? 0) ^ 1)
    await assert.rejects(context.step(forged), { name: 'MechanismError', reason: 'refused' })
    context.close()
  })

  test('a ticket is delegated to a service that the realm trusts, and only if that is wanted (A304)', async () => {
    await using delegating = mechanismsHere({ delegation: 'whenTrusted' })
    const identity = { kind: 'tickets', cache: tickets } as const
    const cases = [
      [delegating, 'HTTP@trusted.lull.test', true],
      [delegating, 'HTTP@localhost', false],
      [mechanisms, 'HTTP@trusted.lull.test', false],
    ] as const
    for (const [from, targetName, isDelegated] of cases) {
      const context = await openContext(from, identity, { targetName })
      acceptor.renew()
      assert.equal((await acceptor.accept(await firstToken(context))).isDelegated, isDelegated)
      context.close()
    }
  })

  test("our SPNEGO with Kerberos inside is what MIT's acceptor negotiates", async () => {
    const context = await openContext(mechanisms, password('alice'))
    const negotiation = new SpnegoInitiator(
      [{ id: mechanismIds.kerberos, open: async () => context }],
      true,
    )
    acceptor.renew()
    const { token, isComplete, user } = await acceptor.accept(await firstToken(negotiation))
    assert.deepEqual([isComplete, user], [true, `alice@${realm}`])
    assert(token !== undefined)
    assert((await negotiation.step(token)).complete)
    negotiation.close()
  })
})
