/** A program's own look at the certificates of servers (IBackgroundCopyServerCertificateValidationCallback, A84). */

import type { RpcClient } from '../rpc/client.ts'
import type { JobEventView } from '../rpc/contract.ts'
import { builtin } from './builtin.ts'
import { call } from './call.ts'

/** What a server has shown, after it passed every other check and before anything was sent to it. */
export interface ServerCertificate {
  /** `host:port`. */
  readonly server: string
  /** DER. */
  readonly certificate: Uint8Array
  /** Those of its authorities, nearest first; DER. */
  readonly chain: readonly Uint8Array[]
}

/** Whether a server is the right one; what it throws is a no. */
export type ValidateServerCertificate = (shown: ServerCertificate) => boolean | Promise<boolean>

/** Judges the servers of one job until it is disposed of, the job is final, or the service ends. */
export class ServerValidation implements AsyncDisposable {
  /** Resolves when nothing is judged any more; never rejects: the job then stops at the next server. */
  readonly over: Promise<void>
  readonly #client: RpcClient
  readonly #id: string
  readonly #validate: ValidateServerCertificate
  readonly #stop = new AbortController()

  /** @param watch follows the job */
  constructor(
    client: RpcClient,
    id: string,
    validate: ValidateServerCertificate,
    watch: (signal: AbortSignal) => AsyncIterable<JobEventView>,
  ) {
    this.#client = client
    this.#id = id
    this.#validate = validate
    this.over = this.#run(watch(this.#stop.signal)).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.over
  }

  async #run(events: AsyncIterable<JobEventView>): Promise<void> {
    for await (const event of events) {
      if (event.kind !== 'job') continue
      const { state, error } = event.job
      if (state === 'ERROR' && error?.symbol === WANTED) await this.#judge()
    }
  }

  async #judge(): Promise<void> {
    const id = this.#id
    const { shown } = await call(this.#client, 'job.getServerCertificate', { id })
    // The event may be older than the last judgement.
    if (shown === null) return
    const [certificate, ...chain] = shown.certificates.map((text) => Buffer.from(text, 'base64'))
    if (certificate === undefined) return
    const { server } = shown
    const accepted = await this.#accepts({ server, certificate, chain })
    const hash = builtin('node:crypto').createHash('sha256').update(certificate).digest('hex')
    await call(this.#client, 'job.judgeServerCertificate', { id, server, hash, accepted })
  }

  async #accepts(shown: ServerCertificate): Promise<boolean> {
    try {
      return await this.#validate(shown)
    } catch {
      return false
    }
  }
}

/** What a job fails with that waits to be judged. */
const WANTED = 'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED'
