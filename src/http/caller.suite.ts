/** Somebody who uses a connection and remembers what it told. */

import type { TestContext } from 'node:test'
import { Connection, type ConnectionOptions, type ConnectionUser } from './connection.ts'
import { SlabStore } from './slab.ts'
import type { Place } from './tunnel/dial.ts'

/** A connection and its user. */
export class Caller implements ConnectionUser {
  readonly connection: Connection
  /** Resolves when the connection is made, or over. */
  readonly settled: Promise<void>
  /** Resolves with why the connection is over. */
  readonly over: Promise<Error | undefined>
  isConnected = false
  hasEnded = false
  progress = 0
  readonly #settled = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<Error | undefined>()
  #views: Uint8Array[] = []
  readonly #kept: Buffer[] = []
  #wanted: { readonly length: number; readonly resolve: () => void } | undefined

  constructor(
    t: Pick<TestContext, 'after'>,
    target: Place,
    options?: ConnectionOptions,
    slabs = new SlabStore(),
  ) {
    this.settled = this.#settled.promise
    this.over = this.#over.promise
    this.connection = new Connection(target, this, slabs, options)
    t.after(async () => {
      this.connection.close()
      await this.over
    })
  }

  get holdsViews(): boolean {
    return this.#views.length > 0
  }

  connected(): void {
    this.isConnected = true
    this.#settled.resolve()
  }

  progressed(): void {
    this.progress++
  }

  received(bytes: Uint8Array): void {
    this.#views.push(bytes)
    const { length = Number.POSITIVE_INFINITY, resolve } = this.#wanted ?? {}
    if (this.#length >= length) resolve?.()
  }

  reclaim(): void {
    for (const view of this.#views.splice(0)) this.#kept.push(Buffer.from(view))
  }

  ended(): void {
    this.hasEnded = true
  }

  closed(error: Error | undefined): void {
    this.#settled.resolve()
    this.#wanted?.resolve()
    this.#over.resolve(error)
  }

  say(text: string): void {
    this.connection.send(Buffer.from(text, 'latin1'))
  }

  /** Waits for so many octets, or for the end of the connection. @returns everything that came so far */
  async hear(length: number): Promise<Buffer> {
    if (this.#length < length) {
      await new Promise<void>((resolve) => {
        this.#wanted = { length, resolve }
      })
    }
    this.reclaim()
    return Buffer.concat(this.#kept)
  }

  get #length(): number {
    return [...this.#kept, ...this.#views].reduce((sum, { length }) => sum + length, 0)
  }
}
