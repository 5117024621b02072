/**
 * One file of a turn, from its order to its last byte:
 *
 * ```
 *  check the target → open the partial file → ask (again, where a part came) → judge the answer
 *    → write what comes → verify → finish
 * ```
 *
 * What is there of another version is never overwritten before the engine has forgotten it (`restart`).
 */

import { countBytes, firstGap } from '../base/byte-range.ts'
import type { Clock } from '../base/clock.ts'
import type { Eventually } from '../base/eventually.ts'
import type { FileOrder, FileProgress } from '../engine/order.ts'
import { PartialFile } from '../files/partial-file.ts'
import { checkTarget, siblingTarget, type TargetChecks } from '../files/target.ts'
import { Verification, type Passage } from '../files/verify.ts'
import { DistrustError } from '../http/failure.ts'
import { DisallowedRedirectError } from '../http/redirect.ts'
import type {
  BodySink,
  ExchangeResult,
  HttpClient,
  HttpRequest,
  HttpResponse,
} from '../http/http.ts'
import type { Identity } from '../http/identity.ts'
import { failure, FailureError } from '../job/failure.ts'
import type { FileIdentity, TransferOptions } from '../job/job.ts'
import { parseContentDispositionFileName } from '../wire/content-disposition.ts'
import {
  formatDigestHex,
  parseDigestOption,
  strongestFirst,
  wholeFileDigests,
  type Digest,
} from '../wire/digest-fields.ts'
import { safeFileName } from '../wire/file-name.ts'
import { parseHttpDate } from '../wire/http-date.ts'
import { ifRange, policyAfter, type Version } from '../wire/validator.ts'
import { judge, type Verdict } from './answer.ts'

/** What every request of a turn has in common. */
export type Asking = Omit<HttpRequest, 'url' | 'range' | 'ifRange' | 'identity'>

/** What a file needs to know of its turn. */
export interface TransferContext {
  readonly http: HttpClient
  readonly asking: Asking
  readonly targets: TargetChecks
  /** As whom a file is asked for. @param urlCredentials wiped */
  readonly identityOf: (urlCredentials: Uint8Array | undefined) => Identity | undefined
  readonly clock: Clock
  readonly transfer: TransferOptions
  readonly signal: AbortSignal
  /** Resolves once the engine has forgotten the bytes of this file. */
  readonly restart: (ordinal: number, reason: string, tagOnly: boolean) => Promise<void>
  /** A server answered with bytes to come. */
  readonly connected: () => void
  /** The length of a large file is known; what is durable of it has not changed. */
  readonly sized: (progress: FileProgress) => void
  /** Bytes were received. */
  readonly received: (bytes: number) => void
  /** The file is whole. */
  readonly done: (transfer: FileTransfer) => void
  /** The file cannot be had now. */
  readonly broke: (transfer: FileTransfer, error: unknown) => void
}

/** How often one file may start again within one turn before that is a failure. */
const RESTARTS_PER_TURN = 4

/** Room is reserved for files of at least this many bytes; below, the reservation costs more than it saves. */
const ALLOCATE_FROM_BYTES = 1024 * 1024

const partTooLong = failure(
  'BG_E_INVALID_SERVER_RESPONSE',
  'REMOTE_FILE',
  'The server sent more bytes than the part has that it calls them',
)

function isDistrust(error: FailureError): boolean {
  return error instanceof DistrustError || error.code === 'BG_E_VALIDATION_FAILED'
}

/** One file on its way. */
export class FileTransfer implements BodySink {
  readonly order: FileOrder
  readonly #context: TransferContext
  #partial: PartialFile | undefined
  #verification: Verification | undefined
  /** Everything before this offset is flushed to the file. */
  #flushed = 0
  /** Where the next byte goes. */
  #position = 0
  /** Where a part ends that is on its way. */
  #end = Number.POSITIVE_INFINITY
  #size: number | undefined
  #version: Version | undefined
  #tagRestarts: number
  #restarts = 0
  #verdict: Verdict | undefined
  #localName: string
  #remoteName: string
  #fileIdentity: FileIdentity | undefined
  /** As whom the file is asked for. */
  #identity: Identity | undefined
  /** What was last promised to be durable. */
  #promised = 0

  constructor(order: FileOrder, context: TransferContext) {
    this.order = order
    this.#context = context
    this.#position = firstGap(order.ranges)
    this.#flushed = this.#position
    this.#promised = this.#position
    this.#size = order.size
    this.#version = order.version
    this.#tagRestarts = order.tagRestarts
    this.#localName = order.localName
    this.#remoteName = order.remoteName
  }

  /** Bytes that are in the file and that no sync has covered yet. */
  get unsynced(): number {
    return this.#flushed - this.#promised
  }

  /** The length, once the file is whole. */
  get size(): number {
    return this.#size ?? 0
  }

  /** The partial file, while it is open. */
  get partial(): PartialFile | undefined {
    return this.#partial
  }

