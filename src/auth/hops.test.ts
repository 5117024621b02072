import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Acceptor } from './acceptor.ts'
import type { AuthTarget, SchemeName } from './auth.ts'
import { Authenticator } from './authenticator.ts'
import { basicAcceptor } from './basic-server.ts'
import { request } from './conversation.suite.ts'
import { digestAcceptor } from './digest/digest-server.ts'
import { ntlmAcceptor } from './ntlm/ntlm-server.ts'
import { computeNtHash } from './ntlm/password-keys.ts'
import type { RequestFacts, ResponseFacts } from './scheme.ts'
import { Secret } from './secret.ts'
import { testWorld } from './world.suite.ts'

const world = testWorld()
const users = new Map([['u', Secret.fromText('p')]])

const ntlm = () =>
  ntlmAcceptor(
    {
      names: { nbComputerName: 'S', nbDomainName: 'D', dnsComputerName: 's.d', dnsDomainName: 'd' },
      ntHashOf: () => computeNtHash(new TextEncoder().encode('p')),
      accepts: ['v2'],
      hasTimestamp: true,
      hasSessionSecurity: true,
      bindingPolicy: 'ignore',
    },
    world,
  )

/** A proxy in front of a server of plain http, on one connection. */
class Network {
  /** What arrived, message by message: what the proxy was told, and what the server was told. */
  readonly heard: string[] = []
  readonly #proxy: Acceptor
  readonly #server: Acceptor
  readonly #facts: Readonly<Record<AuthTarget, RequestFacts>>

  constructor(
    proxy: Acceptor,
    server: Acceptor,
    facts: Readonly<Record<AuthTarget, RequestFacts>>,
  ) {
    this.#proxy = proxy
    this.#server = server
    this.#facts = facts
  }

  async ask(toProxy: string | undefined, toServer: string | undefined): Promise<ResponseFacts> {
    this.heard.push(`${summary(toProxy)} | ${summary(toServer)}`)
    const passage = await this.#proxy.receive(toProxy, this.#facts.proxy)
    if (passage.kind === 'challenged') return asking(407, 'Proxy-Authenticate', passage.challenges)
    const reception = await this.#server.receive(toServer, this.#facts.server)
    const response =
      reception.kind === 'challenged'
        ? asking(401, 'WWW-Authenticate', reception.challenges)
        : { status: 200, fields: reception.fields }
    const fromProxy = passage.fields.map(([name, value]) => [`Proxy-${name}`, value] as const)
    return { ...response, fields: [...response.fields, ...fromProxy] }
  }
}

function asking(status: number, name: string, challenges: readonly string[]): ResponseFacts {
  return { status, fields: challenges.map((value) => [name, value] as const) }
}

/** `Digest 2` for the second use of a nonce, `NTLM 1` and `NTLM 3` for the types of messages. */
function summary(header: string | undefined): string {
  if (header === undefined) return '-'
  const [scheme = '', token = ''] = header.split(' ')
  if (scheme === 'Digest')
    return `Digest ${Number.parseInt(/nc=(\w+)/.exec(header)?.[1] ?? '', 16)}`
  return scheme === 'NTLM' ? `NTLM ${Buffer.from(token, 'base64')[8] ?? 0}` : scheme
}

function authenticator(target: AuthTarget, scheme: SchemeName): Authenticator {
  const credentials = { kind: 'password', userName: 'u', password: Secret.fromText('p') } as const
  const peer = new URL(target === 'proxy' ? 'http://proxy.example:3128/' : 'http://server.example/')
  return new Authenticator({
    situation: { target, peer, isForeign: false },
    wallet: { pairs: [{ target, scheme, credentials }] },
    world,
  })
}

