/** Those who move bytes, as the engine needs them. */

import type { Owner } from '../../job/job.ts'
import type { Order, Report } from '../order.ts'

/** What comes back up. */
export interface CarrierListener {
  /** Reports in the order the carrier made them; several at once, so that one commit serves them all. */
  reported(owner: Owner, reports: readonly Report[]): void
  /**
   * The carrier of this owner is gone without having been asked to: everything it had in hand is void, what it
   * reported stays true. The next order starts a new one.
   */
  lost(owner: Owner, reason: string): void
}

/** Carriers by owner; one is started when the first order for it comes. */
export interface Carriers {
  /**
   * Hands over an order, and what is secret in it: it is the carriers' from here on, and they wipe it. Never blocks and
   * never fails: what goes wrong comes back as a report or as a loss.
   */
  send(owner: Owner, order: Order): void
  /** Sets who listens; once, before the first order. */
  listen(listener: CarrierListener): void
  /**
   * Ends every carrier after it synced and reported what it has; resolves when none is left. An order sent after that
   * starts a new one.
   */
  stop(): Promise<void>
}