  /** Fetches what is missing, and says how that went. Never rejects; what was flushed stays. */
  async run(): Promise<void> {
    const { transfer, signal, targets, identityOf } = this.#context
    try {
      signal.throwIfAborted()
      if (!transfer.contentDisposition) targets.check(this.#localName, transfer)
      if (countBytes(this.order.ranges) > 0) await this.#reopen()
      this.#identity = identityOf(this.order.urlCredentials)
      while (!this.#isWhole) {
        const before = this.#position
        this.#verdict = undefined
        const result = await this.#context.http.exchange(this.#request(before), this)
        const more = this.#answered(result, before)
        if (more !== undefined) await more
      }
      if (this.#verification !== undefined || this.order.digests.length > 0) await this.#verify()
      this.#finish()
    } catch (error) {
      return this.#break(error)
    }
    this.#context.done(this)
  }

  /** Ends the file's way for now. */
  async #break(error: unknown): Promise<void> {
    // bits-jobs.md §22.7: so that whoever disallowed it can look where it leads.
    const { location } = error instanceof DisallowedRedirectError ? error : {}
    if (location !== undefined) this.#remoteName = location
    this.#context.broke(this, await this.#unlearnt(error))
  }

  /**
   * What a server sent that did not prove itself is forgotten, and so are bytes that a digest does not agree with: gone
   * on with, they would be taken for whole.
   *
   * @returns what stands in the way then
   */
  async #unlearnt(error: unknown): Promise<unknown> {
    if (!(error instanceof FailureError) || !isDistrust(error)) return error
    try {
      this.#restarts = 0
      await this.#restart(error.failure.sentence, false)
      return error
    } catch (another) {
      return another
    }
  }

