/** One TCP or TLS connection: bytes out in batches, bytes in through one slab. */

import type { OnReadOpts, Socket } from 'node:net'
import type { Proxy } from '../job/route.ts'
import { handshakeFacts, type HandshakeFacts } from './certificate/handshake.ts'
import { SMALL_SLAB_BYTES, type SlabStore } from './slab.ts'
import { hostClock, type SteadyClock } from './steady-clock.ts'
import { isLoopbackAddress } from './tunnel/addresses.ts'
import { proxyTlsError } from './tunnel/failure.ts'
import { endOf, errorOf, Journey, type Inlet } from './tunnel/journey.ts'
import { reach, type Reached } from './tunnel/reach.ts'
import type { Place } from './tunnel/dial.ts'
import type { Through } from './tunnel/through.ts'
import { channelBindingOf, type ConnectionTls } from './tunnel/tls.ts'

export type { ConnectionTls } from './tunnel/tls.ts'
export type { Through } from './tunnel/through.ts'

/** Who a connection works for. None of the calls may throw. */
export interface ConnectionUser {
  /** Whether views of the slab are still to be used, so that it cannot begin again before {@link reclaim}. */
  readonly holdsViews: boolean
  /** The connection is made and, with TLS, the server proved itself: what was sent goes out now. */
  connected(): void
  /** Getting connected goes on: a name was found, another address is tried. */
  progressed(): void
  /** Bytes came: a view of the slab, valid until {@link reclaim}. */
  received(bytes: Uint8Array): void
  /** The slab begins again: every view must have been used when this returns. */
  reclaim(): void
  /** The server has closed its side. */
  ended(): void
  /** Nothing is left of the connection; the last call. @param error why, unless it was closed by either side */
  closed(error: Error | undefined): void
}

/** How a connection is made. */
export interface ConnectionOptions {
  /** TLS to the server; absent: clear text. */
  readonly tls?: ConnectionTls | undefined
  /** The proxy to go through; absent: straight to the server. */
  readonly through?: Through | undefined
  /** For the limits of the way (N98, RFC 8305); this machine's unless a test turns it. */
  readonly clock?: SteadyClock
}

/** Bytes, or text of octets. */
type Outgoing = Uint8Array | string

/** With less room than a TLS record is long, the slab begins again: what came would come in two pieces. */
const LEAST_ROOM = 16 * 1024

/**
 * A connection from the moment it is begun.
 *
 * A socket with `onread` reads into memory of our choice and tells how much came, with no stream object on the way.
 * Each read goes behind the one before, so that TLS, whose reads end with each record (16 KiB), fills a slab of
 * adjacent views too, and the sink writes it in one piece. The slab begins again when it is full, or when nobody holds
 * a view of it, which keeps small bodies in the same, cached memory.
 *
 * TLS inside a socket that is open already takes no memory of ours: what it reads is copied into the slab.
 */
export class Connection {
  readonly #user: ConnectionUser
  readonly #slabs: SlabStore
  /** The proxy, when the connection leads there and no further. */
  readonly #lastHop: Proxy | undefined
  readonly #inlet: Inlet
  readonly #journey: Journey
  readonly #made: Promise<void>
  #socket: Socket | undefined
  #slab: Uint8Array
  /** Where the next read goes. */
  #at = 0
  #wantedBytes = SMALL_SLAB_BYTES
  #isAwake = true
  #isClosed = false
  #isFlushPlanned = false
  #outgoing: Outgoing[] = []

