import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Acceptor } from '../acceptor.ts'
import { converse, openSession, request } from '../conversation.suite.ts'
import type { Credentials, PasswordCredentials } from '../credentials.ts'
import { MechanismError } from '../error.ts'
import type { ContextRequest, Mechanisms } from '../mechanism.ts'
import type { Handshake } from '../scheme.ts'
import { Secret } from '../secret.ts'
import { nodeHashes, noMechanisms, testWorld } from '../world.suite.ts'
import { NtlmContext } from './context.ts'
import { NtlmInitiator } from './initiator.ts'
import { ntlmAcceptor } from './ntlm-server.ts'
import { ntlmScheme } from './ntlm.ts'
import { computeNtHash } from './password-keys.ts'
import { encodeBase64 } from '../base64.ts'
import { base64, v31, v51Binding } from './vectors.suite.ts'

const world = testWorld({
  settings: { workstation: 'COMPUTER' },
  randomBytes: [new Uint8Array(8).fill(0xaa)],
})

const peer = new URL('http://server.domain.example/')
const page = request('GET', 'http://server.domain.example/page', { channelBinding: v51Binding })

function password(userName: string, word: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

function handshake(credentials: Credentials = password('Domain\\User', 'Password')): Handshake {
  return openSession(ntlmScheme, { credentials, peer, world }).begin()
}

function server(): Acceptor {
  const ntHash = computeNtHash(new TextEncoder().encode('Password'))
  return ntlmAcceptor(
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
    },
    testWorld({ randomBytes: [base64('ASNFZ4mrze8=')] }),
  )
}

test('ntlmScheme sends the header lines of V31 (A230)', async () => {
  const outcome = await converse(handshake(), server(), page)
  assert.deepEqual(outcome, {
    kind: 'granted',
    text: 'Domain\\User',
    sent: [
      undefined,
      'NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==',
      `NTLM ${encodeBase64(v31.authenticate)}`,
    ],
  })
})

test('ntlmScheme proves a connection once, and the next request carries nothing (A231)', async () => {
  const [client, acceptor] = [handshake(), server()]
  await converse(client, acceptor, page)
  const next = await converse(client, acceptor, page)
  assert.deepEqual([next.kind, next.sent], ['granted', [undefined]])
})

test('ntlmScheme begins a new connection with the first leg, once NTLM was wanted (A361)', async () => {
  const session = openSession(ntlmScheme, {
    credentials: password('Domain\\User', 'Password'),
    peer,
    world,
  })
  await converse(session.begin(), server(), page)
  const again = await converse(session.begin(), server(), page)
  assert.deepEqual([again.kind, again.sent.length], ['granted', 2])
})

test('ntlmScheme proves itself again when the server has forgotten the connection', async () => {
  const client = handshake()
  await converse(client, server(), page)
  const again = await converse(client, server(), page)
  assert.deepEqual([again.kind, again.sent.length], ['granted', 3])
})

test('ntlmScheme keeps the body at home until the last leg (A232, A420)', async () => {
  const client = handshake()
  const none = new Map<string, string>()
  const first = await client.answer({ scheme: 'ntlm', parameters: none }, page)
  assert.ok(first.kind === 'send' && !first.canSucceed)
  const token68 = encodeBase64(v31.challenge)
  const last = await client.answer({ scheme: 'ntlm', parameters: none, token68 }, page)
  assert.ok(last.kind === 'send' && last.canSucceed)
})

test('ntlmScheme gives up after one refusal, with one try of the password (A135, A233)', async () => {
  const outcome = await converse(handshake(password('Domain\\User', 'wrong')), server(), page)
  assert.deepEqual([outcome.kind, outcome.sent.length], ['refused', 3])
})

test('ntlmScheme gives up after one try also where the first leg was unasked', async () => {
  const session = openSession(ntlmScheme, {
    credentials: password('Domain\\User', 'wrong'),
    peer,
    world,
  })
  await converse(session.begin(), server(), page)
  const again = await converse(session.begin(), server(), page)
  assert.deepEqual([again.kind, again.sent.length], ['refused', 2])
})

test('ntlmScheme does not send its first leg again where nobody asked for it', async () => {
  const session = openSession(ntlmScheme, {
    credentials: password('Domain\\User', 'Password'),
    peer,
    world,
  })
  await converse(session.begin(), server(), page)
  const client = session.begin()
  const first = await client.prepare(page)
  assert.ok(first !== undefined)
  assert.deepEqual(await client.accept({ status: 200, fields: [] }), { kind: 'done' })
  assert.equal(await client.prepare(page), undefined)
})

test('ntlmScheme sends nothing before it was asked, not even with the switch of A86 (A386)', async () => {
  assert.equal(await handshake().prepare(page), undefined)
  assert.equal(await handshake().prepare(page, true), undefined)
})

