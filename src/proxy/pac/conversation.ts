/**
 * What the thread of a script and its owner say to each other.
 *
 * Orders and answers are messages. Questions go the other way while a call is under way: the thread has to stand still
 * until it has the answer, so that one is not a message but memory that both see.
 */

import type { EngineModule } from './engine.ts'
import type { ScriptLimits } from './limits.ts'

/** What a thread begins with. */
export interface ThreadStart {
  readonly limits: ScriptLimits
  readonly answers: SharedArrayBuffer
  /** The engine as an earlier thread has compiled it; absent for the first one, which compiles it and tells. */
  readonly engine: EngineModule | undefined
}

/** One call. */
export interface CallOrder {
  readonly url: string
  readonly host: string
}

/** What a thread is to do; the script comes first, and once. */
export type ThreadOrder =
  | { readonly kind: 'load'; readonly text: string }
  | { readonly kind: 'call'; readonly call: CallOrder }

/** What the thread asks its owner. */
export type Question =
  | { readonly kind: 'resolve' | 'resolveAll'; readonly name: string }
  | { readonly kind: 'ownAddress' | 'ownAddresses' }

/** Why there is no answer. */
export type ScriptFault =
  /** It cannot be used as a script. */
  | 'invalid'
  /** It threw, or returned something that is no string. */
  | 'failed'
  /** It wanted more than it may have. */
  | 'limit'
  /** Nobody waits any more. */
  | 'closed'

/** What came of a call or of loading the script. */
export type Outcome =
  | { readonly ok: true; readonly answer: string; readonly said: string }
  | {
      readonly ok: false
      readonly fault: ScriptFault
      /** One part of a sentence, with words of the script in it. */
      readonly reason: string
      readonly said: string
    }

/** What a thread tells; an outcome for each order. */
export type FromThread =
  | { readonly kind: 'engine'; readonly engine: EngineModule }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'question'; readonly ticket: number; readonly question: Question }

/** Bytes of the answer to a question; what is longer is cut where an address ends. */
const ANSWER_BYTES = 16_384

/** Two numbers before the bytes: the ticket that was answered, and how many bytes there are. */
const HEAD_BYTES = 8

/** Memory for one answer at a time. */
export function newAnswerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + ANSWER_BYTES)
}

/** The side that answers. */
export class AnswerWriter {
  readonly #head: Int32Array
  readonly #bytes: Uint8Array
  #ticket = 0

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, HEAD_BYTES)
  }

  /** A question was heard: answers to those before it come too late from now on. */
  asked(ticket: number): void {
    this.#ticket = ticket
  }

  /**
   * Writes an answer and wakes the thread; nothing when it has asked something else since. Between its question and the
   * moment it is heard the thread may be shown an older ticket, and goes on waiting.
   */
  write(ticket: number, text: string): void {
    if (ticket !== this.#ticket) return
    const kept =
      text.length <= ANSWER_BYTES ? text : text.slice(0, text.lastIndexOf(';', ANSWER_BYTES))
    const { written } = new TextEncoder().encodeInto(kept, this.#bytes)
    Atomics.store(this.#head, 1, written)
    Atomics.store(this.#head, 0, ticket)
    Atomics.notify(this.#head, 0)
  }
}

/** The side that waits. */
export class AnswerReader {
  readonly #head: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, HEAD_BYTES)
  }

  /**
   * Stands still until the answer is there.
   *
   * @returns undefined when it is not there in time
   */
  wait(ticket: number, timeoutMs: number): string | undefined {
    const end = performance.now() + timeoutMs
    for (;;) {
      const seen = Atomics.load(this.#head, 0)
      if (seen === ticket) break
      const leftMs = end - performance.now()
      if (leftMs <= 0 || Atomics.wait(this.#head, 0, seen, leftMs) === 'timed-out') return undefined
    }
    const length = Atomics.load(this.#head, 1)
    // A decoder takes no shared memory.
    return new TextDecoder().decode(this.#bytes.slice(0, length))
  }
}
