/** One request to a server of the lab and whatever is answered: raw bytes, at a pace, counted. */

import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Content } from './content.ts'

/** A request as it came. */
export interface LabRequest {
  readonly method: string
  readonly target: string
  readonly version: string
  /** By lower-case name; repeated ones joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
}

/** What the server remembers of a request. */
export interface LoggedRequest extends LabRequest {
  /** Of the answer; 0 until one was begun. */
  status: number
  /** Bytes of bodies that were handed to the system. */
  sent: number
  /** Which byte of the file the body begins with. */
  from: number
  /** Whether the whole answer was handed to the system. */
  isAnswered: boolean
}

/** The client closed the connection before it had its answer. */
export class ClientGone extends Error {}

/** How often a second a paced body is sent on. */
const STEPS_PER_SECOND = 50

/** One request and its answer. */
export class Exchange implements Disposable {
  readonly request: LabRequest
  readonly record: LoggedRequest
  readonly #socket: Socket
  readonly #rate: () => number
  readonly #gone = new AbortController()
  readonly #leave = (): void => this.#gone.abort()

  /** @param rate bytes per second; asked again for every piece */
  constructor(socket: Socket, record: LoggedRequest, rate: () => number) {
    this.request = record
    this.record = record
    this.#socket = socket
    this.#rate = rate
    if (socket.destroyed) this.#gone.abort()
    else socket.once('close', this.#leave)
  }

  /** The connection goes on with another one. */
  [Symbol.dispose](): void {
    this.#socket.off('close', this.#leave)
  }

  /** Sends bytes as they are; resolves when the system has taken them. @throws {ClientGone} */
  async write(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    if (this.#gone.signal.aborted || !this.#socket.writable) throw new ClientGone()
    if (this.#socket.write(data)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('drain', resolve)
    this.#gone.signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    this.#socket.off('drain', resolve)
    if (this.#gone.signal.aborted) throw new ClientGone()
  }

  /** Sends a head: the status line, the fields as given, the empty line. */
  async head(
    status: number,
    fields: readonly (readonly [name: string, value: string])[],
    { version = 'HTTP/1.1' }: { readonly version?: string } = {},
  ): Promise<void> {
    this.record.status = status
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
    await this.write(`${version} ${status} Lab\r\n${lines.join('')}\r\n`)
  }

  /** Sends bytes of a body at the pace. */
  async body(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const rate = this.#rate()
      const step = Number.isFinite(rate)
        ? Math.max(1, Math.ceil(rate / STEPS_PER_SECOND))
        : Infinity
      const piece = bytes.subarray(at, at + step)
      await this.write(piece)
      this.record.sent += piece.length
      at += piece.length
      if (Number.isFinite(rate)) await this.wait((piece.length / rate) * 1000)
    }
  }

  /** Sends a part of a file at the pace. */
  async send(content: Content, start: number, end: number): Promise<void> {
    this.record.from = start
    for (const piece of content.pieces(start, end)) await this.body(piece)
  }

  /** Ends the connection as one that is done (FIN). */
  end(): void {
    this.#socket.end()
  }

  /** Breaks the connection (RST); what is on its way may be lost. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** Waits. @throws {ClientGone} */
  async wait(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#gone.signal })
    } catch {
      throw new ClientGone()
    }
  }

  /** Sends nothing more until the client gives up. @throws {ClientGone} */
  async hang(): Promise<never> {
    if (!this.#gone.signal.aborted) {
      await new Promise((resolve) => this.#gone.signal.addEventListener('abort', resolve))
    }
    throw new ClientGone()
  }
}
