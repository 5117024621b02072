/** Real servers for the tests of this room, and a sink that keeps what it got. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { TestContext } from 'node:test'
import type { Identity } from './certificates.suite.ts'
import {
  HttpClient,
  type BodySink,
  type ExchangeResult,
  type HttpRequest,
  type HttpResponse,
} from './http.ts'
import type { SteadyClock } from './steady-clock.ts'

/** One connection as the server sees it: it says, byte for byte, what comes back. */
export interface Peer {
  /** Place of the connection, from 0, in the order in which they came. */
  readonly index: number
  readonly socket: Socket
  /** The heads of every request so far. */
  readonly requests: readonly string[]
  /** Sends text, each character an octet. */
  say(text: string): void
  /** Closes: with everything sent before. */
  hangUp(): void
  /** Breaks the connection off. */
  reset(): void
}

/** Hears each request. @param target of the request line; @param place of the request on its connection, from 0 */
export type Answer = (peer: Peer, target: string, place: number) => void

/** A server that answers what a test wants. */
export interface RawServer {
  /** `http://127.0.0.1:PORT`, or https with `localhost`. */
  readonly url: string
  readonly port: number
  /** Every connection so far. */
  readonly peers: readonly Peer[]
  /** Every request target so far, in the order of arrival. */
  readonly targets: readonly string[]
}

/** Begins to serve; stops after the test. */
export async function serve(
  t: Pick<TestContext, 'after'>,
  answer: Answer,
  identity?: Identity,
): Promise<RawServer> {
  const peers: Peer[] = []
  const targets: string[] = []
  const accept = (socket: Socket): void => {
    const requests: string[] = []
    const peer = makePeer(socket, peers.length, requests)
    peers.push(peer)
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4)
        text = text.slice(end + 4)
        const target = head.split(' ')[1] ?? ''
        requests.push(head)
        targets.push(target)
        answer(peer, target, requests.length - 1)
      }
    })
  }
  const server = identity === undefined ? createServer(accept) : createTlsServer(identity, accept)
  const port = await listen(t, server, peers)
  const url = identity === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`
  return { url, port, peers, targets }
}

function makePeer(socket: Socket, index: number, requests: readonly string[]): Peer {
  return {
    index,
    socket,
    requests,
    say: (text) => void socket.write(Buffer.from(text, 'latin1')),
    hangUp: () => void socket.end(),
    reset: () => {
      // A socket that is already saying goodbye cannot be reset any more: Node would never let go of it.
      if (socket instanceof TLSSocket || socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    },
  }
}

async function listen(
  t: Pick<TestContext, 'after'>,
  server: Server,
  peers: readonly Peer[],
): Promise<number> {
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const { socket } of peers) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  return port
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // As above.
  server.close()
  await once(server, 'close')
  return port
}

/** A response with a length. */
export function ok(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** Keeps the body, and checks that views are used as promised. */
export class KeepingSink implements BodySink {
  response: HttpResponse | undefined
  #pending: Uint8Array[] = []
  readonly #kept: Buffer[] = []

  head(response: HttpResponse): 'take' | 'drop' {
    this.response = response
    return 'take'
  }

  write(bytes: Uint8Array): void {
    this.#pending.push(bytes)
  }

  flush(): void {
    // Copied only now: a slab that was reused too early would show.
    for (const bytes of this.#pending) this.#kept.push(Buffer.from(bytes))
    this.#pending = []
  }

  /** Everything that was flushed. */
  get body(): Buffer {
    return Buffer.concat(this.#kept)
  }

  get text(): string {
    return this.body.toString('latin1')
  }
}

/** Wants no body. */
export const droppingSink: BodySink = {
  head: () => 'drop',
  write: () => assert.fail('a dropped body is not written'),
  flush: () => assert.fail('a dropped body is not flushed'),
}

/** A client that is closed after the test. */
export function makeClient(t: Pick<TestContext, 'after'>, clock?: SteadyClock): HttpClient {
  const client = new HttpClient(clock === undefined ? {} : { clock })
  t.after(() => client.close())
  return client
}

/** A request with nothing special about it. */
export function get(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url,
    headers: [],
    redirects: { follow: 'silent', allowHttpsToHttp: false },
    stallTimeoutMs: 30_000,
    signal: new AbortController().signal,
    party: 'a job',
    ...more,
  }
}

/** Fetches a body as text. */
export async function fetchText(
  client: HttpClient,
  url: string,
  more: Partial<HttpRequest> = {},
): Promise<ExchangeResult & { readonly text: string }> {
  const sink = new KeepingSink()
  const result = await client.exchange(get(url, more), sink)
  return { ...result, text: sink.text }
}
