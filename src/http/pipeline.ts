/** One connection and the legs on their way over it, in the order in which they were sent. */

import { assert } from '../base/error.ts'
import { FailureError } from '../job/failure.ts'
import { Fields } from '../wire/fields.ts'
import { ResponseReader } from '../wire/response-reader.ts'
import type { ResponseHead } from '../wire/wire.ts'
import type { HandshakeFacts } from './certificate/handshake.ts'
import { Connection, type ConnectionOptions, type ConnectionUser } from './connection.ts'
import { closedEarly, endlessBody, networkGone, stalled } from './failure.ts'
import type { ConnectionFacts, Lease, Leg, Worded, Wording } from './leg.ts'
import { LARGE_SLAB_BYTES, PIPELINED_SLAB_BYTES, SMALL_SLAB_BYTES, type SlabStore } from './slab.ts'
import type { Target } from './target.ts'
import { Upload } from './upload.ts'

/** Legs on one connection at the same time. */
export const PIPELINE_DEPTH = 12

/** The second of two requests is answered within this time after the first, or it was thrown away. */
const TRIAL_PATIENCE_MS = 5_000

/** Bodies up to this many bytes are small: waiting behind one costs less than another connection. */
export const SMALL_BODY_BYTES = 256 * 1024

/** Behind a body of more than this nobody waits: who was sent before its length was known is sent again elsewhere. */
const UNBEARABLE_BODY_BYTES = 1024 * 1024

/** What is read of a body that nobody wants; for more than this the connection is closed instead. */
export const DRAIN_BYTES = 64 * 1024

/** How a connection came to take no legs any more. */
export interface Ending {
  /** The server closed it or broke the protocol, nothing was heard from it, or we have no use for it. */
  readonly cause: 'server' | 'silence' | 'us'
  /** What came instead of an answer, for the leg that was due. */
  readonly error: unknown
  /** Whether the first orphan was due: it is what the server would have answered next. */
  readonly wasDue: boolean
  /** Legs without an answer, in their order. They are not settled. */
  readonly orphans: readonly Leg[]
}

/** Who hands legs to a pipeline. */
export interface PipelineOwner {
  /** Responses are over: there is room, or nothing left to do. */
  freed(pipeline: Pipeline): void
  /** These legs would wait too long here: they are better sent elsewhere. */
  evicted(legs: readonly Leg[]): void
  /** A leg came here without having been placed by the owner, who hears of it when its caller leaves. */
  adopted(leg: Leg): void
  /** The connection takes no legs any more. */
  ended(pipeline: Pipeline, ending: Ending): void
  /** Nothing is left of the connection; the last call. */
  gone(pipeline: Pipeline): void
}

/**
 * A connection that speaks HTTP/1.1.
 *
 * The first of the legs is *due*: what comes is its response. Legs are sent behind it only while responses have been
 * small, so that the time behind others stays below what another connection would cost. A leg whose caller has left
 * stays in its place, because its response comes all the same; it is dropped when it comes.
 *
 * There are servers that throw away what they read behind a request. The next thing they answered would be taken for
 * the answer to what they threw away: one file's bytes under the name of another. A trial comes first, therefore: two
 * requests in one piece, and nothing more before both are answered. Where one of them is lost there is silence, and no
 * answer that could be mistaken.
 */
export class Pipeline implements ConnectionUser, Lease, ConnectionFacts {
  readonly target: Target
  readonly #owner: PipelineOwner
  readonly #connection: Connection
  readonly #reader = new ResponseReader()
  #legs: Leg[] = []
  /** The leg whose request is being worded for this connection: not sent yet, and one at a time. */
  #worded: Leg | undefined
  /** What waits for the connection to be made. */
  #whenConnected: (() => void)[] = []
  /** Whether a consumer keeps the connection between two of its legs. */
  #isHeld = false
  #upload: Upload | undefined
  #channelBinding: Uint8Array | undefined
  #isConnected = false
  #isOver = false
  #isPaused = false
  /** What happens to the response that is due; `undefined` before its head. */
  #mode: 'take' | 'drop' | undefined
  /** Of the body that is due, as far as is known, or else of the last one. */
  #bodyBytes = 0
  #isLengthKnown = true
  #holdsViews = false
  /** Whether the connection outlives the response that is due. */
  #keepAlive = true
  #answered = 0
  #mayPipeline = false
  /** What is known of requests that come in one piece; see {@link Pipeline}. */
  #trial: 'due' | 'begun' | 'spoilt' | 'passed' = 'due'
  #wasHeard = true
  #quietSince = 0

