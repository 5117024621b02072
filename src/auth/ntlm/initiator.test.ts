import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { PasswordCredentials } from '../credentials.ts'
import type { Hashes } from '../crypto.ts'
import { formatHex } from '../hex.ts'
import { Secret } from '../secret.ts'
import type { AuthSettings } from '../settings.ts'
import { nodeHashes, testWorld, type WorldOptions } from '../world.suite.ts'
import { NtlmAcceptor, type NtlmAcceptorOptions } from './acceptor.ts'
import {
  clientChallengeOf,
  decodeAuthenticateMessage,
  encodeAuthenticateMessage,
  withMic,
} from './authenticate-message.ts'
import { avIds, findAvPair } from './av-pairs.ts'
import { decodeChallengeMessage, encodeChallengeMessage } from './challenge-message.ts'
import { NtlmContext } from './context.ts'
import { hasFlag, withoutFlags } from './flags.ts'
import { ntlmIdentity, NtlmInitiator, type NtlmInitiatorOptions } from './initiator.ts'
import { computeNtHash, computeNtlmv2Key } from './password-keys.ts'
import { decodeUtf16 } from './text.ts'
import { hex, v28, v31, v32, v51Binding } from './vectors.suite.ts'

const identity = { user: 'User', domain: 'Domain', password: Secret.fromText('Password') }
const options: NtlmInitiatorOptions = {
  identity,
  targetName: 'HTTP/server.domain.example',
  channelBinding: v51Binding,
  integrity: false,
}
const clientRandom = [new Uint8Array(8).fill(0xaa), new Uint8Array(16).fill(0x55)]

interface Decided extends WorldOptions {
  readonly settings?: Partial<AuthSettings>
}

function initiator(changes: Partial<NtlmInitiatorOptions> = {}, decided: Decided = {}) {
  return new NtlmInitiator(
    { ...options, ...changes },
    testWorld({
      randomBytes: clientRandom,
      ...decided,
      settings: { workstation: 'COMPUTER', ...decided.settings },
    }),
  )
}

const ntHash = computeNtHash(new TextEncoder().encode('Password'))

const accepting: NtlmAcceptorOptions = {
  names: {
    nbComputerName: 'SERVER',
    nbDomainName: 'DOMAIN',
    dnsComputerName: 'server.domain.example',
    dnsDomainName: 'domain.example',
  },
  ntHashOf: (user) => (user.toLowerCase() === 'user' ? ntHash : undefined),
  accepts: ['v2'],
  hasTimestamp: true,
  hasSessionSecurity: true,
  bindingPolicy: 'require',
  channelBinding: v51Binding,
}

function acceptor(changes: Partial<NtlmAcceptorOptions> = {}): NtlmAcceptor {
  return new NtlmAcceptor(
    { ...accepting, ...changes },
    testWorld({ randomBytes: [hex('0123456789abcdef')] }),
  )
}

/** Exchanges the three messages; the last may be changed on its way. */
function exchange(
  client: NtlmInitiator,
  server: NtlmAcceptor,
  change: (authenticate: Uint8Array) => Uint8Array = (bytes) => bytes,
): readonly Uint8Array[] {
  const negotiate = client.step(undefined).token ?? hex('')
  const challenge = server.step(negotiate).token ?? hex('')
  const authenticate = client.step(challenge).token ?? hex('')
  assert.ok(server.step(change(authenticate)).complete)
  return [negotiate, challenge, authenticate]
}

test('both sides together write the messages of V31, MIC and channel binding included', () => {
  const server = acceptor()
  const messages = exchange(initiator(), server)
  assert.deepEqual(messages, [v31.negotiate, v31.challenge, v31.authenticate])
  assert.deepEqual(server.peer, {
    user: 'User',
    domain: 'Domain',
    workstation: 'COMPUTER',
    kind: 'v2',
    hasMic: true,
    isBound: true,
    targetName: 'HTTP/server.domain.example',
  })
})

test('both sides together write the messages of V32 when messages are to be signed (A285)', () => {
  const messages = exchange(initiator({ integrity: true }), acceptor())
  assert.deepEqual(messages, [v32.negotiate, v32.challenge, v32.authenticate])
})

