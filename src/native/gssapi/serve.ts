/** A helper's life: it reads a request, blocks until the library is done, answers, and ends with its parent. */

import { readSync, writeSync } from 'node:fs'
import { MechanismError } from '../../auth/error.ts'
import { assert } from '../../base/error.ts'
import type { MechanismStep } from '../../auth/mechanism.ts'
import type { HelperAnswer, HelperRequest, OpenRequest } from './conversation.ts'
import { encodeFrame, readFrame, type Frame } from './frame.ts'
import type { Initiator, InitiatorContext } from './initiator.ts'

/** Where requests come from and answers go. Both block. */
export interface Channel {
  /** Exactly so many bytes, in memory of their own; `undefined` when the other side has closed. */
  read(length: number): Uint8Array | undefined
  write(bytes: Uint8Array): void
}

/** Standard input and output, which are pipes to the parent. */
export const standardChannel: Channel = {
  read(length) {
    // Not out of a pool, and read without a stream: nothing else ever holds a password's bytes.
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const count = readSome(bytes.subarray(at))
      if (count === 0) return undefined
      at += count
    }
    return bytes
  },
  write(bytes) {
    for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
  },
}

/** 0 at the end, which Windows tells as an error. */
function readSome(bytes: Uint8Array): number {
  try {
    return readSync(0, bytes)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EOF') return 0
    throw error
  }
}

/**
 * Answers requests until the parent is gone.
 *
 * @param open the platform's library; what it throws becomes the answer to every request
 * @param watch bounds the time of one request, should nobody be there any more to do so
 */
export function serve(
  open: () => Initiator,
  channel: Channel,
  watch: <Result>(work: () => Result) => Result = (work) => work(),
): void {
  const session = new HelperSession(open)
  for (;;) {
    const request = readFrame<HelperRequest>((length) => channel.read(length))
    if (request === undefined) return
    const answer = encodeFrame(watch(() => session.answer(request)))
    for (const part of request.parts) part.fill(0)
    channel.write(answer)
  }
}

/** The contexts of one helper. */
class HelperSession {
  readonly #open: () => Initiator
  #initiator: Initiator | undefined
  readonly #contexts = new Map<number, InitiatorContext>()

  constructor(open: () => Initiator) {
    this.#open = open
  }

  answer(request: Frame<HelperRequest>): Frame<HelperAnswer> {
    try {
      return this.#do(request)
    } catch (error) {
      if (!(error instanceof MechanismError)) throw error
      const { code, message, reason } = error
      return { head: { kind: 'failed', code, message, reason }, parts: [] }
    }
  }

  #do({ head, parts }: Frame<HelperRequest>): Frame<HelperAnswer> {
    const [first, second] = parts
    switch (head.kind) {
      case 'open':
        return this.#begin(head, parts)
      case 'step': {
        assert(first !== undefined, 'the token to answer is a part')
        return stepped(this.#find(head.context).step(first))
      }
      case 'sign': {
        assert(first !== undefined, 'a message to sign is a part')
        return { head: { kind: 'signed' }, parts: [this.#find(head.context).sign(first)] }
      }
      case 'verify': {
        assert(first !== undefined && second !== undefined, 'a message and its code are parts')
        const isGood = this.#find(head.context).verify(first, second)
        return { head: { kind: 'verified', isGood }, parts: [] }
      }
      case 'close':
        // Absent when it could not be opened.
        this.#contexts.get(head.context)?.close()
        this.#contexts.delete(head.context)
        return { head: { kind: 'closed' }, parts: [] }
      default:
        return head satisfies never
    }
  }

  #begin(request: OpenRequest, [password, binding]: readonly Uint8Array[]): Frame<HelperAnswer> {
    this.#initiator ??= this.#open()
    const context = this.#initiator.open(request, {
      password: request.identity.kind === 'password' ? password : undefined,
      channelBinding: binding?.length === 0 ? undefined : binding,
    })
    try {
      const answer = stepped(context.step(undefined))
      this.#contexts.set(request.context, context)
      return answer
    } catch (error) {
      context.close()
      throw error
    }
  }

  #find(id: number): InitiatorContext {
    const context = this.#contexts.get(id)
    assert(context !== undefined, 'a context is used between open and close')
    return context
  }
}

function stepped({ token, complete }: MechanismStep): Frame<HelperAnswer> {
  return { head: { kind: 'stepped', complete }, parts: token === undefined ? [] : [token] }
}
