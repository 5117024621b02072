import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { FailureError } from '../job/failure.ts'
import { directRoute, type Routes } from '../job/route.ts'
import { certificateFlags } from '../job/security-flags.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { LIST_MS } from './certificate/revocation-lists.ts'
import { needsOpenssl, type Identity } from './certificates.suite.ts'
import { MAX_LIST_BYTES } from './fetch-list.ts'
import type { HttpClient, HttpRequest } from './http.ts'
import { RevokingAuthority, type ListOptions } from './revoking.suite.ts'
import { closedPort, fetchText, makeClient, ok, serve, type RawServer } from './servers.suite.ts'

const { checkRevocation, ignoreAuthority, ignoreName } = certificateFlags

const REVOKED = 'ERROR_WINHTTP_SECURE_CERT_REVOKED'
const UNKNOWN = 'ERROR_WINHTTP_SECURE_CERT_REV_FAILED'

/** A server of lists that can be changed: text, or bytes that are served with 200. */
class ListServer {
  readonly server: RawServer
  readonly #bodies: Map<string, Uint8Array | string>

  private constructor(server: RawServer, bodies: Map<string, Uint8Array | string>) {
    this.server = server
    this.#bodies = bodies
  }

  static async start(t: TestContext): Promise<ListServer> {
    const bodies = new Map<string, Uint8Array | string>()
    const server = await serve(t, (peer, target) => {
      const body = bodies.get(target)
      if (body === undefined) return peer.say(ok('', '').replace('200', '404'))
      if (typeof body === 'string') {
        peer.say(body)
        if (body.includes('Connection: close')) peer.hangUp()
        return
      }
      peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
      peer.socket.write(body)
    })
    return new ListServer(server, bodies)
  }

  put(path: string, body: Uint8Array | string): void {
    this.#bodies.set(path, body)
  }

  url(path: string): string {
    return `${this.server.url}${path}`
  }

  /** How often lists were asked for. */
  get asked(): number {
    return this.server.targets.length
  }
}

interface Scene {
  readonly authority: RevokingAuthority
  readonly lists: ListServer
  readonly client: HttpClient
  /** What becomes of a request to a server with this certificate. */
  readonly ask: (identity: Identity, more?: Partial<HttpRequest>) => Promise<string>
}

async function makeScene(t: TestContext, authority = new RevokingAuthority(t)): Promise<Scene> {
  const lists = await ListServer.start(t)
  const client = makeClient(t)
  const ask = async (identity: Identity, more: Partial<HttpRequest> = {}): Promise<string> => {
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const request = { caFile: authority.file, securityFlags: checkRevocation, ...more }
    const outcome = await outcomeOf(fetchText(client, server.url, request))
    assert.equal(server.targets.length, outcome === 'in' ? 1 : 0)
    return outcome
  }
  return { authority, lists, client, ask }
}

async function outcomeOf(exchange: Promise<{ readonly text: string }>): Promise<string> {
  try {
    return (await exchange).text
  } catch (error) {
    if (!(error instanceof FailureError)) throw error
    assert.equal(error.failure.severity, 'fatal')
    return error.failure.symbol
  }
}

/** A list of a part of what its issuer has issued. */
function scoped(more: string): string {
  return `issuingDistributionPoint=critical,@point\n[point]\n${more}`
}

