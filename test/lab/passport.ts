/** Passport as it was: a partner's server, and elsewhere the two that sign in. Nobody runs one any more. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Field } from '../../src/auth/auth.ts'
import { PassportService, type PassportPartner } from '../../src/auth/passport/passport-server.ts'
import { Secret } from '../../src/auth/secret.ts'
import type { CertificateFiles } from './authority.ts'
import { PASSWORD } from './kdc-contexts.ts'
import { USER } from './people.ts'

/** A partner over https, with the service it trusts; both are gone when it is disposed. */
export class PassportServer implements AsyncDisposable {
  readonly #partner: Server
  readonly #elsewhere: Server
  readonly #service: PassportService
  readonly #trusting: PassportPartner

  private constructor(partner: Server, elsewhere: Server) {
    this.#partner = partner
    this.#elsewhere = elsewhere
    this.#service = new PassportService({
      realm: 'Lab',
      nexusUrl: this.nexusUrl,
      login: `localhost:${portOf(elsewhere)}/login`,
      version: 1,
      users: new Map([[USER, Secret.fromText(PASSWORD)]]),
    })
    this.#trusting = this.#service.partner('lab=1')
    partner.on('request', (request, response) => void this.#serve(request, response))
    elsewhere.on('request', (request, response) => void this.#signIn(request, response))
  }

  static async start(certificate: CertificateFiles): Promise<PassportServer> {
    const [cert, key] = [readFileSync(certificate.cert), readFileSync(certificate.key)]
    const [partner, elsewhere] = [createServer({ cert, key }), createServer({ cert, key })]
    for (const server of [partner, elsewhere]) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    return new PassportServer(partner, elsewhere)
  }

  /** What is answered there is the path. */
  get url(): string {
    return `https://localhost:${portOf(this.#partner)}`
  }

  /** The configuration server. */
  get nexusUrl(): string {
    return `https://localhost:${portOf(this.#elsewhere)}/nexus`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#partner, this.#elsewhere]) {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', method = '', headers } = request
    const more = headers.cookie === undefined ? {} : { cookie: headers.cookie }
    const asked = { method, requestTarget: url, ...more }
    const reception = await this.#trusting.receive(headers.authorization, asked)
    if (reception.kind === 'granted') {
      say(response, 200, reception.fields, url)
      return
    }
    const challenges = reception.challenges.map((value) => ['WWW-Authenticate', value] as const)
    say(response, 302, [...challenges, ['Location', this.nexusUrl]], '')
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = `https://localhost:${portOf(this.#elsewhere)}${request.url}`
    const pairs = request.rawHeaders.flatMap((name, place, all) =>
      place % 2 === 0 ? [[name, all[place + 1] ?? ''] as const] : [],
    )
    const answer = await this.#service.answer({ kind: 'detour', method: 'GET', url, fields: pairs })
    say(response, answer.status, answer.fields, '')
  }
}

function say(
  response: ServerResponse,
  status: number,
  fields: readonly Field[],
  body: string,
): void {
  response.writeHead(status, fields.flat())
  response.end(body)
}

function portOf(server: Server): number {
  // Never a path: it listens on a port.
  return (server.address() as AddressInfo).port
}
