/**
 * Every scheme of a server behind every scheme of a proxy, over http and https, the proxy in clear text and over TLS:
 * Squid in front of Apache. Two proofs, one inside the other, of which neither knows the other (A121).
 */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { Hop } from '../../src/job/route.ts'
import type { Place } from '../lab/apache.ts'
import { Content } from '../lab/content.ts'
import { cannotProxyWith, cannotServe, Lab } from '../lab/lab.ts'
import { PassportServer } from '../lab/passport.ts'
import { pairsFor, type ProofKind, type ProofName } from '../lab/proofs.ts'
import { Relay } from '../lab/relay.ts'
import { proxySchemes, type ProxyDoor, type ProxyScheme } from '../lab/squid.ts'
import { Visitor, type Visit } from '../lab/visitor.ts'

const content = new Content(2, 400_000)

/** What a connection carries before it is cut: the legs of two schemes, and a part of the file. */
const CUT_AFTER_BYTES = 150_000

/** How the proxy is spoken to. */
const hops = ['http', 'https'] as const

/** How the server is spoken to. */
const doors = ['http', 'https'] as const

/** One proxy of the matrix. */
interface ProxyRow {
  readonly name: string
  /** Whose doors it has. */
  readonly squid: ProxyScheme
  readonly door: Readonly<Record<(typeof hops)[number], ProxyDoor>>
  readonly proof: ProofName
}

const asking = { http: 'http', https: 'https' } as const

const negotiateProxy: ProxyRow = {
  name: 'a Negotiate proxy',
  squid: 'negotiate',
  door: asking,
  proof: 'kerberos',
}

const proxies: readonly ProxyRow[] = [
  {
    name: 'a proxy that asks for nothing',
    squid: 'basic',
    door: { http: 'openHttp', https: 'openHttps' },
    proof: 'none',
  },
  { name: 'a Basic proxy', squid: 'basic', door: asking, proof: 'basic' },
  { name: 'a Digest proxy', squid: 'digest', door: asking, proof: 'digest' },
  { name: 'an NTLM proxy', squid: 'ntlm', door: asking, proof: 'ntlm' },
  negotiateProxy,
]

/** One server of the matrix. */
interface ServerRow {
  readonly name: string
  readonly place: Place
  readonly proof: ProofName
  /** Whether it wants a certificate besides; only over https. */
  readonly isCertified?: boolean
}

const plainServer: ServerRow = { name: 'no authentication', place: 'none', proof: 'none' }

const servers: readonly ServerRow[] = [
  plainServer,
  { name: 'Basic', place: 'basic', proof: 'basic' },
  { name: 'Digest', place: 'digest', proof: 'digest' },
  { name: 'NTLM', place: 'ntlm', proof: 'ntlm' },
  { name: 'Negotiate with Kerberos', place: 'kerberos', proof: 'kerberos' },
  { name: 'Negotiate with NTLM', place: 'negotiate', proof: 'negotiate-ntlm' },
  { name: 'a client certificate', place: 'none', proof: 'none', isCertified: true },
]

