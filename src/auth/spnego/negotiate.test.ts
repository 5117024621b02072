import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Acceptor } from '../acceptor.ts'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { converse, openSession, request } from '../conversation.suite.ts'
import type { Credentials, PasswordCredentials } from '../credentials.ts'
import { MechanismError } from '../error.ts'
import type { ContextRequest, MechanismContext, Mechanisms } from '../mechanism.ts'
import { acceptNtlm } from '../ntlm/ntlm-server.ts'
import { NtlmContext } from '../ntlm/context.ts'
import { NtlmInitiator } from '../ntlm/initiator.ts'
import { isNtlmMessage } from '../ntlm/message.ts'
import { computeNtHash } from '../ntlm/password-keys.ts'
import { hex, v31, v51Binding } from '../ntlm/vectors.suite.ts'
import type { Opening, Session } from '../scheme.ts'
import { Secret } from '../secret.ts'
import { noMechanisms, testWorld } from '../world.suite.ts'
import { mechanismIds } from './mechanism-ids.ts'
import {
  negotiateAcceptor,
  type AcceptingMechanism,
  type NegotiateAcceptorOptions,
} from './negotiate-server.ts'
import { negotiateScheme } from './negotiate.ts'
import { PretendAcceptor, PretendPlatform } from './pretend-kerberos.suite.ts'
import { decodeGssToken, decodeNegTokenInit, encodeNegTokenResp } from './tokens.ts'

const peer = new URL('http://server.domain.example/')
const page = request('GET', 'http://server.domain.example/page', { channelBinding: v51Binding })
const none = new Map<string, string>()