test('NtlmInitiator sends nobody anonymously (V33)', () => {
  const client = initiator({ identity: { user: '', domain: '', password: Secret.fromText('') } })
  client.step(undefined)
  const message = decodeAuthenticateMessage(client.step(v31.challenge).token ?? hex(''))
  assert.ok(hasFlag(message.flags, 'anonymous'))
  assert.deepEqual(message.ntResponse, hex(''))
  assert.deepEqual(message.lmResponse, hex('00'))
  assert.equal(message.userName + message.domainName, '')
})

test('NtlmInitiator takes a name with a blank password for somebody (A15)', () => {
  const client = initiator({ identity: { ...identity, password: Secret.fromText('') } })
  client.step(undefined)
  const message = decodeAuthenticateMessage(client.step(v31.challenge).token ?? hex(''))
  assert.ok(!hasFlag(message.flags, 'anonymous'))
  assert.equal(message.lmResponse.length, 24)
})

test('the keys and the MIC of Windows 7 follow from the password (V28)', () => {
  const password = new TextEncoder().encode('P@ssw0rd')
  const hash = computeNtHash(password)
  assert.equal(formatHex(hash), 'e19ccf75ee54e06b06a5907af13cef42')
  const key = computeNtlmv2Key(hash, 'Administrator', 'WS2008R2', nodeHashes)
  assert.equal(formatHex(key), '22fe5b1bc73d136282aef78e70c8dd58')
  const { ntResponse, mic } = decodeAuthenticateMessage(v28.authenticate)
  const { serverChallenge } = decodeChallengeMessage(v28.challenge)
  const proof = nodeHashes.hmac('md5', key, serverChallenge, ntResponse.subarray(16))
  assert.equal(formatHex(proof), '5a6a21ae1a44c044693eee59fc5d81e0')
  const session = nodeHashes.hmac('md5', key, proof)
  assert.equal(formatHex(session), '9bd3f8be97c125f9e2f02bb60eb53ec7')
  const unsigned = withMic(v28.authenticate)
  assert.deepEqual(nodeHashes.hmac('md5', session, v28.negotiate, v28.challenge, unsigned), mic)
})

test('decodeAuthenticateMessage() reads the pairs of Windows 7 in their order (A249, V28)', () => {
  const { ntResponse } = decodeAuthenticateMessage(v28.authenticate)
  const pairs = clientChallengeOf(ntResponse)?.targetInfo ?? []
  assert.deepEqual(
    pairs.map(({ id }) => id),
    [2, 1, 4, 3, 5, 7, 6, 8, 10, 9],
  )
  assert.equal(
    decodeUtf16(findAvPair(pairs, avIds.targetName) ?? hex('')),
    'HTTP/dc-ws2008r2.ws2008r2.local',
  )
})

test('NtlmInitiator overrules what a server writes into the pairs of the client (A249)', () => {
  const honest = decodeChallengeMessage(v31.challenge)
  const forged = encodeChallengeMessage({
    ...honest,
    targetInfo: [
      { id: avIds.channelBindings, value: new Uint8Array(16).fill(7) },
      { id: avIds.targetName, value: hex('4100') },
      { id: avIds.flags, value: hex('01000000') },
      ...(honest.targetInfo ?? []),
    ],
  })
  const client = initiator()
  client.step(undefined)
  const { ntResponse } = decodeAuthenticateMessage(client.step(forged).token ?? hex(''))
  const pairs = clientChallengeOf(ntResponse)?.targetInfo ?? []
  assert.deepEqual(
    pairs.map(({ id }) => id),
    [2, 1, 4, 3, 7, 6, 10, 9],
  )
  assert.deepEqual(findAvPair(pairs, avIds.flags), hex('03000000'), 'constrained stays, MIC added')
  assert.equal(
    formatHex(findAvPair(pairs, avIds.channelBindings) ?? hex('')),
    'a192be30e7e4599ddb12ef6a8b433a14',
  )
})

test('NtlmInitiator sends zeros without a channel and its own time without the server’s (A247, A249)', () => {
  const server = acceptor({ hasTimestamp: false, bindingPolicy: 'allow' })
  const { channelBinding: _, ...unbound } = options
  const client = new NtlmInitiator(unbound, testWorld({ randomBytes: clientRandom }))
  const [, , authenticate] = exchange(client, server)
  const message = decodeAuthenticateMessage(authenticate ?? hex(''))
  const said = clientChallengeOf(message.ntResponse)
  assert.deepEqual(said?.timestamp, hex('00c08976453cda01'))
  assert.deepEqual(findAvPair(said?.targetInfo ?? [], avIds.channelBindings), new Uint8Array(16))
  assert.equal(message.mic, undefined, 'A248: no MIC')
  assert.notDeepEqual(message.lmResponse, new Uint8Array(24), 'LMv2')
  assert.deepEqual([server.peer?.isBound, server.peer?.hasMic], [false, false])
})