suite('servers behind proxies', { skip: cannotServe }, () => {
  let lab: Lab
  let visitor: Visitor

  before(async () => {
    lab = await Lab.start({ proxies: proxySchemes })
    lab.apache.serve('file', content.bytes())
    visitor = new Visitor(lab.authority.cert, { ...lab.kdc.environment, KRB5CCNAME: lab.tickets })
  })

  after(async () => {
    await visitor[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  function hopOf({ squid, door }: ProxyRow, scheme: (typeof hops)[number]): Hop & object {
    return { scheme, host: 'localhost', port: lab.squid(squid).port(door[scheme]) }
  }

  function visitOf(proxy: ProxyRow, server: ServerRow, kinds: Kinds = {}): Visit {
    const { proxy: proxyKind = 'right', server: serverKind = 'right' } = kinds
    const { cert, key } = lab.client
    return {
      pairs: [
        ...pairsFor('proxy', proxy.proof, proxyKind),
        ...pairsFor('server', server.proof, serverKind),
      ],
      ...(server.isCertified === true
        ? { certificate: { certificateFile: cert, keyFile: key } }
        : {}),
    }
  }

  function urlOf(server: ServerRow, door: (typeof doors)[number], name = 'file'): string {
    return lab.apache.url(server.isCertified === true ? 'certificate' : door, server.place, name)
  }

  for (const proxy of proxies) {
    suite(proxy.name, { skip: cannotProxyWith(proxy.squid) }, () => {
      for (const hop of hops) {
        const over = hop === 'https' ? 'spoken to over TLS' : 'spoken to in clear text'
        for (const server of servers) {
          for (const door of doors) {
            if (server.isCertified === true && door === 'http') continue
            const way = `${over}, leads to an ${door} server with ${server.name}`
            test(way, async () => {
              const visit = { ...visitOf(proxy, server), hop: hopOf(proxy, hop) }
              const { status, bytes } = await visitor.get(urlOf(server, door), visit)
              assert.equal(status, 200)
              assert(bytes.equals(content.bytes()))
            })

            test(`${way}, which takes what is put`, async () => {
              const file = [proxy.squid, proxy.proof, hop, server.name, door].join('-')
              const url = urlOf(server, door, encodeURIComponent(file))
              const visit = { ...visitOf(proxy, server), hop: hopOf(proxy, hop) }
              assert.equal((await visitor.put(url, content.bytes(), visit)).status, 201)
              assert(readFileSync(lab.apache.path(file)).equals(content.bytes()))
            })
          }
        }

        for (const door of doors) {
          if (proxy.proof === 'none') continue
          for (const [kind, expected] of refusedKinds(proxy)) {
            test(`${over}, lets nobody to an ${door} server with ${kind} credentials`, async () => {
              const given = visitOf(proxy, plainServer, { proxy: kind })
              const visit = { ...given, hop: hopOf(proxy, hop) }
              const file = `refused-${proxy.squid}-${hop}-${door}-${kind}`
              const url = urlOf(plainServer, door, file)
              assert.equal((await visitor.put(url, content.bytes(), visit)).status, expected[door])
              assert(!existsSync(lab.apache.path(file)))
            })
          }

          test(`${over}, does not make up for what an ${door} server refuses`, async () => {
            for (const server of servers.filter(({ proof }) => proof !== 'none')) {
              for (const kind of ['wrong', 'missing'] as const) {
                const given = visitOf(proxy, server, { server: kind })
                const visit = { ...given, hop: hopOf(proxy, hop) }
                const { status } = await visitor.get(urlOf(server, door), visit)
                assert.equal(status, 401, `${server.name}, ${kind}`)
              }
            }
          })
        }
      }

      for (const server of servers) {
        for (const door of doors) {
          if (server.isCertified === true && door === 'http') continue
          test(`cut off on the way to an ${door} server with ${server.name}, is asked for the rest`, async () => {
            const { port } = hopOf(proxy, 'http')
            await using relay = await Relay.start(port, CUT_AFTER_BYTES)
            const hop = { scheme: 'http', host: 'localhost', port: relay.port } as const
            const visit = { ...visitOf(proxy, server), hop }
            const { status, bytes, exchanges } = await visitor.resume(urlOf(server, door), visit)
            assert.deepEqual([status, exchanges], [206, 3])
            assert(bytes.equals(content.bytes()))
          })
        }
      }
    })
  }

  suite('Passport at an https server (A120 U1)', () => {
    for (const proxy of proxies) {
      for (const hop of hops) {
        const over = hop === 'https' ? 'over TLS' : 'in clear text'
        const skip = cannotProxyWith(proxy.squid)
        test(`signs in behind ${proxy.name} that is spoken to ${over}`, { skip }, async () => {
          const certificate = await lab.authority.issue({ name: 'passport', use: 'server' })
          await using server = await PassportServer.start(certificate)
          const visit = {
            pairs: [
              ...pairsFor('proxy', proxy.proof, 'right'),
              ...pairsFor('server', 'passport', 'right'),
            ],
            hop: hopOf(proxy, hop),
            settings: { passport: { nexusUrl: server.nexusUrl } },
          }
          const { status, bytes } = await visitor.get(`${server.url}/file`, visit)
          assert.deepEqual([status, String(bytes)], [200, '/file'])
        })
      }
    }
  })

  suite('who is logged on', { skip: cannotProxyWith('negotiate') }, () => {
    for (const door of doors) {
      test(`gets past the proxy, and so to an ${door} server that nothing was set for (A51)`, async () => {
        const visit = {
          pairs: pairsFor('proxy', 'kerberos', 'implicit'),
          hop: hopOf(negotiateProxy, 'http'),
        }
        const url = lab.apache.url(door, 'kerberos', 'file')
        assert.equal((await visitor.get(url, visit)).status, 200)
      })
    }
  })
})

/** What the job was given for each. */
interface Kinds {
  readonly proxy?: ProofKind
  readonly server?: ProofKind
}

/** What comes of credentials that the proxy does not take: its 407, or the failure of the way that was asked for. */
function refusedKinds({ proof }: ProxyRow): readonly (readonly [ProofKind, Refusal])[] {
  const refusal = { http: 407, https: 'BG_E_HTTP_ERROR_407' } as const
  const kinds = ['wrong', 'missing', 'implicit'] as const
  return kinds
    .filter((kind) => kind !== 'implicit' || proof !== 'kerberos')
    .map((kind) => [kind, refusal])
}

type Refusal = Readonly<Record<(typeof doors)[number], number | string>>
