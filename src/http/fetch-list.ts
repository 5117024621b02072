/** A request on the side for a list of revoked certificates, over the way of the request that needs it. */

import { failure, FailureError } from '../job/failure.ts'
import { LIST_MS, type FetchList } from './certificate/revocation-lists.ts'
import type { Run } from './detour.ts'
import type { BodySink, HttpRequest, HttpResponse } from './http.ts'

/** The longest lists of public authorities have a tenth of it. */
export const MAX_LIST_BYTES = 16 * 1024 * 1024

/**
 * @param request whose way it takes; nobody is proven anything but to its proxies, which are trusted, and told what its
 *   headers say to proxies, as for the file
 */
export function listFetcher(run: Run, request: HttpRequest): FetchList {
  const { routes, identity, caFile, party, stallTimeoutMs } = request
  // No server hears it: where no proxy is asked for the URL, it is left out.
  const forProxies = request.headers.filter(([name]) => name.toLowerCase() === PROXY_PROOF)
  return async (url, signal) => {
    const sink = new ListSink(url)
    await run(
      {
        method: 'GET',
        url,
        headers: [['Accept', 'application/pkix-crl, */*;q=0.5'], ...forProxies],
        redirects: { follow: 'silent', allowHttpsToHttp: false },
        stallTimeoutMs: Math.min(stallTimeoutMs, LIST_MS),
        signal,
        party: `${party} revocation`,
        ...(identity === undefined ? {} : { identity: identity.forProxies() }),
        ...(routes === undefined ? {} : { routes }),
        ...(caFile === undefined ? {} : { caFile }),
      },
      sink,
    )
    return sink.bytes()
  }
}

const PROXY_PROOF = 'proxy-authorization'

/** Keeps a list, and breaks off whatever is none. */
class ListSink implements BodySink {
  readonly #url: string
  readonly #pieces: Uint8Array[] = []
  #length = 0

  constructor(url: string) {
    this.#url = url
  }

  head({ status, length = 0 }: HttpResponse): 'take' {
    if (status !== 200) throw this.#refuse(`the answer was ${status}`)
    this.#count(length)
    this.#length = 0
    return 'take'
  }

  write(bytes: Uint8Array): void {
    this.#count(bytes.length)
    this.#pieces.push(bytes.slice())
  }

  flush(): void {
    // Everything was copied when it came.
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }

  #count(bytes: number): void {
    this.#length += bytes
    if (this.#length > MAX_LIST_BYTES) {
      throw this.#refuse(`it is longer than ${MAX_LIST_BYTES / 1024 / 1024} MiB`)
    }
  }

  #refuse(why: string): FailureError {
    const sentence = `Cannot take the list of revoked certificates at ${this.#url}: ${why}`
    return new FailureError(
      failure('ERROR_WINHTTP_SECURE_CERT_REV_FAILED', 'GENERAL_TRANSPORT', sentence),
    )
  }
}
