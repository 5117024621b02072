/** A proxy of a company: it knows every name there is, all of them on this machine, and can be switched off and on. */

import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'

/** A key and a certificate, as PEM. */
interface Shown {
  readonly key: string
  readonly cert: string
}

/** How a gateway is started. */
export interface GatewayOptions {
  /** What it shows; then it is spoken to over TLS. */
  readonly tls?: Shown
  /** Where it listens; 127.0.0.1 unless told otherwise. */
  readonly address?: string
  /** Answers itself instead of asking the server; of CONNECT, what is sent is all. */
  readonly answers?: GatewayAnswer
}

/** The whole answer as it goes over the wire; `undefined` lets the request pass. */
export type GatewayAnswer = (asked: string) => string | undefined

/** An HTTP proxy on a port of its own. */
export class Gateway implements AsyncDisposable {
  /** What it was asked for so far: `GET http://host:port/path`, `CONNECT host:port`. */
  readonly asked: string[] = []
  readonly #options: GatewayOptions
  readonly #sockets = new Set<Duplex>()
  readonly #server

  private constructor(options: GatewayOptions) {
    this.#options = options
    const { tls } = options
    this.#server = tls === undefined ? createServer() : createSecureServer(tls)
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#pass(request, response),
    )
    this.#server.on('connect', ({ url = '' }: IncomingMessage, socket: Duplex) =>
      this.#tunnel(url, socket),
    )
    this.#server.on('connection', (socket: Socket) => this.#keep(socket))
    this.#server.on('tlsClientError', () => undefined)
  }

  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = new Gateway(options)
    await gateway.#listen(0)
    return gateway
  }

  /** Its port, and the one it will have again. */
  #port = 0

  /** `http://127.0.0.1:8080`, as `--proxy` takes it. */
  get url(): string {
    const scheme = this.#options.tls === undefined ? 'http' : 'https'
    return `${scheme}://${this.place}`
  }

  /** `127.0.0.1:8080`, as lists and scripts take it. */
  get place(): string {
    const { address = '127.0.0.1' } = this.#options
    return `${address.includes(':') ? `[${address}]` : address}:${this.#port}`
  }

  /** Cuts every connection and takes no more. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Listens where it has listened before. */
  restart(): Promise<void> {
    return this.#listen(this.#port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop()
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, this.#options.address ?? '127.0.0.1')
    await once(this.#server, 'listening')
    // A server that listens on TCP has a port.
    this.#port = (this.#server.address() as AddressInfo).port
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** @returns whether that was all */
  #answered(asked: string, socket: Duplex): boolean {
    this.asked.push(asked)
    const answer = this.#options.answers?.(asked)
    if (answer === undefined) return false
    socket.end(answer)
    return true
  }

  #pass(from: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '', headers, socket } = from
    if (this.#answered(`${method} ${url}`, socket)) return
    const { port, pathname, search } = new URL(url)
    const options = { host: '127.0.0.1', port, method, headers, path: pathname + search }
    const onward = request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, via: '1.1 gateway' })
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    response.once('close', () => onward.destroy())
    onward.end()
  }

  #tunnel(authority: string, socket: Duplex): void {
    if (this.#answered(`CONNECT ${authority}`, socket)) return
    const onward = connect(Number(authority.split(':').at(-1)), '127.0.0.1')
    this.#keep(onward)
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.once('close', () => socket.destroy())
    socket.once('close', () => onward.destroy())
  }
}

/** A proxy for one test. */
export async function gatewayFor(
  t: Pick<TestContext, 'after'>,
  options?: GatewayOptions,
): Promise<Gateway> {
  const gateway = await Gateway.start(options)
  t.after(() => gateway[Symbol.asyncDispose]())
  return gateway
}

/** A host and port where a proxy was, and nobody listens any more. */
export async function deadPlace(): Promise<string> {
  await using gateway = await Gateway.start()
  return gateway.place
}

/** An answer that says no more than a status. @param fields each with its line end */
export function refusing(status: number, fields = ''): string {
  return `HTTP/1.1 ${status} Gateway\r\n${fields}Connection: close\r\nContent-Length: 0\r\n\r\n`
}