test('NtlmInitiator binds to the channel also where nothing signs its messages (A405)', () => {
  const server = acceptor({ hasTimestamp: false })
  exchange(initiator(), server)
  assert.deepEqual([server.peer?.isBound, server.peer?.hasMic], [true, false])
})

/** A clock that is slow by this. */
function behind(byMs: number): Decided {
  return { now: () => testWorld().clock.now() - byMs }
}

test('NtlmInitiator says the time of the server, so that clocks may differ by more than servers bear (A247, A252)', () => {
  const hours = 3_600_000
  const maximumLifetimeMs = 36 * hours
  exchange(initiator({}, behind(40 * hours)), acceptor({ maximumLifetimeMs }))
  // A server that does not say its time is told ours.
  const silent = { maximumLifetimeMs, hasTimestamp: false }
  exchange(initiator({}, behind(35 * hours)), acceptor(silent))
  for (const byMs of [37 * hours, -37 * hours]) {
    assert.throws(() => exchange(initiator({}, behind(byMs)), acceptor(silent)), {
      code: 'ERR_NTLM_LOGON',
    })
  }
})

test('NtlmInitiator sends an empty list where there is no target information (A253)', () => {
  const honest = decodeChallengeMessage(v31.challenge)
  const client = initiator()
  client.step(undefined)
  const old = encodeChallengeMessage({
    flags: withoutFlags(honest.flags, 'targetInfo'),
    targetName: 'NT4',
    serverChallenge: honest.serverChallenge,
  })
  const { ntResponse } = decodeAuthenticateMessage(client.step(old).token ?? hex(''))
  assert.deepEqual(clientChallengeOf(ntResponse)?.targetInfo, [])
})

test('both sides agree at every level that the acceptor lets in (A57)', async () => {
  for (const [level, hasSessionSecurity, kind] of [
    [0, true, 'v1'],
    [1, false, 'v1'],
    [1, true, 'session'],
    [2, false, 'v1'],
    [2, true, 'session'],
    [3, true, 'v2'],
    [4, false, 'v2'],
    [5, true, 'v2'],
  ] as const) {
    for (const integrity of [false, true]) {
      const client = new NtlmContext(
        initiator({ integrity }, { settings: { lmCompatibilityLevel: level } }),
      )
      const party = acceptor({
        accepts: ['v1', 'session', 'v2'],
        hasSessionSecurity,
        bindingPolicy: 'ignore',
      })
      await agree(client, new NtlmContext(party), integrity)
      assert.equal(party.peer?.kind, kind, `level ${level}`)
    }
  }
})

async function agree(client: NtlmContext, server: NtlmContext, integrity: boolean): Promise<void> {
  const negotiate = await client.step(undefined)
  const challenge = await server.step(negotiate.token)
  const authenticate = await client.step(challenge.token)
  await server.step(authenticate.token)
  assert.equal(client.hasIntegrity, integrity)
  if (!integrity) return
  const message = new TextEncoder().encode('signed')
  assert.ok(await server.verify(message, await client.sign(message)))
  assert.ok(await client.verify(message, await server.sign(message)))
}

test('NtlmInitiator is unable where policy or server leave no way', () => {
  const honest = decodeChallengeMessage(v32.challenge)
  for (const [why, changes, settings, challenge, code] of [
    [
      'A251: 128 bit required and not offered',
      {},
      { ntlmRequires128: true },
      { ...honest, flags: withoutFlags(honest.flags, 'key128') },
      'ERR_NTLM_WEAK_KEYS',
    ],
    [
      'A250: messages are to be signed, and the server has no name',
      { integrity: true },
      {},
      {
        ...honest,
        targetInfo: (honest.targetInfo ?? []).filter(({ id }) => id !== avIds.nbComputerName),
      },
      'ERR_NTLM_TARGET_INFO',
    ],
  ] as const) {
    const client = initiator(changes, { settings })
    client.step(undefined)
    assert.throws(
      () => client.step(encodeChallengeMessage(challenge)),
      { code, reason: 'unable' },
      why,
    )
  }
})