  get #isWhole(): boolean {
    return this.#size !== undefined && this.#position === this.#size && this.#partial !== undefined
  }

  /** Takes up what the order says is there, if it is there and can be gone on with. */
  async #reopen(): Promise<void> {
    const partial = PartialFile.openExisting(this.order.partialName, this.#position, {
      target: this.#localName,
    })
    if (partial === undefined) return this.#restart('the partial file is gone or too short', false)
    this.#partial = partial
    if (this.#isWhole) return this.#expect([], { continuous: false })
    if (this.#version === undefined || this.#condition === undefined) {
      await this.#restart(
        'the server gave nothing that would prove the rest to be of the same version',
        false,
      )
    }
  }

  get #condition(): string | undefined {
    return this.#version === undefined
      ? undefined
      : ifRange(this.#version, policyAfter(this.#tagRestarts))
  }

  /** @returns a promise where the engine has to forget something before it can go on */
  #answered({ response, trailers }: ExchangeResult, before: number): Eventually<void> {
    const verdict = this.#judged()
    if (verdict?.kind === 'restart') return this.#restart(verdict.reason, verdict.tagOnly)
    if (verdict?.kind === 'whole') {
      this.#size = verdict.size
      return this.#expect([], { continuous: false })
    }
    if (trailers.size > 0) {
      const { status } = response
      this.#takeClaims({ status, field: (name) => trailers.get(name) }, { continuous: false })
    }
    this.#size ??= this.#position
    if (this.#position === before && !this.#isWhole) {
      throw new FailureError(
        failure(
          'BG_E_INVALID_SERVER_RESPONSE',
          'REMOTE_FILE',
          'The server answered without any of the bytes asked for',
        ),
      )
    }
  }

  #request(offset: number): HttpRequest {
    // Never the place that a redirect has led to: what the job may prove is for the one that it has named (A380).
    const request = { ...this.#context.asking, url: this.order.remoteName }
    const identified =
      this.#identity === undefined ? request : { ...request, identity: this.#identity }
    if (offset === 0) return identified
    const condition = this.#condition
    return {
      ...identified,
      range: `bytes=${offset}-`,
      ...(condition === undefined ? {} : { ifRange: condition }),
    }
  }

  /** What {@link head} decided during an exchange. */
  #judged(): Verdict | undefined {
    return this.#verdict
  }

  /** The final head of an exchange: decides about the body. */
  head(response: HttpResponse): 'take' | 'drop' {
    const { clock } = this.#context
    const verdict = judge(
      { offset: this.#position, version: this.#version, tagRestarts: this.#tagRestarts },
      response,
      clock.now(),
    )
    this.#verdict = verdict
    if (verdict.kind === 'fail') throw new FailureError(verdict.failure)
    if (verdict.kind !== 'take') return 'drop'
    this.#take(response, verdict)
    this.#context.connected()
    return 'take'
  }

  #take(response: HttpResponse, verdict: Extract<Verdict, { kind: 'take' }>): void {
    const { transfer } = this.#context
    this.#end = verdict.end ?? Number.POSITIVE_INFINITY
    this.#size = verdict.size
    this.#version =
      verdict.offset === 0 ? verdict.version : { ...verdict.version, ...this.#version }
    if (transfer.redirects.follow === 'report') this.#remoteName = response.url
    if (transfer.contentDisposition) this.#takeName(response)
    this.#partial ??= PartialFile.create(this.order.partialName, { target: this.#localName })
    this.#takeClaims(response, { continuous: verdict.offset === 0 })
    if (verdict.size !== undefined && verdict.size - verdict.offset >= ALLOCATE_FROM_BYTES) {
      this.#partial.allocate(verdict.size)
      this.#context.sized(this.#facts(this.#promised))
    }
  }

  /** What a server says the file should be, before its body or behind; most say nothing. */
  #takeClaims({ status, field }: Pick<HttpResponse, 'status' | 'field'>, passage: Passage): void {
    const announced = wholeFileDigests(status, {
      reprDigest: field('repr-digest'),
      contentDigest: field('content-digest'),
      digest: field('digest'),
      contentMd5: field('content-md5'),
    })
    this.#expect(announced, passage)
  }

  /** What was told with any part counts for the whole, whoever has died since; and so does what the user says. */
  #expect(announced: readonly Digest[], passage: Passage): void {
    const { digest } = this.#version ?? {}
    const told =
      digest === undefined ? announced : strongestFirst([...announced, parseDigestOption(digest)])
    const [strongest] = told
    if (strongest === undefined && this.order.digests.length === 0) return
    this.#verification ??= new Verification(this.order.digests, passage)
    this.#verification.expect(told)
    if (strongest === undefined) return
    const hex = formatDigestHex(strongest)
    this.#version = { ...this.#version, digest: `${strongest.algorithm}:${hex}` }
  }

  /** The server may name the file, within the folder of the target. */
  #takeName({ field }: HttpResponse): void {
    const given = parseContentDispositionFileName(field('content-disposition'))
    const name = given === undefined ? undefined : safeFileName(given)
    if (name !== undefined) this.#localName = siblingTarget(this.order.localName, name)
    checkTarget(this.#localName, this.#context.transfer)
  }

  /** Bytes of the body, in the connection's slab: kept until {@link flush}. */
  write(bytes: Uint8Array): void {
    // Without a Content-Length nothing else ends a part where it says that it does.
    if (this.#position + bytes.length > this.#end) throw new FailureError(partTooLong)
    this.#partial?.write(bytes, this.#position)
    this.#verification?.update(bytes)
    this.#position += bytes.length
    this.#context.received(bytes.length)
  }

  /** The slab is about to be reused, or the body is over. */
  flush(): void {
    this.#partial?.flush()
    this.#flushed = this.#position
  }

  async #restart(reason: string, tagOnly: boolean): Promise<void> {
    if (++this.#restarts > RESTARTS_PER_TURN) {
      throw new FailureError(
        failure(
          'BG_E_REMOTE_FILE_CHANGED',
          'REMOTE_FILE',
          `The file keeps changing while it is fetched: ${reason}`,
          {
            severity: 'transient',
          },
        ),
      )
    }
    // At once, so that no checkpoint promises again what the engine is about to forget.
    this.#partial?.close()
    this.#partial = undefined
    this.#verification = undefined
    this.#position = 0
    this.#flushed = 0
    this.#promised = 0
    this.#size = undefined
    this.#version = undefined
    if (tagOnly) this.#tagRestarts++
    await this.#context.restart(this.order.ordinal, reason, tagOnly)
    this.#context.signal.throwIfAborted()
  }

  async #verify(): Promise<void> {
    const partial = this.#partial
    if (partial === undefined) return
    this.#verification ??= new Verification(this.order.digests, { continuous: false })
    await this.#verification.check(partial, this.size, this.#context.signal)
  }

  #finish(): void {
    // Many finished files wait for one sync: what is not needed any more is let go.
    this.#verification = undefined
    this.#verdict = undefined
    // Of the version: the last answer need not have told.
    const modifiedAt = parseHttpDate(this.#version?.lastModified ?? '')
    this.#fileIdentity = this.#partial?.finish({ size: this.size, modifiedAt })
  }

  /** Makes what is flushed durable, and says what that is. */
  async sync(): Promise<FileProgress> {
    // What comes while the sync is under way, the end of the file with it, is for the next one to promise.
    const covered = this.#facts()
    const partial = this.#partial
    await partial?.sync()
    // What was covered is forgotten where the file has begun again meanwhile.
    return this.#promise(this.#partial === partial ? covered : this.#facts(this.#promised))
  }

  /** What is true now that a sync, begun after the last flush, has covered the file. */
  promise(): FileProgress {
    return this.#promise(this.#facts())
  }

  #promise(covered: FileProgress): FileProgress {
    this.#promised = firstGap(covered.ranges)
    return covered
  }

  #facts(end = this.#flushed): FileProgress {
    return {
      ordinal: this.order.ordinal,
      ranges: end > 0 ? [{ start: 0, end }] : [],
      transferred: this.#fileIdentity !== undefined,
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      ...(this.#fileIdentity === undefined ? {} : { identity: this.#fileIdentity }),
      ...(this.#localName === this.order.localName ? {} : { localName: this.#localName }),
      ...(this.#remoteName === this.order.remoteName ? {} : { remoteName: this.#remoteName }),
    }
  }

  close(): void {
    this.#partial?.close()
    this.#partial = undefined
    this.order.urlCredentials?.fill(0)
  }
}
