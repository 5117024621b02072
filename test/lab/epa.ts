/**
 * An https server that takes nobody who is not bound to its certificate (RFC 5929 §4, extended protection), as Windows
 * servers can be told to: MIT's acceptor judges Kerberos, and gss-ntlmssp NTLM. Apache's modules look at no bindings.
 */

import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { CertificateFiles } from './authority.ts'
import { makeFolder, removeFolder } from './daemon.ts'
import { CHANNEL_BOUND, GssAcceptor, type Accepted, type AcceptorContext } from './kdc-acceptor.ts'
import { NTLM_DOMAIN, ntlmUser } from './people.ts'

/** What the server proves itself with, and whom it knows. */
export interface EpaOptions {
  readonly certificate: CertificateFiles
  /** With what the certificate is signed, and so what the channel is bound with. */
  readonly hash: 'sha256' | 'sha384'
  /** Keys of `HTTP/localhost`. */
  readonly keytab: string
  /** With `KRB5_CONFIG`. */
  readonly kerberos: Readonly<Record<string, string>>
}

/** A server of this process, with an acceptor in another; both are gone when it is disposed. */
export class EpaServer implements AsyncDisposable {
  readonly #server: Server
  readonly #folder: string
  readonly #acceptor: GssAcceptor
  readonly #binding: Uint8Array
  /** What was begun on each connection. */
  readonly #contexts = new WeakMap<Socket, AcceptorContext>()

  private constructor({ certificate, hash, keytab, kerberos }: EpaOptions) {
    const [cert, key] = [readFileSync(certificate.cert), readFileSync(certificate.key)]
    const digest = createHash(hash).update(new X509Certificate(cert).raw).digest()
    this.#binding = Buffer.concat([Buffer.from('tls-server-end-point:'), digest])
    this.#folder = makeFolder('epa')
    const users = join(this.#folder, 'ntlm.users')
    writeFileSync(users, ntlmUser())
    this.#acceptor = new GssAcceptor({
      ...kerberos,
      KRB5_KTNAME: keytab,
      NTLM_USER_FILE: users,
      NETBIOS_COMPUTER_NAME: NTLM_DOMAIN,
      NETBIOS_DOMAIN_NAME: NTLM_DOMAIN,
    })
    this.#server = createServer({ cert, key }, (request, response) => {
      void this.#answer(request, response)
    })
  }

  static async start(options: EpaOptions): Promise<EpaServer> {
    const server = new EpaServer(options)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  /** Where this scheme is asked for, and its bindings. What is answered is the user's name. */
  url(scheme: 'NTLM' | 'Negotiate'): string {
    // Never a path: the server listens on a port.
    const { port } = this.#server.address() as AddressInfo
    return `https://localhost:${port}/${scheme}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
    await this.#acceptor[Symbol.asyncDispose]()
    removeFolder(this.#folder)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', headers, socket } = request
    const scheme = url.slice(1)
    const [, token] = /^(?:NTLM|Negotiate) (.+)$/u.exec(headers.authorization ?? '') ?? []
    const context = this.#contexts.get(socket) ?? this.#acceptor.begin()
    this.#contexts.set(socket, context)
    const accepted = await this.#accept(context, token)
    if (accepted?.isComplete !== false) this.#contexts.delete(socket)
    const answer = accepted?.token ?? new Uint8Array()
    const field = `${scheme} ${Buffer.from(answer).toString('base64')}`.trimEnd()
    const isIn = accepted?.isComplete === true && (accepted.flags & CHANNEL_BOUND) !== 0
    const isSaid = !isIn || answer.length > 0
    response.writeHead(isIn ? 200 : 401, isSaid ? { 'WWW-Authenticate': field } : {})
    response.end(isIn ? accepted.user : '')
  }

  async #accept(
    context: AcceptorContext,
    token: string | undefined,
  ): Promise<Accepted | undefined> {
    if (token === undefined) return undefined
    try {
      return await context.accept(Buffer.from(token, 'base64'), this.#binding)
    } catch {
      // Wrong bindings, wrong passwords: whoever is refused is asked again.
      return undefined
    }
  }
}