  constructor(target: Target, owner: PipelineOwner, slabs: SlabStore, options: ConnectionOptions) {
    this.target = target
    this.#owner = owner
    this.#connection = new Connection(target, this, slabs, options)
  }

  /** How many legs are on their way or about to be; 0 only when nobody needs the connection. */
  get load(): number {
    return this.#legs.length + (this.#worded === undefined ? 0 : 1) + (this.#isHeld ? 1 : 0)
  }

  /** Whether nothing is on its way but what is being worded, which may wait for others. */
  get isWording(): boolean {
    return this.#worded !== undefined && this.load === 1 && !this.#isOver
  }

  /** Whether a consumer keeps it between two of its legs, and nothing is on its way. */
  get isHeld(): boolean {
    return this.#isHeld && this.#legs.length === 0
  }

  get facts(): ConnectionFacts {
    return this
  }

  get channelBinding(): Uint8Array | undefined {
    // Asked for once: Node forgets the certificate of the peer with the first message after the handshake.
    this.#channelBinding ??= this.#connection.channelBinding
    return this.#channelBinding
  }

  get isLoopback(): boolean {
    return this.#connection.isLoopback
  }

  get handshake(): HandshakeFacts | undefined {
    return this.#connection.handshake
  }

  get isShared(): boolean {
    return this.#legs.length > 1
  }

  /** How many responses came whole. */
  get answered(): number {
    return this.#answered
  }

  /** Whether the server has turned to it: it has answered, or is about to. */
  get isServed(): boolean {
    return this.#answered > 0 || this.#mode !== undefined
  }

  /** Whether the connection takes no legs any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether another leg may be sent behind those that are on their way. */
  get hasRoom(): boolean {
    return (
      this.#mayPipeline &&
      this.#answered > 0 &&
      this.#bodyBytes <= SMALL_BODY_BYTES &&
      this.#keepAlive &&
      !this.#isPaused &&
      !this.#isOver &&
      this.#isBelowDepth &&
      this.#worded === undefined &&
      !this.#isHeld &&
      this.#legs.at(-1)?.isExclusive !== true
    )
  }

  get #isBelowDepth(): boolean {
    if (this.#trial === 'passed') return this.#legs.length < PIPELINE_DEPTH
    return this.#legs.length === 1 && this.#trial === 'due' && this.#connection.isHoldingBack
  }

  /** Sends a leg: on an idle connection, or on one that has room. */
  send(leg: Leg): void {
    const { request } = leg.parts
    if (typeof request === 'string') this.#send(leg, request)
    else void this.#word(leg, request)
  }

  #send(leg: Leg, head: string): void {
    if (this.#legs.length > 0) this.#connection.wantSlab(PIPELINED_SLAB_BYTES)
    else this.#wasHeard = true
    if (this.#legs.length > 0 && this.#trial === 'due') {
      // What was worded meanwhile may come behind the piece that the first one left in.
      this.#trial = this.#connection.isHoldingBack ? 'begun' : 'spoilt'
    }
    leg.isBehindOthers = this.#legs.length > 0
    this.#reader.expect(leg.parts.method)
    this.#legs.push(leg)
    this.#connection.send(head)
  }

