/** One who asks servers of the lab for files, as somebody and by some way: our HTTP room without anything around it. */

import type { CredentialPair } from '../../src/auth/credentials.ts'
import { defaultAuthSettings, type AuthSettings } from '../../src/auth/settings.ts'
import { systemClock } from '../../src/carrier/system-clock.ts'
import { systemRandom } from '../../src/carrier/system-random.ts'
import type { CertificateOrder } from '../../src/engine/order.ts'
import {
  HttpClient,
  type BodySink,
  type HttpResponse,
  type RequestBody,
} from '../../src/http/http.ts'
import { Identity } from '../../src/http/identity.ts'
import { nodeHashes } from '../../src/http/node-hashes.ts'
import { FailureError } from '../../src/job/failure.ts'
import type { Hop } from '../../src/job/route.ts'
import { gssapiMechanisms } from '../../src/native/gssapi/gssapi.ts'
import type { HelperMechanisms } from '../../src/native/gssapi/helper-mechanisms.ts'

/** An exchange that takes longer hangs. */
const PATIENCE_MS = 8_000

/** As whom, and by which way. */
export interface Visit {
  readonly pairs?: readonly CredentialPair[]
  readonly certificate?: CertificateOrder
  /** Straight unless it says. */
  readonly hop?: Hop
  /** What the administrator decided otherwise than by default. */
  readonly settings?: Partial<AuthSettings>
}

/** What a visit brought. */
export interface Brought {
  /** Of the final response; the symbol of the failure where there was none. */
  readonly status: number | string
  readonly bytes: Buffer
}

/** Somebody who visits; nothing is left of a visit for the next one, not even connections. */
export class Visitor implements AsyncDisposable {
  readonly #mechanisms: HelperMechanisms
  readonly #caFile: string

  /**
   * @param caFile who is trusted
   * @param environment where Kerberos is found, and with `KRB5CCNAME` who is logged on
   */
  constructor(caFile: string, environment: Readonly<Record<string, string>>) {
    this.#caFile = caFile
    this.#mechanisms = gssapiMechanisms({ clock: systemClock, environment })
  }

  /** Fetches one file in one exchange. */
  async get(url: string, visit: Visit = {}): Promise<Brought> {
    await using journey = this.#begin(visit)
    return await journey.exchange('GET', url)
  }

  /** Fetches files one after the other, as one and the same. */
  async getAll(urls: readonly string[], visit: Visit): Promise<readonly Brought[]> {
    await using journey = this.#begin(visit)
    const brought: Brought[] = []
    for (const url of urls) brought.push(await journey.exchange('GET', url))
    return brought
  }

  /**
   * Fetches one file, and goes on from what is there when the connection is lost.
   *
   * @returns what the last exchange said, with all bytes, and how many exchanges there were
   */
  async resume(url: string, visit: Visit): Promise<Brought & { readonly exchanges: number }> {
    await using journey = this.#begin(visit)
    let bytes: Buffer = Buffer.alloc(0)
    for (let exchanges = 1; ; exchanges++) {
      const range = bytes.length === 0 ? undefined : `bytes=${bytes.length}-`
      const brought = await journey.exchange('GET', url, { range })
      bytes = Buffer.concat([bytes, brought.bytes])
      const isLost = typeof brought.status === 'string' && brought.bytes.length > 0
      if (!isLost) return { status: brought.status, bytes, exchanges }
    }
  }

  /** Stores a file. */
  async put(url: string, bytes: Uint8Array, visit: Visit): Promise<Brought> {
    await using journey = this.#begin(visit)
    return await journey.exchange('PUT', url, { body: bodyOf(bytes) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mechanisms.stop()
  }

  #begin(visit: Visit): Journey {
    return new Journey(visit, this.#caFile, this.#mechanisms)
  }
}

interface Asked {
  readonly range?: string | undefined
  readonly body?: RequestBody
}

/** The exchanges of one visit. */
class Journey implements AsyncDisposable {
  readonly #http = new HttpClient()
  readonly #visit: Visit
  readonly #caFile: string
  readonly #identity: Identity | undefined

  constructor(visit: Visit, caFile: string, mechanisms: HelperMechanisms) {
    this.#visit = visit
    this.#caFile = caFile
    const { pairs = [], settings = {} } = visit
    const world = {
      hashes: nodeHashes,
      random: systemRandom,
      clock: systemClock,
      mechanisms,
      settings: { ...defaultAuthSettings, ...settings },
    }
    this.#identity = pairs.length === 0 ? undefined : new Identity({ wallet: { pairs }, world })
  }

  async exchange(method: string, url: string, { range, body }: Asked = {}): Promise<Brought> {
    const { hop, certificate } = this.#visit
    const sink = new Sink()
    const request = {
      method,
      url,
      headers: [],
      redirects: { follow: 'silent', allowHttpsToHttp: false },
      stallTimeoutMs: PATIENCE_MS,
      signal: AbortSignal.timeout(PATIENCE_MS),
      caFile: this.#caFile,
      party: 'a visit',
      ...(range === undefined ? {} : { range }),
      ...(body === undefined ? {} : { body }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(hop === undefined ? {} : { routes: onlyOver(hop) }),
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
    } as const
    try {
      await this.#http.exchange(request, sink)
      return { status: sink.status, bytes: sink.bytes }
    } catch (error) {
      if (!(error instanceof FailureError)) throw error
      return { status: error.failure.symbol, bytes: sink.bytes }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close()
    this.#identity?.close()
  }
}

function onlyOver(hop: Hop): { find: () => readonly [Hop]; failed: () => void } {
  return { find: () => [hop], failed: () => undefined }
}

/** Keeps bodies of files, and drops those of refusals. */
class Sink implements BodySink {
  status = 0
  readonly #pieces: Buffer[] = []

  head({ status }: HttpResponse): 'take' | 'drop' {
    this.status = status
    return status < 300 ? 'take' : 'drop'
  }

  write(bytes: Uint8Array): void {
    this.#pieces.push(Buffer.from(bytes))
  }

  flush(): void {
    // Everything was copied.
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}

function bodyOf(bytes: Uint8Array): RequestBody {
  return {
    length: bytes.length,
    async *read() {
      yield bytes
    },
    hash: (algorithm) => nodeHashes.hash(algorithm, bytes),
  }
}