/** The two loops of A440, one around the other, and neither knows the other. */
async function send(
  network: Network,
  { server, proxy }: Readonly<Record<AuthTarget, Authenticator>>,
  facts: Readonly<Record<AuthTarget, RequestFacts>>,
): Promise<number> {
  using toServer = server.begin()
  let serverSend = await toServer.prepare(facts.server)
  for (;;) {
    using toProxy = proxy.begin()
    let proxySend = await toProxy.prepare(facts.proxy)
    let response = await network.ask(proxySend?.header, serverSend?.header)
    while (response.status === 407) {
      const step = await toProxy.challenged(response, facts.proxy)
      if (step.kind !== 'send') return 407
      proxySend = step
      response = await network.ask(proxySend.header, serverSend?.header)
    }
    await toProxy.accepted(response)
    if (response.status !== 401) {
      await toServer.accepted(response)
      return response.status
    }
    const step = await toServer.challenged(response, facts.server)
    if (step.kind !== 'send') return 401
    serverSend = step
  }
}

const connection = {}
const server = request('GET', 'http://server.example/file', { connection })
const proxy = { ...server, requestTarget: 'http://server.example/file' }

const rows = [
  {
    why: 'U3, A125: NTLM to the server through a proxy with Digest',
    schemes: ['digest', 'ntlm'],
    makeProxy: () => digestAcceptor({ realm: 'p', users }, world),
    makeServer: ntlm,
    heard: ['- | -', 'Digest 1 | -', 'Digest 2 | NTLM 1', 'Digest 3 | NTLM 3', 'Digest 4 | -'],
  },
  {
    why: 'A125: a stale nonce of the proxy between two legs repeats the leg',
    schemes: ['digest', 'ntlm'],
    makeProxy: () => digestAcceptor({ realm: 'p', users, nonceUses: 2 }, world),
    makeServer: ntlm,
    heard: [
      '- | -',
      'Digest 1 | -',
      'Digest 2 | NTLM 1',
      'Digest 3 | NTLM 3',
      'Digest 1 | NTLM 3',
      'Digest 2 | -',
    ],
  },
  {
    why: 'A125: the next nonce of the proxy begins at one',
    schemes: ['digest', 'ntlm'],
    makeProxy: () => digestAcceptor({ realm: 'p', users, nextNonceAfter: 2 }, world),
    makeServer: ntlm,
    heard: ['- | -', 'Digest 1 | -', 'Digest 2 | NTLM 1', 'Digest 1 | NTLM 3', 'Digest 2 | -'],
  },
  {
    why: 'U3: Digest on both sides, each with its own uri (A223)',
    schemes: ['digest', 'digest'],
    makeProxy: () => digestAcceptor({ realm: 'p', users }, world),
    makeServer: () => digestAcceptor({ realm: 's', users }, world),
    heard: ['- | -', 'Digest 1 | -', 'Digest 2 | Digest 1', 'Digest 3 | Digest 2'],
  },
  {
    why: 'U4, A127: the password of the proxy goes with every leg of the server',
    schemes: ['basic', 'ntlm'],
    makeProxy: () => basicAcceptor({ realm: 'p', check: () => true }),
    makeServer: ntlm,
    heard: ['- | -', 'Basic | -', 'Basic | NTLM 1', 'Basic | NTLM 3', 'Basic | -'],
  },
  {
    why: 'A128: NTLM on both sides of one connection, the proxy first (A122)',
    schemes: ['ntlm', 'ntlm'],
    makeProxy: ntlm,
    makeServer: ntlm,
    heard: ['- | -', 'NTLM 1 | -', 'NTLM 3 | -', '- | NTLM 1', '- | NTLM 3', '- | -'],
  },
] as const

test('two authenticators, one for each hop, do not know each other (A121)', async (t) => {
  for (const { why, schemes, makeProxy, makeServer, heard } of rows) {
    await t.test(why, async () => {
      const facts = { server, proxy }
      const network = new Network(makeProxy(), makeServer(), facts)
      const own = {
        proxy: authenticator('proxy', schemes[0]),
        server: authenticator('server', schemes[1]),
      }
      assert.equal(await send(network, own, facts), 200)
      assert.equal(await send(network, own, facts), 200)
      assert.deepEqual(network.heard, heard)
    })
  }
})