  /** Has a request worded for this connection, and sends it if the connection still is what it was worded for. */
  async #word(leg: Leg, wording: Wording): Promise<void> {
    this.#worded = leg
    if (this.#legs.length === 0) this.#wasHeard = true
    try {
      if (!this.#isConnected) {
        await new Promise<void>((resolve) => {
          this.#whenConnected.push(resolve)
        })
      }
      // Nobody begins a proof for a caller who has left.
      if (this.#worded !== leg) return
      const worded = await wording(this)
      if (this.#worded === leg) this.#sendWorded(leg, worded)
    } catch (error) {
      leg.reject(error)
      if (this.#worded === leg) this.#dropWorded()
    }
  }

  #sendWorded(leg: Leg, { head, body, awaitsContinue, isExclusive }: Worded): void {
    this.#worded = undefined
    if (leg.isSettled) return this.#owner.freed(this)
    if (isExclusive || body !== undefined) leg.setExclusive()
    this.#send(leg, head)
    if (body !== undefined) {
      this.#upload = new Upload(leg, body, awaitsContinue)
      if (!awaitsContinue) void this.#sendBody(this.#upload)
    }
    if (this.hasRoom) this.#owner.freed(this)
  }

  #dropWorded(): void {
    this.#worded = undefined
    if (!this.#isOver) this.#owner.freed(this)
  }

  async #sendBody(upload: Upload): Promise<void> {
    try {
      await upload.send({
        isOpen: () => !this.#isOver,
        send: (bytes) => this.#connection.send(bytes),
        drained: () => this.#connection.drained(),
        progressed: () => {
          this.#wasHeard = true
        },
      })
      if (upload.isOver && this.#upload === upload) this.#upload = undefined
    } catch (error) {
      if (this.#upload === upload && !this.#isOver) this.#refuse(upload.leg, error)
    }
  }

  hold(): void {
    this.#isHeld = true
    // Whatever is being worded would be sent between two legs of the one who holds.
    const worded = this.#worded
    if (worded === undefined) return
    this.#worded = undefined
    this.#owner.evicted([worded])
  }

  retire(): void {
    this.#keepAlive = false
    this.#evictBehind()
  }

  proceed(leg: Leg): boolean {
    if (!this.#isHeld || this.#isOver) return false
    this.#isHeld = false
    leg.setExclusive()
    this.#owner.adopted(leg)
    this.send(leg)
    return true
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    if (!this.#isOver && this.#legs.length === 0) this.#owner.freed(this)
  }

  /** The caller of a leg has left; of any leg, also of one that is not here. */
  abandon(leg: Leg): void {
    if (this.#worded === leg) return this.#dropWorded()
    if (!this.#legs.includes(leg)) return
    if (this.#legs[0] === leg) this.#handOver(leg)
    if (this.#legs[0] === leg || this.#legs.every(({ isSettled }) => isSettled)) {
      this.#end(undefined, 'us')
    }
  }

  /** Breaks off whatever is on its way. */
  close(reason: unknown): void {
    for (const leg of this.#legs) if (!leg.isSettled) leg.reject(reason)
    if (reason !== undefined && this.#worded?.isSettled === false) this.#worded.reject(reason)
    this.#end(reason, 'us')
  }

  /**
   * Looks whether anything was heard since the last look, and has used up what came.
   *
   * @param now steady milliseconds
   * @returns for how long nothing was heard
   */
  look(now: number): number {
    if (this.#holdsViews) this.reclaim()
    // A proxy has limits of its own while it makes the way (N98).
    if (this.#wasHeard || this.#isPaused || this.#connection.isLimited) {
      this.#wasHeard = false
      this.#quietSince = now
    }
    const quietMs = now - this.#quietSince
    this.#lookAtUpload(now)
    const due = this.#legs[0] ?? (this.#isConnected ? undefined : this.#worded)
    if (due !== undefined && quietMs >= this.#patienceMs(due)) {
      const { target, stallTimeoutMs } = due.parts
      this.#end(new FailureError(stalled(target, stallTimeoutMs, this.#isConnected)), 'silence')
    }
    return quietMs
  }

  #patienceMs(due: Leg): number {
    const { stallTimeoutMs } = due.parts
    const isTried = this.#trial === 'begun' || this.#trial === 'spoilt'
    const isLost = isTried && due.isBehindOthers && this.#mode === undefined
    return isLost ? Math.min(stallTimeoutMs, TRIAL_PATIENCE_MS) : stallTimeoutMs
  }

  /** Ends a connection whose address this machine has no more: nothing would ever come on it. */
  checkAddress(addresses: ReadonlySet<string>): void {
    const address = this.#connection.localAddress
    if (address === undefined || addresses.has(address)) return
    this.#end(new FailureError(networkGone(this.target)), 'silence')
  }

  #lookAtUpload(now: number): void {
    const upload = this.#upload
    if (upload?.isDue(now) === true) void this.#sendBody(upload)
  }

  /** Whether the connection keeps the process alive. */
  keepAwake(isNeeded: boolean): void {
    this.#connection.keepAwake(isNeeded)
  }

  pause(): void {
    if (this.#isPaused || this.#isOver) return
    this.#isPaused = true
    this.#connection.pause()
  }

  resume(): void {
    if (!this.#isPaused || this.#isOver) return
    this.#isPaused = false
    this.#wasHeard = true
    this.#connection.resume()
  }

  get holdsViews(): boolean {
    return this.#holdsViews
  }

  connected(): void {
    this.#isConnected = true
    this.#wasHeard = true
    for (const resolve of this.#whenConnected.splice(0)) resolve()
  }

  progressed(): void {
    this.#wasHeard = true
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return
    this.#wasHeard = true
    const before = this.#answered
    try {
      this.#reader.push(bytes)
      this.#read()
    } catch (error) {
      this.#end(error, 'server')
    }
    if (!this.#isOver && this.#answered > before) this.#owner.freed(this)
  }

  ended(): void {
    if (this.#isOver) return
    try {
      this.#reader.end()
      this.#read()
    } catch (error) {
      this.#end(error, 'server')
    }
  }

  closed(error: Error | undefined): void {
    this.#end(error, 'server')
    this.#owner.gone(this)
  }

  reclaim(): void {
    this.#holdsViews = false
    const due = this.#legs[0]
    if (due === undefined || due.isSettled) return
    try {
      due.parts.consumer.flush()
    } catch (error) {
      this.#refuse(due, error)
    }
  }

  /** Reads what is there. @throws {ProtocolError} when it is not HTTP */
  #read(): void {
    while (!this.#isOver) {
      const event = this.#reader.next()
      if (event === undefined) return
      switch (event.kind) {
        case 'interim':
          if (event.status === 100 && this.#upload?.isHeldBack === true) {
            void this.#sendBody(this.#upload)
          }
          break
        case 'head':
          this.#takeHead(this.#due(), event.head)
          break
        case 'body':
          this.#takeBody(this.#due(), event.bytes)
          break
        case 'end':
          this.#takeEnd(this.#due(), event.trailers)
          break
        case 'closed':
          this.#end(undefined, 'server')
          break
        default:
          event satisfies never
      }
    }
  }

  #due(): Leg {
    const [due] = this.#legs
    assert(due !== undefined, 'a response is read only while a leg is due')
    return due
  }

  #takeHead(leg: Leg, head: ResponseHead): void {
    // RFC 9110 §15.5.9: so some servers close a connection that was idle for too long. It answers no request of ours.
    const isFarewell = head.status === 408 && !head.keepAlive && this.#answered > 0
    if (isFarewell) return this.#end(undefined, 'server')
    // Pipelining is for servers of our own age, and with nobody between who might take it amiss (RFC 9112 §9.3.2).
    if (this.#answered === 0) this.#mayPipeline = head.version === '1.1' && !head.fields.has('via')
    this.#keepAlive &&= head.keepAlive
    this.#giveUpUpload()
    this.#bodyBytes = 0
    this.#mode = leg.isSettled ? 'drop' : this.#letIn(leg, head)
    if (this.#isOver) return
    const { framing } = head
    this.#isLengthKnown = framing.kind === 'length' || framing.kind === 'none'
    if (framing.kind === 'length') this.#weigh(leg, framing.length)
    else if (framing.kind === 'close' && this.#mode === 'drop') this.#leave(leg)
  }

  /** The server has answered: what of the body it has not got yet, it does not need. */
  #giveUpUpload(): void {
    if (this.#upload === undefined) return
    this.#upload.giveUp()
    this.#upload = undefined
    // Whatever came next the server may take for the body: also where it was held back, nobody knows what it expects.
    this.#keepAlive = false
  }

  #letIn(leg: Leg, head: ResponseHead): 'take' | 'drop' {
    try {
      const mode = leg.parts.consumer.head(head, this)
      if (mode === 'take' && head.framing.kind === 'close' && this.target.scheme === 'https') {
        throw new FailureError(endlessBody(leg.parts.target))
      }
      return mode
    } catch (error) {
      this.#refuse(leg, error)
      return 'drop'
    }
  }

  /** Acts on a body being as long as this, or longer. */
  #weigh(leg: Leg, bytes: number): void {
    this.#bodyBytes = bytes
    if (this.#mode === 'drop') {
      if (bytes > DRAIN_BYTES) this.#leave(leg)
      return
    }
    if (bytes <= UNBEARABLE_BODY_BYTES) return
    this.#connection.wantSlab(LARGE_SLAB_BYTES)
    if (this.#legs.length === 1) return
    // The server will answer them all the same, behind this body: the connection ends with it.
    this.#keepAlive = false
    this.#evictBehind()
  }

  #evictBehind(): void {
    const behind = this.#legs.splice(1)
    this.#owner.evicted(behind.filter(({ isSettled }) => !isSettled))
  }

  #takeBody(leg: Leg, bytes: Uint8Array): void {
    if (!this.#isLengthKnown) this.#weigh(leg, this.#bodyBytes + bytes.length)
    if (this.#mode !== 'take' || this.#isOver) return
    this.#holdsViews = true
    try {
      leg.parts.consumer.write(bytes)
    } catch (error) {
      this.#refuse(leg, error)
    }
  }

  #takeEnd(leg: Leg, trailers: Fields): void {
    if (this.#mode === 'take') this.reclaim()
    if (this.#isOver) return
    this.#mode = undefined
    this.#answered++
    this.#legs.shift()
    if (this.#legs.length === 0 && this.#trial === 'begun') this.#trial = 'passed'
    else if (this.#legs.length === 0 && this.#trial === 'spoilt') this.#trial = 'due'
    if (!leg.isSettled) leg.resolve(trailers)
    // The tap was for this body.
    this.resume()
    if (!this.#keepAlive) this.#end(undefined, 'server')
    else if (this.#bodyBytes > UNBEARABLE_BODY_BYTES) this.#connection.wantSlab(SMALL_SLAB_BYTES)
  }

  /** The consumer does not want the response. */
  #refuse(leg: Leg, error: unknown): void {
    leg.reject(error)
    this.#end(undefined, 'us')
  }

  /** The rest of a body that nobody wants is too long: it is cheaper to close. */
  #leave(leg: Leg): void {
    if (!leg.isSettled) leg.resolve(Fields.empty)
    this.#end(undefined, 'us')
  }

  /**
   * Takes no legs any more.
   *
   * A leg whose response has begun fails. On a connection that has answered before, a response of which not even the
   * head came whole has not begun: whatever came may be the rest of the one before.
   */
  #end(error: unknown, cause: Ending['cause']): void {
    if (this.#isOver) return
    this.#isOver = true
    const [taker] = this.#legs
    if (taker !== undefined && !taker.isSettled) this.#handOver(taker)
    this.#connection.close()
    const worded = this.#worded
    const legs = worded === undefined ? this.#legs : [...this.#legs, worded]
    this.#legs = []
    this.#worded = undefined
    this.#isHeld = false
    this.#upload = undefined
    const [due] = legs
    const hasBegun =
      this.#mode !== undefined || (this.#answered === 0 && this.#reader.hasResponseBegun)
    if (due !== undefined && !due.isSettled && hasBegun) due.fail(error ?? this.#closedEarly(due))
    const orphans = legs.filter(({ isSettled }) => !isSettled)
    // A server that closes while a request is being worded, which may take as long as a ticket takes, has not seen it.
    const isUnsent = due !== undefined && due === worded && this.#isConnected && !due.isAlone
    if (isUnsent) due.countResend()
    const wasDue = due !== undefined && due === orphans[0] && !isUnsent
    this.#owner.ended(this, { cause, error, wasDue, orphans })
  }

  /** Lets a consumer use what it was given though no more comes: a download goes on behind it the next time. */
  #handOver(leg: Leg): void {
    if (!this.#holdsViews || this.#mode !== 'take') return
    this.#holdsViews = false
    try {
      leg.parts.consumer.flush()
    } catch {
      // The leg ends for another reason; what could not be used now is asked for again.
    }
  }

  #closedEarly(leg: Leg): FailureError {
    return new FailureError(closedEarly(leg.parts.target))
  }
}