  constructor(
    target: Place,
    user: ConnectionUser,
    slabs: SlabStore,
    { tls, through, clock = hostClock }: ConnectionOptions = {},
  ) {
    this.#user = user
    this.#slabs = slabs
    this.#lastHop = tls === undefined ? through?.proxy : undefined
    this.#slab = slabs.take(SMALL_SLAB_BYTES)
    const inlet: Inlet = { onread: this.#onread(), hear: () => undefined }
    this.#inlet = inlet
    this.#journey = new Journey({ clock, inlet, progressed: () => user.progressed() })
    this.#made = this.#make(target, tls, through)
  }

  /** Whether limits of the way to a proxy run (N98): until they are over, silence is no stall. */
  get isLimited(): boolean {
    return this.#journey.isLimited
  }

  /**
   * `tls-server-end-point` of the certificate of whoever is spoken to, once connected; `undefined` in clear text and for
   * certificates without a defined hash (A400, A403). Computed at each call.
   */
  get channelBinding(): Uint8Array | undefined {
    return this.#socket === undefined ? undefined : channelBindingOf(this.#socket)
  }

  /** Whether it leads to a loopback address of this machine; `false` until it is made. */
  get isLoopback(): boolean {
    return isLoopbackAddress(this.#socket?.remoteAddress)
  }

  /** Sends something when the connection is made; all that is sent in one tick goes out in one piece. */
  send(octets: Outgoing): void {
    this.#outgoing.push(octets)
    if (this.#socket === undefined || this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    process.nextTick(() => this.#flushOutgoing())
  }

  /** Whether there is something to send that has not left yet: what is sent now goes out with it, in one piece. */
  get isHoldingBack(): boolean {
    return this.#outgoing.length > 0
  }

  /** Resolves when the socket has taken what was sent, or will take nothing any more. */
  async drained(): Promise<void> {
    await this.#made
    this.#flushOutgoing()
    const socket = this.#socket
    if (socket === undefined || socket.destroyed || !socket.writableNeedDrain) return
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('drain', resolve)
    socket.once('close', resolve)
    await promise
    socket.off('drain', resolve)
    socket.off('close', resolve)
  }

  /** Asks for a slab of this length from its next beginning on. */
  wantSlab(bytes: number): void {
    this.#wantedBytes = bytes
  }

  /** The address of this machine that it is bound to, once there is one. */
  get localAddress(): string | undefined {
    return this.#socket?.localAddress
  }

  /** What was seen of the TLS handshake with the server. */
  get handshake(): HandshakeFacts | undefined {
    return this.#socket === undefined ? undefined : handshakeFacts(this.#socket)
  }

  /** Stops reading: the server is held back by its own socket. What was read already still comes. */
  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** Whether an open connection keeps the process alive. */
  keepAwake(isNeeded: boolean): void {
    this.#isAwake = isNeeded
    if (isNeeded) this.#socket?.ref()
    else this.#socket?.unref()
  }

  /** Breaks the connection off; {@link ConnectionUser.closed} is still called. */
  close(): void {
    this.#isClosed = true
    if (this.#socket !== undefined) this.#socket.destroy()
    else this.#journey.breakOff(new Error('The connection is not needed any more'))
  }

  async #make(
    target: Place,
    tls: ConnectionTls | undefined,
    through: Through | undefined,
  ): Promise<void> {
    try {
      const reached = await reach(target, tls, through, this.#journey)
      this.#journey.signal.throwIfAborted()
      this.#begin(reached)
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.#journey.breakOff(reason)
      this.#over(reason)
    }
  }

  #begin({ socket, early, readsInlet }: Reached): void {
    this.#socket = socket
    if (socket.closed) return this.#over(endOf(socket))
    this.#inlet.hear = (bytes) => {
      this.#at += bytes.length
      this.#user.received(bytes)
    }
    if (!readsInlet) socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('end', () => this.#end(socket))
    socket.on('close', () => this.#over(errorOf(socket)))
    if (!this.#isAwake) socket.unref()
    this.#flushOutgoing()
    this.#user.connected()
    // Memory of its own: the socket already reads into the slab from its beginning on.
    if (early.length > 0) this.#user.received(early)
  }

  #end(socket: Socket): void {
    // Behind an alert that says why, the end is not the server's word.
    if (errorOf(socket) === undefined) this.#user.ended()
    else socket.destroy()
  }

  #over(error: Error | undefined): void {
    this.#slabs.give(this.#slab)
    if (error === undefined || this.#isClosed) this.#user.closed(undefined)
    else
      this.#user.closed(this.#lastHop === undefined ? error : proxyTlsError(error, this.#lastHop))
  }

  #onread(): OnReadOpts {
    return {
      buffer: () => this.#room(),
      callback: (count, room) => {
        this.#inlet.hear(new Uint8Array(room.buffer, room.byteOffset, count))
        return true
      },
    }
  }

  /** Copies bytes into the slab that were read elsewhere. */
  #take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.#room()
      const piece = bytes.subarray(at, at + room.length)
      room.set(piece)
      this.#inlet.hear(new Uint8Array(room.buffer, room.byteOffset, piece.length))
      at += piece.length
    }
  }

  /** Where the next read goes: the free part of the slab. */
  #room(): Uint8Array {
    if (this.#at > 0) {
      const isFull = this.#slab.length - this.#at < LEAST_ROOM
      if (isFull && this.#user.holdsViews) this.#user.reclaim()
      if (isFull || !this.#user.holdsViews) this.#at = 0
    }
    if (this.#at === 0) {
      // Before the connection is made several attempts may have been given this one.
      const mayChange = this.#socket !== undefined
      if (mayChange && this.#slab.length !== this.#wantedBytes) this.#changeSlab()
      return this.#slab
    }
    return new Uint8Array(
      this.#slab.buffer,
      this.#slab.byteOffset + this.#at,
      this.#slab.length - this.#at,
    )
  }

  #changeSlab(): void {
    this.#slabs.give(this.#slab)
    this.#slab = this.#slabs.take(this.#wantedBytes)
  }

  #flushOutgoing(): void {
    this.#isFlushPlanned = false
    const pieces = this.#outgoing
    if (pieces.length === 0 || this.#socket === undefined || this.#socket.destroyed) return
    this.#outgoing = []
    if (pieces.every(isText)) this.#socket.write(pieces.join(''), 'latin1')
    else this.#socket.write(inOnePiece(pieces))
  }
}

function isText(octets: Outgoing): octets is string {
  return typeof octets === 'string'
}

function inOnePiece(pieces: readonly Outgoing[]): Uint8Array {
  const [only] = pieces
  if (pieces.length === 1 && only instanceof Uint8Array) return only
  return Buffer.concat(pieces.map((each) => (isText(each) ? Buffer.from(each, 'latin1') : each)))
}