test('NtlmInitiator takes one challenge, and only after its first message', () => {
  assert.throws(() => initiator().step(v31.challenge), { code: 'ERR_NTLM_STATE' })
  const client = initiator()
  client.step(undefined)
  assert.throws(() => client.step(undefined), { code: 'ERR_NTLM_STATE' })
  client.step(v31.challenge)
  assert.throws(() => client.step(v31.challenge), { code: 'ERR_NTLM_STATE' })
})

test('NtlmAcceptor refuses what does not prove enough', () => {
  const other = Secret.fromText('password')
  for (const [why, client, changes, change] of [
    ['a wrong password', { identity: { ...identity, password: other } }, {}, undefined],
    ['an unknown user', { identity: { ...identity, user: 'Nobody' } }, {}, undefined],
    ['an older response', {}, { accepts: ['v1'] }, undefined],
    ['a bit of the MIC', {}, {}, 72],
    ['a bit of the proof', {}, {}, 0x94],
    ['a bit of the binding', {}, {}, 0x15e],
    ['another channel', { channelBinding: hex('00') }, {}, undefined],
    [
      'another channel, bindings optional',
      { channelBinding: hex('00') },
      { bindingPolicy: 'allow' },
      undefined,
    ],
    [
      'nobody',
      { identity: { user: '', domain: '', password: Secret.fromText('') } },
      {},
      undefined,
    ],
  ] as const) {
    assert.throws(
      () =>
        exchange(initiator(client), acceptor(changes), (bytes) =>
          change === undefined ? bytes : bytes.with(change, (bytes[change] ?? 0) ^ 1),
        ),
      { code: 'ERR_NTLM_LOGON', reason: 'refused' },
      why,
    )
  }
  const { channelBinding: _, ...unbound } = options
  assert.throws(
    () => exchange(new NtlmInitiator(unbound, testWorld()), acceptor()),
    { code: 'ERR_NTLM_LOGON' },
    'no channel where one is required',
  )
})

function withShortKey(bytes: Uint8Array): Uint8Array {
  const message = decodeAuthenticateMessage(bytes)
  return encodeAuthenticateMessage({ ...message, encryptedRandomSessionKey: hex('00') })
}

test('NtlmAcceptor refuses a session key that is none', () => {
  assert.throws(() => exchange(initiator({ integrity: true }), acceptor(), withShortKey), {
    code: 'ERR_NTLM_SESSION_KEY',
  })
})

test('NtlmInitiator leaves no key behind (A163, A164)', async () => {
  const seen: Uint8Array[] = []
  const watching: Hashes = {
    ...nodeHashes,
    hash(algorithm, ...parts) {
      seen.push(...parts.filter(({ length }) => length === 16))
      return nodeHashes.hash(algorithm, ...parts)
    },
    hmac(algorithm, key, ...parts) {
      seen.push(key)
      return nodeHashes.hmac(algorithm, key, ...parts)
    },
  }
  for (const lmCompatibilityLevel of [1, 3] as const) {
    const party = initiator(
      { integrity: true },
      { hashes: watching, settings: { lmCompatibilityLevel } },
    )
    const client = new NtlmContext(party)
    await client.step(undefined)
    await client.step(v32.challenge)
    await client.sign(hex('00'))
    client.close()
    assert.ok(seen.length >= 4, 'keys were seen')
    for (const key of seen) assert.deepEqual(key, new Uint8Array(key.length))
    assert.equal(identity.password.isWiped, false, 'the password stays its owner’s')
    await assert.rejects(client.sign(hex('00')), { code: 'ERR_NTLM_STATE' })
  }
})

function named(userName: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText('x') }
}

test('ntlmIdentity() splits names as A235 and A236 say', () => {
  for (const [userName, user, domain] of [
    ['DOM\\user', 'user', 'DOM'],
    ['DOM\\user@x', 'user@x', 'DOM'],
    ['\\user', 'user', ''],
    ['user', 'user', 'DEFAULT'],
    ['user@dns.name', 'user@dns.name', ''],
    ['', '', ''],
  ] as const) {
    const found = ntlmIdentity(named(userName), { defaultDomain: 'DEFAULT' })
    assert.deepEqual([found.user, found.domain], [user, domain], userName)
  }
})
