import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Acceptor } from './acceptor.ts'
import type { SchemeName } from './auth.ts'
import { Authenticator } from './authenticator.ts'
import { request } from './conversation.suite.ts'
import type { CredentialPair } from './credentials.ts'
import type { Exchange } from './exchange.ts'
import { ntlmAcceptor } from './ntlm/ntlm-server.ts'
import { computeNtHash } from './ntlm/password-keys.ts'
import type { RequestFacts, ResponseFacts, Send } from './scheme.ts'
import { Secret } from './secret.ts'
import { nodeHashes, testWorld, type WorldOptions } from './world.suite.ts'

/** A connection to a server that wants NTLM, and what went over it. */
class Connection {
  readonly sent: ('nothing' | 'negotiate' | 'authenticate')[] = []
  readonly #acceptor: Acceptor = ntlmAcceptor(
    {
      names: { nbComputerName: 'S', nbDomainName: 'D', dnsComputerName: 's.d', dnsDomainName: 'd' },
      ntHashOf: () => computeNtHash(new TextEncoder().encode('right')),
      accepts: ['v2'],
      hasTimestamp: true,
      hasSessionSecurity: true,
      bindingPolicy: 'ignore',
    },
    testWorld(),
  )
  readonly facts: RequestFacts = request('GET', 'http://server.example/', { connection: this })

  async ask(send: Send | undefined): Promise<ResponseFacts> {
    const header = send?.header
    // The type of an NTLM message is its ninth octet, in the twelfth character of base64.
    this.sent.push(
      header === undefined
        ? 'nothing'
        : header.startsWith('NTLM TlRMTVNTUAAB')
          ? 'negotiate'
          : 'authenticate',
    )
    const reception = await this.#acceptor.receive(header, this.facts)
    return reception.kind === 'granted'
      ? { status: 200, fields: reception.fields }
      : {
          status: 401,
          fields: reception.challenges.map((value) => ['WWW-Authenticate', value] as const),
        }
  }
}

function pair(scheme: SchemeName, word = 'right'): CredentialPair {
  const credentials = { kind: 'password', userName: 'u', password: Secret.fromText(word) } as const
  return { target: 'server', scheme, credentials }
}

function authenticator(
  pairs: readonly CredentialPair[],
  options: WorldOptions = {},
): Authenticator {
  const peer = new URL('http://server.example/')
  return new Authenticator({
    situation: { target: 'server', peer, isForeign: false },
    wallet: { pairs },
    world: testWorld(options),
  })
}

/** Sends one request over one connection. */
async function run(exchange: Exchange, connection: Connection): Promise<number | string> {
  let send = await exchange.prepare(connection.facts)
  for (;;) {
    const response = await connection.ask(send)
    if (response.status !== 401) {
      await exchange.accepted(response)
      exchange.close()
      return response.status
    }
    const step = await exchange.challenged(response, connection.facts)
    if (step.kind !== 'send') {
      exchange.close()
      return step.kind === 'failed' ? step.reason : assert.fail('no detour here')
    }
    send = step
  }
}

test('Authenticator proves a connection once, and begins the next one with the first leg (A360, A361)', async () => {
  const own = authenticator([pair('ntlm')])
  const [first, second] = [new Connection(), new Connection()]
  for (const connection of [first, first, first, second, second]) {
    assert.equal(await run(own.begin(), connection), 200)
  }
  assert.deepEqual(first.sent, ['nothing', 'negotiate', 'authenticate', 'nothing', 'nothing'])
  assert.deepEqual(second.sent, ['negotiate', 'authenticate', 'nothing'])
})

test('Authenticator says that a connection belongs to whom it proves (A360)', async () => {
  const own = authenticator([pair('ntlm')])
  const connection = new Connection()
  const exchange = own.begin()
  assert.equal(exchange.bindsConnection, false)
  await exchange.challenged(await connection.ask(undefined), connection.facts)
  assert.equal(exchange.bindsConnection, true)
  exchange.close()
})

test('Authenticator begins anew when the connection is lost between the legs, once (A135, A362)', async () => {
  const own = authenticator([pair('ntlm')])
  const [lost, kept, late] = [new Connection(), new Connection(), new Connection()]
  const exchange = own.begin()
  await exchange.prepare(lost.facts)
  const first = await exchange.challenged(await lost.ask(undefined), lost.facts)
  assert.ok(first.kind === 'send')
  await exchange.challenged(await lost.ask(first), lost.facts)

  const again = await exchange.prepare(kept.facts)
  const second = await exchange.challenged(await kept.ask(again), kept.facts)
  assert.ok(second.kind === 'send')
  const response = await kept.ask(second)
  assert.equal(response.status, 200)
  assert.deepEqual(kept.sent, ['negotiate', 'authenticate'])

  assert.equal(await exchange.prepare(late.facts), undefined)
  const step = await exchange.challenged(await late.ask(undefined), late.facts)
  assert.equal(step.kind, 'failed')
  exchange.close()
})

test('Authenticator proves itself again when the server has forgotten the connection', async () => {
  const own = authenticator([pair('ntlm')])
  const connection = new Connection()
  await run(own.begin(), connection)
  const forgetful = new Connection()
  const exchange = own.begin()
  assert.equal(await exchange.prepare(connection.facts), undefined)
  const step = await exchange.challenged(await forgetful.ask(undefined), connection.facts)
  assert.ok(step.kind === 'send')
  const last = await exchange.challenged(await forgetful.ask(step), connection.facts)
  assert.ok(last.kind === 'send')
  assert.equal((await forgetful.ask(last)).status, 200)
  exchange.close()
})

test('Authenticator shows a wrong password on one of many connections only (A133, A135)', async () => {
  const own = authenticator([pair('ntlm', 'wrong')])
  const connections = Array.from({ length: 6 }, () => new Connection())
  const outcomes = await Promise.all(connections.map((connection) => run(own.begin(), connection)))
  for (const outcome of outcomes) assert.equal(outcome, 'The server refused the credentials')
  const later = new Connection()
  await run(own.begin(), later)
  const proofs = [...connections, later]
    .flatMap(({ sent }) => sent)
    .filter((word) => word !== 'nothing')
  assert.deepEqual(proofs, ['negotiate', 'authenticate'])
})

test('Authenticator takes the next scheme where this machine cannot do the first (A136, A430)', async () => {
  const hashes = { ...nodeHashes, has: (algorithm: string) => algorithm !== 'md5' }
  const own = authenticator([pair('ntlm'), pair('basic')], { hashes })
  const exchange = own.begin()
  const { facts } = new Connection()
  const fields = [
    ['WWW-Authenticate', 'NTLM'],
    ['WWW-Authenticate', 'Basic realm="r"'],
  ] as const
  const step = await exchange.challenged({ status: 401, fields }, facts)
  assert.ok(step.kind === 'send')
  assert.equal(exchange.scheme, 'basic')
  assert.deepEqual(
    exchange.explanation.map(({ scheme, outcome }) => [scheme, outcome]),
    [
      ['Basic', 'chosen'],
      ['NTLM', 'passed over'],
    ],
  )
  exchange.close()
})
