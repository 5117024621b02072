/** Fetches proxy scripts: straight, without a client certificate, and as nobody unless the administrator allows (N60, N84). */

import { directRoute } from '../job/route.ts'
import { LullError } from '../base/error.ts'
import type { BodySink, HttpClient, HttpResponse } from '../http/http.ts'
import type { Identity } from '../http/identity.ts'
import type { FetchedScript, FetchLimits, FetchScript } from '../proxy/pac/download.ts'

/** How long a server of scripts may be silent. */
const STALL_MS = 10_000

/**
 * Makes the one request at a time that scripts are fetched with.
 *
 * @param asWhom who answers a server that asks; each request has its own, because tickets come and go
 */
export function scriptFetcher(http: HttpClient, asWhom?: () => Identity): FetchScript {
  return async (url, limits) => {
    using identity = asWhom?.()
    try {
      return await fetchScript(http, identity, url, limits)
    } finally {
      if (identity !== undefined) http.retire(identity)
    }
  }
}

async function fetchScript(
  http: HttpClient,
  identity: Identity | undefined,
  url: URL,
  { maxBytes, signal }: FetchLimits,
): Promise<FetchedScript> {
  const sink = new BoundedSink(maxBytes)
  const { response } = await http.exchange(
    {
      method: 'GET',
      url: url.href,
      headers: [['Accept', 'application/x-ns-proxy-autoconfig, */*;q=0.5']],
      redirects: { follow: 'disallow', allowHttpsToHttp: false },
      keepsRedirects: true,
      stallTimeoutMs: STALL_MS,
      signal,
      ...(identity === undefined ? {} : { identity }),
      party: 'proxy script',
      routes: { find: () => directRoute, failed: () => undefined },
    },
    sink,
  )
  return {
    status: response.status,
    location: response.field('location'),
    contentType: response.field('content-type'),
    contentEncoding: response.field('content-encoding'),
    bytes: sink.bytes(),
  }
}

/** Keeps a body up to a limit, and breaks off what is longer. */
class BoundedSink implements BodySink {
  readonly #limit: number
  readonly #pieces: Uint8Array[] = []
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  head({ length }: HttpResponse): 'take' {
    if ((length ?? 0) > this.#limit) this.#refuse()
    return 'take'
  }

  write(bytes: Uint8Array): void {
    this.#length += bytes.length
    if (this.#length > this.#limit) this.#refuse()
    this.#pieces.push(bytes.slice())
  }

  flush(): void {
    // Everything was copied when it came.
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }

  #refuse(): never {
    const sentence = `Cannot take a proxy script: it is longer than ${this.#limit} bytes`
    throw new LullError('ERR_PAC_LIMIT', sentence)
  }
}
