/**
 * Who tries which password for the first time, among all peers of one target of a job.
 *
 * Servers of one company have one list of accounts, and lock those that are tried with a wrong password a few times. So
 * a password that nobody has taken yet is tried at one peer at a time, and one that somebody has refused is tried
 * nowhere else: the job stands still anyway, until it gets another one (A132, A133). A password that somebody has taken
 * is right, and others need not wait for each other. Tickets and tokens lock nobody out.
 */

import { sameCredentials, type Credentials } from './credentials.ts'
import type { Ended } from './select.ts'

/** Credentials that are being tried. */
interface FirstTrial {
  readonly credentials: Credentials
  /** The peer's memory. */
  readonly by: object
  /** Resolves when the request that tries them has its outcome. */
  readonly over: Promise<void>
}

/** A refusal, and by whom. */
interface Refusal {
  readonly ended: Ended
  readonly by: object
}

/** Trials of all peers of one target. The credentials are only looked at: they stay their owner's. */
export class FirstTrials {
  readonly #going = new Set<FirstTrial>()
  #taken: readonly Credentials[] = []
  #refusals: readonly Refusal[] = []

  /**
   * Asks to be the one who tries credentials that a peer has not taken yet. Nobody else tries them there meanwhile, not
   * even with another scheme: a wrong password would be two failed logons (A133, A136).
   *
   * @param by the peer's memory
   * @returns a promise to wait for, and to ask again after; or what ends the trial, once
   */
  begin(credentials: Credentials, by: object): Promise<void> | (() => void) {
    for (const going of this.#going) {
      const isInTheWay = going.by === by || (locksOut(credentials) && !this.#isTaken(credentials))
      if (isInTheWay && sameCredentials(going.credentials, credentials)) return going.over
    }
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const trial = { credentials, by, over }
    this.#going.add(trial)
    return () => {
      this.#going.delete(trial)
      resolve()
    }
  }

  /** A peer has taken these. */
  take(credentials: Credentials): void {
    if (locksOut(credentials) && !this.#isTaken(credentials)) {
      this.#taken = [...this.#taken, credentials]
    }
  }

  /** A peer has refused these. */
  refuse(ended: Ended, by: object): void {
    if (locksOut(ended.credentials))
      this.#refusals = [...this.#refusals.slice(-MOST), { ended, by }]
  }

  /** What other peers have refused, in words that fit any realm. */
  refusedElsewhere(by: object): readonly Ended[] {
    // Mostly nothing was, and this is asked for every challenge.
    if (this.#refusals.length === 0) return []
    return this.#refusals.flatMap(({ ended, by: other }) =>
      other === by ? [] : [{ ...ended, realm: undefined, reason: refusedElsewhere }],
    )
  }

  #isTaken(credentials: Credentials): boolean {
    return this.#taken.some((each) => sameCredentials(each, credentials))
  }
}

/** Why a password is not tried. */
export const refusedElsewhere = 'the same name and password were refused elsewhere'

/** Refusals that are remembered besides the newest. */
const MOST = 64

function locksOut({ kind }: Credentials): boolean {
  return kind === 'password'
}
