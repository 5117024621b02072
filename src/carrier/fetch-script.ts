/** Fetches proxy scripts: straight, without a client certificate, and as nobody unless the administrator allows (N60, N84). */

import { FailureError } from '../job/failure.ts'
import { directRoute } from '../job/route.ts'
import { LullError } from '../base/error.ts'
import type { BodySink, HttpClient, HttpRequest, HttpResponse } from '../http/http.ts'
import type { Identity } from '../http/identity.ts'
import type { FetchedScript, FetchScript, FetchTerms } from '../proxy/pac/download.ts'

/** How long a server of scripts may be silent. */
const STALL_MS = 10_000

/** How servers of scripts are met. */
export interface ScriptFetcherOptions {
  /** Who answers a server that asks; each request has its own, because tickets come and go. */
  readonly asWhom?: (() => Identity) | undefined
  /** PEM file of the authorities that they may be verified against, besides the platform's and those of the script. */
  readonly caFile?: string | undefined
}

/** Makes the one request at a time that scripts are fetched with. */
export function scriptFetcher(http: HttpClient, options: ScriptFetcherOptions = {}): FetchScript {
  return async (url, terms) => {
    using identity = options.asWhom?.()
    try {
      return await fetchTrusting([terms.caFile, options.caFile], (caFile) =>
        fetchScript(http, url, terms, {
          ...(identity === undefined ? {} : { identity }),
          ...(caFile === undefined ? {} : { caFile }),
        }),
      )
    } finally {
      if (identity !== undefined) http.retire(identity)
    }
  }
}

/**
 * Tries one file of authorities after the other, and the platform's last: what a job or an operator trusts holds besides
 * those, because whoever has one script seldom has its server in hand.
 */
async function fetchTrusting(
  files: readonly (string | undefined)[],
  fetch: (caFile: string | undefined) => Promise<FetchedScript>,
): Promise<FetchedScript> {
  for (const caFile of files.filter((file) => file !== undefined)) {
    try {
      return await fetch(caFile)
    } catch (error) {
      if (!isUntrusted(error)) throw error
    }
  }
  return fetch(undefined)
}

function isUntrusted(error: unknown): boolean {
  return error instanceof FailureError && error.failure.symbol === 'ERROR_WINHTTP_SECURE_INVALID_CA'
}

async function fetchScript(
  http: HttpClient,
  url: URL,
  { maxBytes, signal }: FetchTerms,
  as: Pick<HttpRequest, 'identity' | 'caFile'>,
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
      ...as,
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
