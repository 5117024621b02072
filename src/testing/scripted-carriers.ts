/** Carriers that keep every order and report what a test says. */

import type { Order, Report } from '../engine/order.ts'
import type { CarrierListener, Carriers } from '../engine/ports/carriers.ts'
import type { Owner } from '../job/job.ts'

/** An order, and whose it is. */
export interface SentOrder {
  readonly owner: Owner
  readonly order: Order
}

/** One carrier for each owner, all of them played by the test. */
export class ScriptedCarriers implements Carriers {
  readonly sent: SentOrder[] = []
  stops = 0
  #listener: CarrierListener | undefined
  /** What carriers report when they are stopped. */
  lastWords: (() => readonly Report[]) | undefined

  listen(listener: CarrierListener): void {
    this.#listener = listener
  }

  send(owner: Owner, order: Order): void {
    this.sent.push({ owner, order })
  }

  stop(): Promise<void> {
    this.stops++
    const owner = this.sent.at(-1)?.owner
    if (owner !== undefined) this.#listener?.reported(owner, this.lastWords?.() ?? [])
    return Promise.resolve()
  }

  /** Reports as the carrier that had the last order would. */
  report(...reports: readonly Report[]): void {
    const owner = this.sent.at(-1)?.owner
    if (owner === undefined) throw new Error('Nobody was given an order yet')
    this.#listener?.reported(owner, reports)
  }

  /** The carrier of an owner dies. */
  lose(owner: Owner, reason: string): void {
    this.#listener?.lost(owner, reason)
  }

  /** The orders of one kind, oldest first. */
  orders<Kind extends Order['kind']>(kind: Kind): readonly Extract<Order, { kind: Kind }>[] {
    return this.sent
      .map(({ order }) => order)
      .filter((order): order is Extract<Order, { kind: Kind }> => order.kind === kind)
  }
}
