/** An origin that is always right, and waits in the middle of a file until a test lets it go on. */

import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificate.ts'
import { Content } from './content.ts'

/** Bytes of every file. */
export const FILE_BYTES = 200_000

/** A request as it came in. */
export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** How an origin is started. */
export interface OriginOptions {
  readonly tls?: Certificate
}

/**
 * Serves `/good/NAME`, `/held/NAME` (half of it, the rest after {@link GatedOrigin.release}) and `/status/CODE/NAME`.
 * Every file is {@link FILE_BYTES} long, the same under every path.
 */
export class GatedOrigin implements AsyncDisposable {
  /** Every request so far. */
  readonly requests: SeenRequest[] = []
  readonly content = new Content(7, FILE_BYTES)
  readonly #bytes = this.content.bytes()
  readonly #server
  readonly #scheme: string
  #held: (() => void)[] = []
  #isOpen = false

  private constructor({ tls }: OriginOptions) {
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(request, response)
    this.#server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer)
    this.#scheme = tls === undefined ? 'http' : 'https'
  }

  static async start(options: OriginOptions = {}): Promise<GatedOrigin> {
    const origin = new GatedOrigin(options)
    origin.#server.listen(0, '127.0.0.1')
    await once(origin.#server, 'listening')
    return origin
  }

  /** The URL of a path. */
  url(path: string): string {
    // A server that listens on TCP has a port.
    const { port } = this.#server.address() as AddressInfo
    return `${this.#scheme}://127.0.0.1:${port}${path}`
  }

  /** How many requests came for a path. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length
  }

  /** How many answers wait in the middle. */
  get held(): number {
    return this.#held.length
  }

  /** Lets every answer go on that waits, and from now on all others. */
  release(): void {
    this.#isOpen = true
    for (const go of this.#held) go()
    this.#held = []
  }

  /** Lets answers wait again. */
  hold(): void {
    this.#isOpen = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #answer({ url = '/', headers }: IncomingMessage, response: ServerResponse): void {
    this.requests.push({ path: url, headers })
    const [, kind, detail] = url.split('/')
    if (kind === 'status') {
      response.writeHead(Number(detail)).end()
      return
    }
    const start = Number(/^bytes=(\d+)-$/u.exec(headers.range ?? '')?.[1] ?? 0)
    response.writeHead(start === 0 ? 200 : 206, {
      etag: '"gated"',
      'content-length': FILE_BYTES - start,
      ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${FILE_BYTES - 1}/${FILE_BYTES}` }),
    })
    if (kind !== 'held' || this.#isOpen) {
      response.end(this.#bytes.subarray(start))
      return
    }
    const half = Math.max(start, FILE_BYTES / 2)
    response.write(this.#bytes.subarray(start, half))
    const go = (): void => void response.end(this.#bytes.subarray(half))
    this.#held.push(go)
    response.once('close', () => {
      this.#held = this.#held.filter((each) => each !== go)
    })
  }
}