describe('checking for revocation', { skip: needsOpenssl }, () => {
  test('exchange() lets in who is not in the list, keeps it, and refuses who is (A79)', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const url = lists.url('/ca.crl')
    const [good, bad] = [authority.issue({ lists: [url] }), authority.issue({ lists: [url] })]
    authority.revoke(bad.cert)
    lists.put('/ca.crl', authority.list())
    assert.equal(await ask(good), 'in')
    assert.equal(await ask(good), 'in')
    assert.equal(await ask(bad), REVOKED)
    assert.equal(lists.asked, 1)
    assert.equal(await ask(bad, { securityFlags: 0 }), 'in')
    assert.equal(await ask(bad, { securityFlags: checkRevocation | ignoreName }), REVOKED)
    assert.equal(await ask(bad, { securityFlags: ignoreName }), 'in')
  })

  test('exchange() is not led astray by a list that somebody else got from the same address', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const another = new RevokingAuthority(t)
    const url = lists.url('/ca.crl')
    const [own, theirs] = [authority.issue({ lists: [url] }), another.issue({ lists: [url] })]
    lists.put('/ca.crl', another.list())
    assert.equal(await ask(theirs, { caFile: another.file }), 'in')
    lists.put('/ca.crl', authority.list())
    assert.equal(await ask(own), 'in')
    assert.equal(lists.asked, 2)
  })

  test('exchange() says whose certificate was revoked, and where that stands', async (t) => {
    const { authority, lists, client } = await makeScene(t)
    const url = lists.url('/ca.crl')
    const bad = authority.issue({ lists: [url] })
    authority.revoke(bad.cert)
    lists.put('/ca.crl', authority.list())
    const server = await serve(t, (peer) => peer.say(ok('in')), bad)
    const more = { caFile: authority.file, securityFlags: checkRevocation }
    await assert.rejects(fetchText(client, server.url, more), {
      message: `Cannot trust localhost: its certificate was revoked; "CN=leaf" is in the list at ${url}`,
    })
  })

  const past = '20200101000000Z'
  const future = '21000101000000Z'

  /** What a list says, by what becomes of a certificate that is not in it. */
  const rows: readonly (readonly [what: string, options: (url: string) => ListOptions, outcome: string])[] = [ // prettier-ignore
    ['a list in PEM', () => ({ form: 'PEM' }), 'in'],
    ['a list that has expired', () => ({ from: past, to: '20200102000000Z' }), UNKNOWN],
    ['a list of tomorrow', () => ({ from: future, to: '21000102000000Z' }), UNKNOWN],
    ['the list of its distribution point', (url) => ({ extensions: scoped(`fullname=URI:${url}`) }), 'in'],
    ['the list of another one', () => ({ extensions: scoped('fullname=URI:http://other/ca.crl') }), UNKNOWN],
    ['a list of users', () => ({ extensions: scoped('onlyuser=TRUE') }), 'in'],
    ['a list of authorities', () => ({ extensions: scoped('onlyCA=TRUE') }), UNKNOWN],
    ['a list of attributes', () => ({ extensions: scoped('onlyAA=TRUE') }), UNKNOWN],
    ['a list with those of others', () => ({ extensions: scoped('indirectCRL=TRUE') }), UNKNOWN],
    ['a list of some reasons', () => ({ extensions: scoped('onlysomereasons=keyCompromise') }), UNKNOWN],
    ['a list of what has changed', () => ({ extensions: '2.5.29.27=critical,DER:020101' }), UNKNOWN],
    ['a list with something critical that nobody knows', () => ({ extensions: '1.2.3.4=critical,DER:0500' }), UNKNOWN],
    ['a list with something else that nobody knows', () => ({ extensions: '1.2.3.4=DER:0500' }), 'in'],
  ] // prettier-ignore

  for (const [what, options, outcome] of rows) {
    test(`exchange() makes ${outcome} of ${what} (RFC 5280 §6.3.3)`, async (t) => {
      const { authority, lists, ask } = await makeScene(t)
      const url = lists.url('/ca.crl')
      const good = authority.issue({ lists: [url] })
      lists.put('/ca.crl', authority.list(options(url)))
      assert.equal(await ask(good), outcome)
    })
  }

  const impostors: readonly (readonly [string, (t: TestContext) => Uint8Array | string])[] = [
    ['of another authority of the same name', (t) => new RevokingAuthority(t).list()],
    ['with no list in it', () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['with nothing in it', () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['that breaks off', () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n'],
    ['that is not there', () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'],
    ['that wants a password', () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'],
    ['that is too long', () => `HTTP/1.1 200 OK\r\nContent-Length: ${MAX_LIST_BYTES + 1}\r\n\r\n`],
  ]

  for (const [what, body] of impostors) {
    test(`exchange() refuses an answer ${what}, and does not keep it`, async (t) => {
      const { authority, lists, ask } = await makeScene(t)
      const good = authority.issue({ lists: [lists.url('/ca.crl')] })
      const list = authority.list()
      lists.put('/ca.crl', body(t))
      assert.equal(await ask(good), UNKNOWN)
      lists.put('/ca.crl', list)
      assert.equal(await ask(good), 'in')
    })
  }

  test('exchange() fails where the server of the list cannot be reached', async (t) => {
    const { authority, ask } = await makeScene(t)
    const url = `http://127.0.0.1:${await closedPort()}/ca.crl`
    assert.equal(await ask(authority.issue({ lists: [url] })), UNKNOWN)
  })

  for (const [what, lists] of [
    ['names no list', 'none'],
    ['names one over https alone', ['https://127.0.0.1/ca.crl']],
    ['names one in a directory alone', ['ldap://127.0.0.1/cn=ca']],
  ] as const) {
    test(`exchange() fails where a certificate ${what}`, async (t) => {
      const { authority, ask } = await makeScene(t)
      assert.equal(await ask(authority.issue({ lists })), UNKNOWN)
    })
  }

  test('exchange() asks at the next address where one does not help', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const urls = ['ldap://x/y', lists.url('/gone'), lists.url('/ca.crl')]
    const good = authority.issue({ lists: urls })
    lists.put('/ca.crl', authority.list())
    assert.equal(await ask(good), 'in')
  })

  test('exchange() follows a list to where it has moved', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const good = authority.issue({ lists: [lists.url('/old')] })
    const location = `Location: ${lists.url('/new')}\r\nContent-Length: 0\r\n\r\n`
    lists.put('/old', `HTTP/1.1 301 Moved Permanently\r\n${location}`)
    lists.put('/new', authority.list())
    assert.equal(await ask(good), 'in')
  })

  test('exchange() goes for a list the way that the job goes, wherever that leads', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const url = lists.url('/ca.crl')
    lists.put('/ca.crl', authority.list())
    const asked: string[] = []
    const routes: Routes = {
      find: ({ href }) => {
        asked.push(href)
        return directRoute
      },
      failed: () => undefined,
    }
    assert.equal(await ask(authority.issue({ lists: [url] }), { routes }), 'in')
    assert.equal(asked[1], url)
  })

  test('exchange() tells a proxy on the way to a list what the job tells proxies itself, and the server of the list nothing', async (t) => {
    const { authority, lists, ask } = await makeScene(t)
    const list = authority.list()
    lists.put('/ca.crl', list)
    const proxy = await serve(t, (peer) => {
      if (!/\nproxy-authorization: Basic eA==\r/iu.test(peer.requests.at(-1) ?? '')) {
        return peer.say('HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n')
      }
      peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${list.length}\r\n\r\n`)
      peer.socket.write(list)
    })
    const hop = { scheme: 'http', host: '127.0.0.1', port: proxy.port } as const
    const through: Routes = {
      find: ({ origin }) => (origin.startsWith('http:') ? [hop] : directRoute),
      failed: () => undefined,
    }
    const headers = [['Proxy-Authorization', 'Basic eA==']] as const
    const url = lists.url('/ca.crl')
    const [one, other] = [
      authority.issue({ lists: [url] }),
      authority.issue({ lists: [`${url}?`] }),
    ]
    assert.equal(await ask(one, { headers, routes: through }), 'in')
    lists.put('/ca.crl?', list)
    assert.equal(await ask(other, { headers }), 'in')
    assert.equal(lists.asked, 1)
    const heads = lists.server.peers.flatMap(({ requests }) => requests)
    for (const head of heads) assert.doesNotMatch(head, /proxy-authorization/iu)
  })

  test('exchange() gives a list up that does not come in time', async (t) => {
    const clock = new TurnedClock()
    const authority = new RevokingAuthority(t)
    const lists = await serve(t, () => clock.turn(LIST_MS))
    const identity = authority.issue({ lists: [`${lists.url}/ca.crl`] })
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const more = { caFile: authority.file, securityFlags: checkRevocation }
    const asked = fetchText(makeClient(t, clock), server.url, { ...more, stallTimeoutMs: 60_000 })
    assert.equal(await outcomeOf(asked), UNKNOWN)
  })

  test('exchange() asks about the authorities in between, each in the list of the one above', async (t) => {
    const { authority: root, lists, ask } = await makeScene(t)
    const [kept, lost] = [root.below(t, [lists.url('/1')]), root.below(t, [lists.url('/2')])]
    lists.put('/1', root.list())
    root.revoke(lost.pem)
    lists.put('/2', root.list())
    const good = kept.issue({ lists: [lists.url('/3')] })
    lists.put('/3', kept.list())
    const bad = kept.issue({ lists: [lists.url('/4')] })
    kept.revoke(bad.cert)
    lists.put('/4', kept.list())
    lists.put('/5', lost.list())
    assert.equal(await ask(good), 'in')
    assert.equal(await ask(bad), REVOKED)
    assert.equal(await ask(lost.issue({ lists: [lists.url('/5')] })), REVOKED)
    // Worse than what nobody can say.
    assert.equal(await ask(lost.issue({ lists: [lists.url('/gone')] })), REVOKED)
    assert.equal(await ask(kept.issue({ lists: [lists.url('/gone')] })), UNKNOWN)
  })

  test('exchange() asks nobody about an authority that is trusted, or lets any pass', async (t) => {
    const { authority: root, lists, ask } = await makeScene(t)
    const middle = root.below(t)
    const good = middle.issue({ lists: [lists.url('/middle.crl')] })
    lists.put('/middle.crl', middle.list())
    // The root says nothing of the one below.
    assert.equal(await ask(good), UNKNOWN)
    assert.equal(await ask(good, { caFile: middle.file, securityFlags: checkRevocation | ignoreAuthority }), 'in') // prettier-ignore
  })

  for (const [kind, more] of [
    ['ec', []],
    ['rsa', []],
    ['rsa', ['-sigopt', 'rsa_padding_mode:pss', '-md', 'sha256']],
    ['ed25519', []],
  ] as const) {
    test(`exchange() verifies lists that are signed with ${kind} ${more.join(' ')}`, async (t) => {
      const scene = await makeScene(t, new RevokingAuthority(t, kind))
      const { authority, lists, ask } = scene
      const good = authority.issue({ lists: [lists.url('/ca.crl')] })
      const list = authority.list({ more })
      // The last octet is the signature's.
      const forged = Buffer.from(list)
      forged.writeUInt8((forged.at(-1) ?? 0) ^ 1, forged.length - 1)
      lists.put('/ca.crl', forged)
      assert.equal(await ask(good), UNKNOWN)
      lists.put('/ca.crl', list)
      assert.equal(await ask(good), 'in')
    })
  }

  test('exchange() believes no list that is signed with SHA-1', async (t) => {
    const { authority, lists, ask } = await makeScene(t, new RevokingAuthority(t, 'rsa'))
    const good = authority.issue({ lists: [lists.url('/ca.crl')] })
    lists.put('/ca.crl', authority.list({ more: ['-md', 'sha1'] }))
    assert.equal(await ask(good), UNKNOWN)
  })
})