function password(userName: string, word: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

const alice = password('Domain\\User', 'Password')
const ntHash = computeNtHash(new TextEncoder().encode('Password'))

const ntlm: AcceptingMechanism = {
  id: mechanismIds.ntlm,
  open: ({ channelBinding = hex('') }) =>
    acceptNtlm(
      {
        names: {
          nbComputerName: 'SERVER',
          nbDomainName: 'DOMAIN',
          dnsComputerName: 'server.domain.example',
          dnsDomainName: 'domain.example',
        },
        ntHashOf: (user) => (user === 'User' ? ntHash : undefined),
        accepts: ['v2'],
        hasTimestamp: true,
        hasSessionSecurity: true,
        bindingPolicy: 'require',
        channelBinding,
      },
      testWorld({ randomBytes: [hex('0123456789abcdef')] }),
    ),
}

const kerberos: AcceptingMechanism = {
  id: mechanismIds.kerberos,
  open() {
    const context = new PretendAcceptor('key')
    return { context, user: () => context.user }
  },
}

function server(
  mechanisms: readonly AcceptingMechanism[],
  changes: Partial<NegotiateAcceptorOptions> = {},
): Acceptor {
  return negotiateAcceptor({ mechanisms, persists: true, ...changes })
}

function session(
  mechanisms: Mechanisms,
  credentials: Credentials = alice,
  changes: Partial<Opening> = {},
): Session {
  const world = testWorld({
    mechanisms,
    settings: { workstation: 'COMPUTER' },
    randomBytes: [new Uint8Array(8).fill(0xaa), new Uint8Array(16).fill(0x55)],
  })
  return openSession(negotiateScheme, { credentials, peer, world, ...changes })
}

/** A platform whose ticket server does not answer, until it does. */
class HangingPlatform extends PretendPlatform {
  hangs = true
  /** How many left while they waited. */
  left = 0

  override open(asked: ContextRequest): Promise<MechanismContext> {
    if (!this.hangs) return super.open(asked)
    const { promise, reject } = Promise.withResolvers<never>()
    asked.signal?.addEventListener('abort', () => {
      this.left++
      reject(new MechanismError('ERR_TEST_CLOSED', 'Cannot open: closed', { reason: 'unable' }))
    })
    return promise
  }
}

/** The token of a header as bytes. */
function tokenOf(header: string | undefined): Uint8Array {
  return decodeBase64(header?.split(' ')[1] ?? '') ?? hex('')
}

test('negotiateScheme proves itself with Kerberos in one leg, mutually (A270, A276)', async () => {
  const platform = new PretendPlatform('key')
  const outcome = await converse(session(platform).begin(), server([kerberos, ntlm]), page)
  assert.deepEqual([outcome.kind, outcome.text, outcome.sent.length], ['granted', 'alice@REALM', 2])
  assert.deepEqual(platform.requests, [
    {
      mechanism: 'kerberos',
      identity: alice,
      targetName: 'HTTP@server.domain.example',
      mutual: true,
      channelBinding: v51Binding,
    },
  ])
  const { inner } = decodeGssToken(tokenOf(outcome.sent[1]))
  assert.deepEqual(decodeNegTokenInit(inner).mechTypes, [mechanismIds.kerberos, mechanismIds.ntlm])
  assert.ok(platform.contexts.every(({ isClosed }) => isClosed))
})

test('negotiateScheme lets the peer choose between Kerberos and NTLM, for who is logged on too (A52, A282)', async () => {
  const both = new PretendPlatform('key')
  for (const [offers, mechanism] of [
    [[kerberos, ntlm], mechanismIds.kerberos],
    [[ntlm], mechanismIds.ntlm],
  ] as const) {
    const outcome = await converse(session(both).begin(), server(offers), page)
    assert.equal(outcome.kind, 'granted')
    const { inner } = decodeGssToken(tokenOf(outcome.sent[1]))
    const offered = decodeNegTokenInit(inner).mechTypes
    assert.deepEqual(offered, [mechanismIds.kerberos, mechanismIds.ntlm])
    assert.ok(offered.includes(mechanism))
    assert.equal(outcome.text, mechanism === mechanismIds.kerberos ? 'alice@REALM' : 'Domain\\User')
  }
  // As who is logged on it asks the platform, which knows whom that is, by its own SPNEGO or by Kerberos.
  const platform = new PretendPlatform('key')
  const implicit = session(platform, { kind: 'implicit' })
  await converse(implicit.begin(), server([kerberos]), page)
  assert.deepEqual(
    platform.requests.map(({ mechanism, identity }) => [mechanism, identity.kind]),
    [['kerberos', 'implicit']],
  )
})

test('negotiateScheme offers Kerberos alone to identities that NTLM cannot prove', async () => {
  const platform = new PretendPlatform('key')
  const tickets: Credentials = { kind: 'tickets', cache: 'FILE:/tmp/tickets' }
  const outcome = await converse(session(platform, tickets).begin(), server([kerberos]), page)
  const { inner } = decodeGssToken(tokenOf(outcome.sent[1]))
  assert.deepEqual(decodeNegTokenInit(inner).mechTypes, [mechanismIds.kerberos])
})

test('negotiateScheme finds out by one request whether connections stay proven, then proves every request unasked (A274)', async () => {
  const opened = session(new PretendPlatform('key'))
  const client = opened.begin()
  const acceptor = server([kerberos], { persists: false })
  const lengths: number[] = []
  for (const begins of [false, false, true, true]) {
    const { kind, sent } = await converse(client, acceptor, page)
    assert.equal(kind, 'granted')
    assert.equal(sent[0] !== undefined, begins)
    lengths.push(sent.length)
  }
  assert.deepEqual(lengths, [2, 2, 1, 1])
  const other = opened.begin()
  await converse(other, acceptor, page)
  assert.notEqual((await converse(other, acceptor, page)).sent[0], undefined)
})

test('negotiateScheme needs no second token where connections stay proven without a word (A274, A360)', async () => {
  const client = session(new PretendPlatform('key')).begin()
  const acceptor = server([kerberos], { persists: true })
  await converse(client, acceptor, page)
  for (let times = 0; times < 3; times++) {
    assert.deepEqual((await converse(client, acceptor, page)).sent, [undefined])
  }
})

test('negotiateScheme does not find out with a request that has a body (A275, A420)', async () => {
  const client = session(new PretendPlatform('key')).begin()
  await converse(client, server([kerberos], { persists: false }), page)
  const put = { ...page, method: 'PUT' }
  assert.notEqual((await client.prepare(put))?.header, undefined)
})

test('negotiateScheme believes Persistent-Auth, whatever the mechanism (A274)', async () => {
  for (const [why, mechanisms, persists, sent] of [
    ['Kerberos that stays', [kerberos], true, [undefined]],
    ['NTLM that does not', [ntlm], false, [true, true]],
  ] as const) {
    const client = session(new PretendPlatform('key')).begin()
    const acceptor = server(mechanisms, { persists, saysPersistence: true })
    await converse(client, acceptor, page)
    const next = await converse(client, acceptor, page)
    assert.equal(next.kind, 'granted', why)
    if (sent[0] === undefined) assert.deepEqual(next.sent, [undefined], why)
    else assert.ok(next.sent.length >= 2 && next.sent.every((header) => header !== undefined), why)
  }
})

test('negotiateScheme ignores other values of Persistent-Auth (A274)', async () => {
  const client = session(new PretendPlatform('key')).begin()
  await client.answer({ scheme: 'negotiate', parameters: none }, page)
  await client.accept({ status: 200, fields: [['Persistent-Auth', 'perhaps']] })
  assert.notEqual(await client.prepare({ ...page, method: 'PUT' }), undefined)
})

test('negotiateScheme sends raw NTLM where nothing else is possible (A285, V44)', async () => {
  const outcome = await converse(session(noMechanisms).begin(), server([ntlm]), page)
  assert.equal(outcome.text, 'Domain\\User')
  assert.deepEqual(outcome.sent, [
    undefined,
    'Negotiate TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==',
    `Negotiate ${encodeBase64(v31.authenticate)}`,
  ])
})

/** An acceptor that does not understand raw NTLM, as those with credentials for SPNEGO alone. */
function wrappedOnly(acceptor: Acceptor): Acceptor {
  return {
    receive: (credentials, asked) =>
      acceptor.receive(isNtlmMessage(tokenOf(credentials)) ? undefined : credentials, asked),
  }
}

test('negotiateScheme wraps NTLM for servers that do not understand it raw, and remembers', async () => {
  const opened = session(noMechanisms)
  const first = await converse(opened.begin(), wrappedOnly(server([ntlm])), page)
  assert.deepEqual([first.text, first.sent.length], ['Domain\\User', 4])
  const second = await converse(opened.begin(), wrappedOnly(server([ntlm])), page)
  assert.deepEqual([second.kind, second.sent.length], ['granted', 2])
})

test('negotiateScheme tries a password once, raw or wrapped (A135)', async () => {
  const opened = session(noMechanisms, password('Domain\\User', 'wrong'))
  const raw = await converse(opened.begin(), server([ntlm]), page)
  assert.deepEqual([raw.kind, raw.sent.length], ['refused', 3])
  const wrapped = await converse(opened.begin(), wrappedOnly(server([ntlm])), page)
  assert.equal(wrapped.kind, 'refused')
  const proofs = wrapped.sent.filter((header) => tokenOf(header).length > 200)
  assert.equal(proofs.length, 1)
})

test('negotiateScheme stays authenticated after NTLM (A274)', async () => {
  for (const mechanisms of [noMechanisms, new PretendPlatform('key')]) {
    const [client, acceptor] = [session(mechanisms).begin(), server([ntlm])]
    assert.equal((await converse(client, acceptor, page)).kind, 'granted')
    const next = await converse(client, acceptor, page)
    assert.deepEqual([next.kind, next.sent], ['granted', [undefined]])
  }
})

test('negotiateScheme goes over to NTLM inside SPNEGO when the server selects it (A282, A285)', async () => {
  const platform = new PretendPlatform('key')
  const outcome = await converse(session(platform).begin(), server([ntlm]), page)
  assert.equal(outcome.text, 'Domain\\User')
  assert.equal(outcome.sent.length, 4, 'bare, Kerberos, NEGOTIATE, AUTHENTICATE with MIC')
})

test('negotiateScheme uses NTLM when there is no ticket, and asks for one only a minute later', async () => {
  const platform = new PretendPlatform('key')
  platform.failure = new MechanismError('ERR_TEST', 'No ticket', { reason: 'unable' })
  let now = 1_704_067_200_000
  const world = testWorld({ mechanisms: platform, now: () => now })
  const opened = session(platform, alice, { world })
  for (const requests of [1, 1]) {
    const outcome = await converse(opened.begin(), server([ntlm]), page)
    assert.equal(outcome.kind, 'granted')
    assert.equal(platform.requests.length, requests)
  }
  now += 60_000
  await converse(opened.begin(), server([ntlm]), page)
  assert.equal(platform.requests.length, 2)
})

test('negotiateScheme asks for a ticket every time where nothing can do instead', async () => {
  const platform = new PretendPlatform('key')
  platform.failure = new MechanismError('ERR_TEST', 'No ticket', { reason: 'unable' })
  const opened = session(platform, { kind: 'tickets', cache: 'FILE:x' })
  const first = await converse(opened.begin(), server([kerberos]), page)
  assert.deepEqual(
    [first.kind, first.text],
    [
      'unable',
      'Cannot answer Negotiate: Kerberos: No ticket; ' +
        'NTLM: NTLM needs a user name and a password, or who is logged on',
    ],
  )
  platform.failure = undefined
  assert.equal((await converse(opened.begin(), server([kerberos]), page)).kind, 'granted')
})

test('negotiateScheme does not try a password with NTLM that Kerberos refused (A136, A311)', async () => {
  const platform = new PretendPlatform('key')
  platform.failure = new MechanismError('ERR_TEST', 'Wrong password', { reason: 'refused' })
  const opened = session(platform)
  const outcome = await converse(opened.begin(), server([kerberos, ntlm]), page)
  assert.deepEqual([outcome.kind, outcome.sent], ['refused', [undefined]])
  assert.equal(platform.requests.length, 1)
})

test('negotiateScheme tells at the challenge what failed unasked, without trying twice', async () => {
  const platform = new PretendPlatform('key')
  const opened = session(platform)
  await converse(opened.begin(), server([kerberos]), page)
  platform.failure = new MechanismError('ERR_TEST', 'Wrong password', { reason: 'refused' })
  const outcome = await converse(opened.begin(), server([kerberos, ntlm]), page)
  assert.deepEqual([outcome.kind, outcome.text], ['refused', 'Wrong password'])
  assert.equal(platform.requests.length, 2)
})

test('negotiateScheme renews a token that was sent unasked and refused, once (A137)', async () => {
  const platform = new PretendPlatform('key')
  const client = session(platform).begin()
  await converse(client, server([kerberos], { persists: false }), page)
  assert.ok((await client.prepare({ ...page, method: 'PUT' })) !== undefined)
  const bare = { scheme: 'negotiate', parameters: none }
  assert.equal((await client.answer(bare, page)).kind, 'send')
  assert.equal((await client.answer(bare, page)).kind, 'refused')
  assert.equal((await client.answer(bare, page)).kind, 'refused')
})

test('negotiateScheme gives up when its token is refused (A290)', async () => {
  const platform = new PretendPlatform('another key')
  const outcome = await converse(session(platform).begin(), server([kerberos]), page)
  assert.deepEqual([outcome.kind, outcome.sent.length], ['refused', 2])
})

test('negotiateScheme proves itself unasked with Kerberos only, and only when told to (A86, A386)', async () => {
  assert.equal(await session(new PretendPlatform('key')).begin().prepare(page), undefined)
  const send = await session(new PretendPlatform('key')).begin().prepare(page, true)
  assert.ok(send?.canSucceed)
  assert.equal(await session(noMechanisms).begin().prepare(page, true), undefined)
})

test('negotiateScheme keeps the body at home until a leg that can succeed (A275, A420)', async () => {
  const bare = { scheme: 'negotiate', parameters: none }
  const client = session(new PretendPlatform('key')).begin()
  const first = await client.answer(bare, page)
  assert.ok(first.kind === 'send' && first.canSucceed, 'an AP-REQ can succeed')
  const select = encodeNegTokenResp({ negState: 'request-mic', supportedMech: mechanismIds.ntlm })
  const second = await client.answer({ ...bare, token68: encodeBase64(select) }, page)
  assert.ok(second.kind === 'send' && !second.canSucceed, 'NEGOTIATE cannot')
  const raw = await session(noMechanisms).begin().answer(bare, page)
  assert.ok(raw.kind === 'send' && !raw.canSucceed, 'nor can raw NEGOTIATE')
})

/** Sends a request with Kerberos, and takes a success with these fields. */
async function succeed(
  fields: readonly (readonly [string, string])[],
  target: 'server' | 'proxy' = 'server',
): Promise<string> {
  const client = session(new PretendPlatform('key'), alice, { target }).begin()
  await client.answer({ scheme: 'negotiate', parameters: none }, page)
  const verdict = await client.accept({ status: 200, fields })
  return verdict.kind
}

test('negotiateScheme checks the token that comes with the success (A270, A276)', async () => {
  const hello = await new PretendPlatform('key').open({
    mechanism: 'kerberos',
    identity: alice,
    targetName: 'HTTP@x',
    mutual: true,
  })
  const peerContext = new PretendAcceptor('key')
  const { token: responseToken } = await peerContext.step((await hello.step(undefined)).token)
  assert.ok(responseToken !== undefined)
  const good = { negState: 'accept-completed', supportedMech: mechanismIds.kerberos } as const
  const right = `Negotiate ${encodeBase64(encodeNegTokenResp({ ...good, responseToken }))}`
  const forged = `Negotiate ${encodeBase64(
    encodeNegTokenResp({ ...good, responseToken: responseToken.with(20, 0) }),
  )}`
  const absent = `Negotiate ${encodeBase64(encodeNegTokenResp(good))}`
  const going = `Negotiate ${encodeBase64(encodeNegTokenResp({ ...good, negState: 'accept-incomplete' }))}`
  for (const [why, fields, target, kind] of [
    ['the right one', [['WWW-Authenticate', right]], 'server', 'done'],
    ['a forged one', [['WWW-Authenticate', forged]], 'server', 'refused'],
    ['one without proof', [['WWW-Authenticate', absent]], 'server', 'refused'],
    ['one that is not the last', [['WWW-Authenticate', going]], 'server', 'refused'],
    ['no SPNEGO', [['WWW-Authenticate', 'Negotiate AAAA']], 'server', 'refused'],
    ['no base64', [['WWW-Authenticate', 'Negotiate A']], 'server', 'refused'],
    ['none, which CONNECT has no room for', [], 'proxy', 'done'],
    ['of a proxy, as a challenge', [['Proxy-Authenticate', forged]], 'proxy', 'refused'],
    ['of a proxy, as information', [['Proxy-Authentication-Info', forged]], 'proxy', 'refused'],
    ['of a proxy, right', [['Proxy-Authentication-Info', right]], 'proxy', 'done'],
    ['of another target', [['WWW-Authenticate', forged]], 'proxy', 'done'],
  ] as const) {
    assert.equal(await succeed(fields, target), kind, why)
  }
})

test('negotiateScheme takes a hint for what it is (A281, A289, V45)', async () => {
  for (const [why, mechanisms, platform, sent, user] of [
    ['both', [kerberos, ntlm], new PretendPlatform('key'), 2, 'alice@REALM'],
    ['NTLM only: no token for Kerberos', [ntlm], new PretendPlatform('key'), 3, 'Domain\\User'],
  ] as const) {
    const acceptor = server(mechanisms, { hasHint: true })
    const outcome = await converse(session(platform).begin(), acceptor, page)
    assert.deepEqual([outcome.text, outcome.sent.length], [user, sent], why)
  }
  const nothing = server([{ ...ntlm, id: mechanismIds.negoEx }], { hasHint: true })
  const outcome = await converse(session(new PretendPlatform('key')).begin(), nothing, page)
  assert.equal(outcome.kind, 'unable')
})

test('negotiateScheme ignores a hint that it cannot read', async () => {
  const client = session(new PretendPlatform('key')).begin()
  const challenge = { scheme: 'negotiate', parameters: none, token68: 'AAAA' }
  assert.equal((await client.answer(challenge, page)).kind, 'send')
})

test('negotiateScheme ends after ten legs (A135)', async () => {
  const endless: Mechanisms = {
    unavailable: (mechanism) => (mechanism === 'negotiate' ? undefined : 'not here'),
    async open() {
      return {
        step: async () => ({ token: hex('60'), complete: false }),
        sign: async (message) => message,
        verify: async () => false,
        close: () => undefined,
      }
    },
  }
  const client = session(endless, { kind: 'implicit' }).begin()
  const challenge = { scheme: 'negotiate', parameters: none, token68: 'YAA=' }
  let legs = 0
  while ((await client.answer(challenge, page)).kind === 'send') legs++
  assert.equal(legs, 10)
})

test('negotiateScheme leaves who is logged on to the platform’s own SPNEGO without raw Kerberos', async () => {
  const platform: Mechanisms = {
    unavailable: (mechanism) => (mechanism === 'negotiate' ? undefined : 'not here'),
    async open() {
      const identity = { user: 'User', domain: 'Domain', password: Secret.fromText('Password') }
      const targetName = 'HTTP/server.domain.example'
      return new NtlmContext(
        new NtlmInitiator(
          { identity, targetName, channelBinding: v51Binding, integrity: false },
          testWorld(),
        ),
      )
    },
  }
  const client = session(platform, { kind: 'implicit' }).begin()
  const acceptor = server([ntlm])
  assert.equal((await converse(client, acceptor, page)).kind, 'granted')
  assert.deepEqual((await converse(client, acceptor, page)).sent, [undefined])
})

test('negotiateScheme accepts what a mechanism can prove, and nothing else', () => {
  for (const [credentials, accepts] of [
    [alice, true],
    [{ kind: 'implicit' }, true],
    [{ kind: 'keytab', principal: 'x', keytab: '/x' }, true],
    [{ kind: 'tickets', cache: 'FILE:x' }, true],
    [{ kind: 'bearer', token: Secret.fromText('x') }, false],
  ] as const) {
    assert.equal(negotiateScheme.accepts(credentials, 'server'), accepts, credentials.kind)
  }
})

test('negotiateScheme is unable, with both reasons, where no mechanism can be used', () => {
  const opened = negotiateScheme.open({
    credentials: { kind: 'implicit' },
    target: 'proxy',
    peer,
    world: testWorld(),
  })
  assert.deepEqual(opened, {
    kind: 'unable',
    reason:
      'Kerberos: No library for kerberos on this machine; NTLM: No library for ntlm on this machine',
  })
})

const switches = [
  [['kerberos'], 'proxy', ['NTLM']],
  [['ntlm'], 'proxy', [mechanismIds.kerberos]],
  [['basic', 'negotiate'], 'proxy', [mechanismIds.kerberos, mechanismIds.ntlm]],
  [['kerberos', 'ntlm'], 'server', [mechanismIds.kerberos, mechanismIds.ntlm]],
] as const

for (const [disabled, target, sent] of switches) {
  test(`negotiateScheme answers a ${target} with ${sent.length} mechanisms where ${disabled.join(' and ')} are not for proxies (N96)`, async () => {
    const mechanisms = new PretendPlatform('key')
    const world = testWorld({
      mechanisms,
      settings: { disableProxyAuthSchemes: disabled },
      randomBytes: [new Uint8Array(8).fill(0xaa), new Uint8Array(16).fill(0x55)],
    })
    const opened = session(mechanisms, alice, { target, world })
    const answer = await opened.begin().answer({ scheme: 'negotiate', parameters: none }, page)
    assert(answer.kind === 'send')
    const token = tokenOf(answer.header)
    const offered = isNtlmMessage(token)
      ? ['NTLM']
      : decodeNegTokenInit(decodeGssToken(token).inner).mechTypes
    assert.deepEqual(offered, sent)
  })
}

test('negotiateScheme is unable where neither of its mechanisms is for proxies, not even the platform’s own choice (N96)', () => {
  const mechanisms: Mechanisms = {
    unavailable: () => undefined,
    open: () => assert.fail('nothing is asked of the platform'),
  }
  const settings = { disableProxyAuthSchemes: ['kerberos', 'ntlm'] as const }
  const world = testWorld({ mechanisms, settings })
  const credentials = { kind: 'implicit' } as const
  const opened = negotiateScheme.open({ target: 'proxy', peer, credentials, world })
  assert.equal('kind' in opened ? opened.kind : 'opened', 'unable')
})

test('negotiateScheme lets go of a context that opens after the handshake was closed', async () => {
  const platform = new PretendPlatform('key')
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const slow: Mechanisms = {
    unavailable: (mechanism) => platform.unavailable(mechanism),
    async open(asked) {
      await promise
      return platform.open(asked)
    },
  }
  const client = session(slow).begin()
  const answer = client.answer({ scheme: 'negotiate', parameters: none }, page)
  client.close()
  resolve(undefined)
  assert.equal((await answer).kind, 'unable')
  assert.ok(platform.contexts.every(({ isClosed }) => isClosed))
})

test('negotiateScheme gives up the ticket that nobody waits for, and holds nothing against Kerberos for that', async () => {
  const hanging = new HangingPlatform('key')
  const own = session(hanging)
  const handshake = own.begin()
  const challenge = { scheme: 'negotiate', parameters: none }
  const answer = handshake.answer(challenge, page)
  handshake.close()
  assert.equal((await answer).kind, 'unable')
  assert.equal(hanging.left, 1)
  hanging.hangs = false
  const outcome = await converse(own.begin(), server([kerberos, ntlm]), page)
  assert.equal(outcome.text, 'alice@REALM')
})

test('negotiateScheme names the host as the URL does, without a last dot (A271, A272)', async () => {
  const platform = new PretendPlatform('key')
  const proxy = new URL('http://proxy.example.:3128/')
  const client = session(platform, alice, { target: 'proxy', peer: proxy }).begin()
  await client.answer({ scheme: 'negotiate', parameters: none }, page)
  assert.equal(platform.requests[0]?.targetName, 'HTTP@proxy.example')
})
