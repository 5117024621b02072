/** What is said to a proxy, and what it answers, before its socket is the connection's. */

import type { Socket } from 'node:net'
import { endOf, type Journey } from './journey.ts'

/** More than this is not read ahead of whoever listens, in bytes. */
const MAX_UNHEARD = 64 * 1024

/** How a socket says that the other side is gone and nothing else. */
const lossCodes: ReadonlySet<unknown> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTCONN'])

/** Hears a socket that reads through the inlet of its journey, from its making until {@link end}. */
export class Talk {
  readonly socket: Socket
  readonly #journey: Journey
  #unheard: Uint8Array[] = []
  #unheardBytes = 0
  #isOver = false
  #isPaused = false
  #wake: (() => void) | undefined

  constructor(socket: Socket, journey: Journey) {
    this.socket = socket
    this.#journey = journey
    journey.inlet.hear = (bytes) => this.#hear(bytes)
    const over = (): void => {
      this.#isOver = true
      this.#wake?.()
    }
    socket.once('end', over)
    socket.once('close', over)
    if (socket.destroyed || socket.readableEnded) over()
  }

  say(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  /** Says what nobody else may read later: the memory is wiped once it is out. */
  sayOnce(bytes: Uint8Array): void {
    if (this.socket.destroyed) bytes.fill(0)
    else this.socket.write(bytes, () => void bytes.fill(0))
  }

  /**
   * The bytes that came next.
   *
   * @returns the caller's own; `undefined` when the other side is gone
   * @throws the reason of a journey broken off, or what else ended the socket
   */
  async hear(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#unheard.shift()
      if (bytes !== undefined) {
        this.#unheardBytes -= bytes.length
        if (this.#unheard.length === 0) this.#resume()
        return bytes
      }
      if (this.#isOver) {
        this.#journey.signal.throwIfAborted()
        const error = endOf(this.socket)
        if ('code' in error && lossCodes.has(error.code)) return undefined
        throw error
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Exactly so many bytes; as {@link hear} otherwise. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const taken = new Uint8Array(count)
    for (let at = 0; at < count;) {
      const bytes = await this.hear()
      if (bytes === undefined) return undefined
      const wanted = bytes.subarray(0, count - at)
      taken.set(wanted, at)
      at += wanted.length
      if (wanted.length < bytes.length) this.#putBack(bytes.subarray(wanted.length))
    }
    return taken
  }

  /** Listens no more. @returns what was not heard: it is for whoever speaks next */
  end(): Uint8Array {
    this.#journey.inlet.hear = () => undefined
    const rest = Buffer.concat(this.#unheard)
    this.#unheard = []
    this.#resume()
    return rest
  }

  #hear(bytes: Uint8Array): void {
    this.#unheard.push(bytes.slice())
    this.#unheardBytes += bytes.length
    this.#wake?.()
    if (this.#unheardBytes <= MAX_UNHEARD || this.#isPaused) return
    this.#isPaused = true
    this.socket.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.socket.resume()
  }

  #putBack(bytes: Uint8Array): void {
    this.#unheard.unshift(bytes)
    this.#unheardBytes += bytes.length
  }
}
