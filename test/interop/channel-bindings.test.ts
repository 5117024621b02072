/** Proofs that count on one channel only, for servers that want nothing else (A400 to A406). */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { connect, createServer } from 'node:tls'
import type { CertificateFiles } from '../lab/authority.ts'
import { cannotCurl, curl } from '../lab/curl.ts'
import { EpaServer } from '../lab/epa.ts'
import { realm } from '../lab/kdc.ts'
import { cannotServe, Lab } from '../lab/lab.ts'
import { NTLM_USER, USER } from '../lab/people.ts'
import { pairsFor, type ProofName } from '../lab/proofs.ts'
import { Visitor } from '../lab/visitor.ts'

const hashes = ['sha256', 'sha384'] as const

const proofs: readonly {
  readonly name: string
  readonly scheme: 'NTLM' | 'Negotiate'
  readonly proof: ProofName
  readonly user: string
}[] = [
  { name: 'NTLM', scheme: 'NTLM', proof: 'ntlm', user: NTLM_USER },
  {
    name: 'Negotiate with Kerberos',
    scheme: 'Negotiate',
    proof: 'kerberos',
    user: `${USER}@${realm}`,
  },
  { name: 'Negotiate with NTLM', scheme: 'Negotiate', proof: 'negotiate-ntlm', user: NTLM_USER },
]

suite('servers that require channel bindings', { skip: cannotServe }, () => {
  let lab: Lab
  let visitor: Visitor
  let stranger: CertificateFiles
  let servers: ReadonlyMap<(typeof hashes)[number], EpaServer>

  before(async () => {
    lab = await Lab.start()
    lab.apache.serve('file', 'for who is not bound')
    const keytab = await lab.kdc.keytab('epa.keytab', ['HTTP/localhost'])
    stranger = await lab.authority.issue({ name: 'man-in-the-middle', use: 'server' })
    const starting = hashes.map(async (hash) => {
      const certificate = await lab.authority.issue({ name: hash, use: 'server', hash })
      const kerberos = lab.kdc.environment
      return [hash, await EpaServer.start({ certificate, hash, keytab, kerberos })] as const
    })
    servers = new Map(await Promise.all(starting))
    visitor = new Visitor(lab.authority.cert, { ...lab.kdc.environment, KRB5CCNAME: lab.tickets })
  })

  after(async () => {
    await visitor[Symbol.asyncDispose]()
    for (const server of servers.values()) await server[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  function urlOf(hash: (typeof hashes)[number], scheme: 'NTLM' | 'Negotiate'): string {
    const server = servers.get(hash)
    assert(server !== undefined)
    return server.url(scheme)
  }

  for (const { name, scheme, proof, user } of proofs) {
    for (const hash of hashes) {
      test(`${name} is bound to a certificate that is signed with ${hash}`, async () => {
        const visit = { pairs: pairsFor('server', proof, 'right') }
        const { status, bytes } = await visitor.get(urlOf(hash, scheme), visit)
        assert.deepEqual([status, String(bytes)], [200, user])
      })
    }

    test(`${name} is worth nothing to a man in the middle, whatever certificate is believed (A404)`, async () => {
      const url = urlOf('sha256', scheme)
      await using middle = await Middle.start(stranger, Number(new URL(url).port))
      const visit = { pairs: pairsFor('server', proof, 'right') }
      const { status } = await visitor.get(url.replace(/:\d+/u, `:${middle.port}`), visit)
      assert.equal(status, 401)
    })

    test(`${name} with a wrong password is refused`, async () => {
      const visit = { pairs: pairsFor('server', proof, 'wrong') }
      assert.equal((await visitor.get(urlOf('sha256', scheme), visit)).status, 401)
    })
  }

  test(
    'a client that binds to nothing is refused: the server does require it',
    { skip: cannotCurl },
    async () => {
      const env = { KRB5_CONFIG: lab.kdc.config, KRB5CCNAME: lab.tickets }
      const args = ['--cacert', lab.authority.cert, '--negotiate', '-u', ':']
      assert.equal(await curl([...args, urlOf('sha256', 'Negotiate')], env), 401)
      assert.equal(await curl([...args, lab.apache.url('https', 'kerberos', 'file')], env), 200)
    },
  )
})

/** Takes TLS apart and makes it anew: it reads all that is said, and passes it on as it is. */
class Middle implements AsyncDisposable {
  readonly #server: ReturnType<typeof createServer>
  readonly #sockets = new Set<Socket>()

  private constructor(certificate: CertificateFiles, to: number) {
    const [cert, key] = [readFileSync(certificate.cert), readFileSync(certificate.key)]
    this.#server = createServer({ cert, key }, (client) => {
      const server = connect({ host: '127.0.0.1', port: to, rejectUnauthorized: false })
      for (const socket of [client, server]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
      }
      client.pipe(server).pipe(client)
    })
  }

  static async start(certificate: CertificateFiles, to: number): Promise<Middle> {
    const middle = new Middle(certificate, to)
    middle.#server.listen(0, '127.0.0.1')
    await once(middle.#server, 'listening')
    return middle
  }

  get port(): number {
    // Never a path: it listens on a port.
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
