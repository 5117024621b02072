/** Fetches proxy scripts: straight, as nobody, without a client certificate (N60). */

import { directRoute } from '../job/route.ts'
import { LullError } from '../base/error.ts'
import type { BodySink, HttpClient, HttpResponse } from '../http/http.ts'
import type { FetchScript } from '../proxy/pac/download.ts'

/** How long a server of scripts may be silent. */
const STALL_MS = 10_000

/** Makes the one request at a time that scripts are fetched with. */
export function scriptFetcher(http: HttpClient): FetchScript {
  return async (url, { maxBytes, signal }) => {
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
