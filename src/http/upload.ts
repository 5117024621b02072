/** The body of one request on its way out, or held back until it is wanted. */

import { assert } from '../base/error.ts'
import type { RequestBody } from './http.ts'
import type { Leg } from './leg.ts'

/** For how long a body waits for a server that does not say whether it wants it (RFC 9110 §10.1.1, A423), at least. */
const CONTINUE_WAIT_MS = 1_000

/** What a body goes out through. */
export interface UploadWay {
  /** Whether the connection still takes it. */
  readonly isOpen: () => boolean
  readonly send: (bytes: Uint8Array) => void
  /** Resolves when more may be sent. */
  readonly drained: () => Promise<void>
  /** The server has taken some. */
  readonly progressed: () => void
}

/** One body. It ends when it is sent whole, or given up. */
export class Upload {
  /** Whose body it is. */
  readonly leg: Leg
  readonly #body: RequestBody
  #isHeldBack: boolean
  #isOver = false
  /** When it began to wait; steady milliseconds, from the first look on. */
  #since: number | undefined

  constructor(leg: Leg, body: RequestBody, isHeldBack: boolean) {
    this.leg = leg
    this.#body = body
    this.#isHeldBack = isHeldBack
  }

  /** Whether it waits to be wanted. */
  get isHeldBack(): boolean {
    return this.#isHeldBack
  }

  /** Whether it was sent whole or given up. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether it has waited for long enough. @param now steady milliseconds */
  isDue(now: number): boolean {
    if (!this.#isHeldBack) return false
    this.#since ??= now
    return now - this.#since >= CONTINUE_WAIT_MS
  }

  /** Nothing more of it is sent. */
  giveUp(): void {
    this.#isOver = true
  }

  /** Sends it; once. @throws whatever reading it throws, and when it is not as long as it says */
  async send(way: UploadWay): Promise<void> {
    this.#isHeldBack = false
    let left = this.#body.length
    for await (const bytes of this.#body.read()) {
      if (this.#isOver || !way.isOpen()) return
      left -= bytes.length
      if (left < 0) break
      way.send(bytes)
      await way.drained()
      way.progressed()
    }
    // What is too long would be the next request for the server, and of what is too short that would be a part.
    assert(left === 0, 'a body is as long as it says')
    this.#isOver = true
  }
}
