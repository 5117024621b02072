/** The lists of revoked certificates that have been fetched, kept until they are renewed. */

import type { SteadyClock } from '../steady-clock.ts'
import { RevocationList } from './revocation-list.ts'

/**
 * Fetches what a URL has.
 *
 * @param signal breaks it off
 * @throws whatever keeps it away
 */
export type FetchList = (url: string, signal: AbortSignal) => Promise<Uint8Array>

/** How long one list may take. */
export const LIST_MS = 15_000

/** Bytes of the lists that are kept, all together; what was used longest ago goes first. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024

/** Lists by their URLs. */
export class RevocationLists {
  /** The one used last is last. */
  readonly #kept = new Map<string, RevocationList>()
  readonly #fetching = new Map<string, Promise<RevocationList>>()
  readonly #clock: SteadyClock

  constructor(clock: SteadyClock) {
    this.#clock = clock
  }

  /**
   * The list at a URL: one that was fetched before, until its issuer has said there will be another.
   *
   * @param now milliseconds since 1970
   * @param helps whether one that was fetched before will do: it may have come over the way of another job, on which
   *   anybody may have put it there
   * @throws what `fetch` throws; {@link ProtocolError} when it is no list
   */
  async find(
    url: string,
    fetch: FetchList,
    now: number,
    helps: (list: RevocationList) => boolean,
  ): Promise<RevocationList> {
    const known = this.#kept.get(url)
    this.#kept.delete(url)
    if (known?.nextUpdate !== undefined && now <= known.nextUpdate && helps(known)) {
      this.#kept.set(url, known)
      return known
    }
    const begun = this.#fetching.get(url)
    if (begun !== undefined) return begun
    const fetching = this.#fetch(url, fetch)
    this.#fetching.set(url, fetching)
    try {
      return await fetching
    } finally {
      this.#fetching.delete(url)
    }
  }

  /** Forgets what cannot be used, however long it says that it counts. */
  forget(url: string): void {
    this.#kept.delete(url)
  }

  async #fetch(url: string, fetch: FetchList): Promise<RevocationList> {
    const controller = new AbortController()
    using _limit = this.#clock.alarm(LIST_MS, () => {
      controller.abort(new Error(`it has not come within ${LIST_MS / 1000} s`))
    })
    const list = new RevocationList(bytesOf(await fetch(url, controller.signal)))
    this.#kept.set(url, list)
    let bytes = [...this.#kept.values()].reduce((sum, { size }) => sum + size, 0)
    for (const [oldest, { size }] of this.#kept) {
      if (bytes <= MAX_KEPT_BYTES) break
      this.#kept.delete(oldest)
      bytes -= size
    }
    return list
  }
}

/** RFC 5280 §4.2.1.13 wants DER; some servers have PEM there. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  const [, base64] =
    bytes[0] === DASH ? (pem.exec(Buffer.from(bytes).toString('latin1')) ?? []) : []
  return base64 === undefined ? bytes : Buffer.from(base64, 'base64')
}

const DASH = 0x2d
const pem = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/u