test('ntlmScheme takes any final status for success (A139)', async () => {
  const [client, acceptor] = [handshake(), server()]
  const none = new Map<string, string>()
  await client.answer({ scheme: 'ntlm', parameters: none }, page)
  const token68 = encodeBase64(v31.challenge)
  await client.answer({ scheme: 'ntlm', parameters: none, token68 }, page)
  assert.deepEqual(await client.accept({ status: 404, fields: [] }), { kind: 'done' })
  assert.equal(await client.prepare(page), undefined, 'the connection is authenticated')
  assert.equal((await acceptor.receive(undefined, page)).kind, 'challenged')
})

test('ntlmScheme goes on with the server’s legs after a proxy asked in between (A125)', async () => {
  const client = handshake()
  const none = new Map<string, string>()
  await client.answer({ scheme: 'ntlm', parameters: none }, page)
  await client.accept({ status: 407, fields: [] })
  const token68 = encodeBase64(v31.challenge)
  const last = await client.answer({ scheme: 'ntlm', parameters: none, token68 }, page)
  assert.equal(last.kind, 'send')
})

test('ntlmScheme refuses servers that break the protocol', async () => {
  const none = new Map<string, string>()
  const challenge = encodeBase64(v31.challenge)
  for (const [why, tokens] of [
    ['CHALLENGE before NEGOTIATE', [challenge]],
    ['no base64', [undefined, '%%%']],
    ['no CHALLENGE', [undefined, 'AAAA']],
    ['the bare challenge again', [undefined, undefined]],
    ['CHALLENGE again after the proof', [undefined, challenge, challenge]],
    ['and again', [undefined, challenge, challenge, challenge]],
  ] as const) {
    const client = handshake()
    let last = ''
    for (const token68 of tokens) {
      const answer = await client.answer(
        { scheme: 'ntlm', parameters: none, ...(token68 === undefined ? {} : { token68 }) },
        page,
      )
      last = answer.kind
    }
    assert.equal(last, 'refused', why)
  }
})

test('ntlmScheme accepts a password or who is logged on, and nothing else (A2, A50)', () => {
  assert.ok(ntlmScheme.accepts(password('u', 'p'), 'proxy'))
  assert.ok(ntlmScheme.accepts({ kind: 'implicit' }, 'server'))
  assert.ok(!ntlmScheme.accepts({ kind: 'tickets', cache: 'FILE:x' }, 'server'))
})

test('ntlmScheme is unable without MD5 and without a mechanism of the platform (A430)', () => {
  const fips = { ...nodeHashes, has: () => false }
  for (const [credentials, decided] of [
    [password('u', 'p'), testWorld({ hashes: fips })],
    [{ kind: 'implicit' }, testWorld()],
  ] as const) {
    const opened = ntlmScheme.open({ credentials, peer, target: 'server', world: decided })
    assert.equal('kind' in opened && opened.kind, 'unable')
  }
})

/** A platform that knows who is logged on: the same NTLM, behind the port. */
function loggedOn(requests: ContextRequest[]): Mechanisms {
  return {
    unavailable: (mechanism) => (mechanism === 'ntlm' ? undefined : 'not here'),
    async open(request) {
      const { signal: _, ...asked } = request
      requests.push(asked)
      const identity = { user: 'User', domain: 'Domain', password: Secret.fromText('Password') }
      const { channelBinding } = asked
      const binding = channelBinding === undefined ? {} : { channelBinding }
      const targetName = 'HTTP/server.domain.example'
      const options = { identity, targetName, integrity: false, ...binding }
      return new NtlmContext(new NtlmInitiator(options, testWorld()))
    },
  }
}

test('ntlmScheme lets the platform prove who is logged on (A50, A271)', async () => {
  const requests: ContextRequest[] = []
  const session = openSession(ntlmScheme, {
    credentials: { kind: 'implicit' },
    peer,
    world: testWorld({ mechanisms: loggedOn(requests) }),
  })
  const outcome = await converse(session.begin(), server(), page)
  assert.equal(outcome.text, 'Domain\\User')
  assert.deepEqual(requests, [
    {
      mechanism: 'ntlm',
      identity: { kind: 'implicit' },
      targetName: 'HTTP@server.domain.example',
      mutual: false,
      integrity: false,
      channelBinding: v51Binding,
    },
  ])
})

test('ntlmScheme is unable or refused as the platform says', async () => {
  for (const reason of ['unable', 'refused'] as const) {
    const mechanisms: Mechanisms = {
      ...noMechanisms,
      unavailable: () => undefined,
      open: () => Promise.reject(new MechanismError('ERR_TEST', 'No such luck', { reason })),
    }
    const session = openSession(ntlmScheme, {
      credentials: { kind: 'implicit' },
      world: testWorld({ mechanisms }),
    })
    const outcome = await converse(session.begin(), server(), page)
    assert.deepEqual([outcome.kind, outcome.text], [reason, 'No such luck'])
  }
})
