/** The two who may ask for proof, each apart from the other (A121): what was said to them, and what they know. */

import type { AuthTarget } from '../auth/auth.ts'
import type { Exchange, Step } from '../auth/exchange.ts'
import type { RequestFacts, ResponseFacts, Send } from '../auth/scheme.ts'
import { goOnWith, type Eventually } from '../base/eventually.ts'
import type { Target } from './target.ts'

/** One of the two who may ask, and what was said to it. */
export class Side {
  readonly target: AuthTarget
  readonly #begin: () => Exchange
  #exchange: Exchange
  /** What goes out on the connection that is in use. */
  send: Send | undefined
  /** Whether this exchange has been asked what to send. */
  #isPrepared = false
  /** Whether this exchange has answered a challenge: then it has begun something that it must go on with. */
  #wasAsked = false
  #isClosed = false

  constructor(target: AuthTarget, begin: () => Exchange) {
    this.target = target
    this.#begin = begin
    this.#exchange = begin()
  }

  get exchange(): Exchange {
    return this.#exchange
  }

  /** Another request begins for this side. */
  renew(): void {
    this.#exchange.close()
    this.#exchange = this.#begin()
    this.#isPrepared = false
    this.#wasAsked = false
    this.send = undefined
  }

  prepare(facts: RequestFacts): Eventually<void> {
    this.#isPrepared = true
    return goOnWith(this.#exchange.prepare(facts), (send) => {
      this.send = send
    })
  }

  /** The request goes out on a connection that is new to it. */
  move(facts: RequestFacts): Eventually<void> {
    // A request is worded for a connection after its caller has left: nothing may be begun that nobody ends.
    if (this.#isClosed) return
    // Nothing was begun that could be gone on with, and nothing is counted against it.
    if (this.#isPrepared && !this.#wasAsked) this.renew()
    return this.prepare(facts)
  }

  challenged(response: ResponseFacts, facts: RequestFacts): Promise<Step> {
    this.#wasAsked = true
    return this.#exchange.challenged(response, facts)
  }

  /** Whether what goes out now begins or goes on with proving who owns the connection. */
  get isBinding(): boolean {
    return this.send !== undefined && this.#exchange.bindsConnection
  }

  /** Whether the request can be granted with what goes out now. */
  get canSucceed(): boolean {
    return this.send?.canSucceed !== false
  }

  /** Whether the request may be turned down for want of proof, as far as is known. */
  get isUnproven(): boolean {
    return this.send === undefined && this.#exchange.scheme === undefined
  }

  close(): void {
    this.#isClosed = true
    this.#exchange.close()
  }
}

/** The request as one of the sides knows it. */
export class Facts implements RequestFacts {
  readonly method: string
  readonly requestTarget: string
  readonly connection: object | undefined
  readonly bodyHash: RequestFacts['bodyHash']
  readonly channelBinding: Uint8Array | undefined
  readonly isLoopback: boolean
  readonly #target: Target

  constructor(target: Target, facts: Required<Omit<RequestFacts, 'url'>>) {
    this.method = facts.method
    this.requestTarget = facts.requestTarget
    this.connection = facts.connection
    this.bodyHash = facts.bodyHash
    this.channelBinding = facts.channelBinding
    this.isLoopback = facts.isLoopback
    this.#target = target
  }

  /** Few schemes ask for it, and none for each of thousands of requests. */
  get url(): URL {
    return new URL(this.#target.url)
  }
}
