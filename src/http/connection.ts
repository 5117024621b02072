/** One TCP or TLS connection: bytes out in batches, bytes in through one slab. */

import {
  connect as connectTcp,
  isIP,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { tlsServerEndPoint } from '../auth/spnego/end-point.ts'
import { nodeHashes } from './node-hashes.ts'
import { SMALL_SLAB_BYTES, type SlabStore } from './slab.ts'
import type { Target } from './target.ts'
import type { Through } from './tunnel/through.ts'
import type { ConnectionTls } from './tunnel/tls.ts'

export type { ConnectionTls } from './tunnel/tls.ts'

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
}

/**
 * How long one address may take before the next one is tried (RFC 8305 §5 says 250 ms). Node gives the earlier attempt
 * up instead of letting both run, so that a slow link would never connect at all; this is long enough for one lost SYN
 * and short enough for a broken IPv6 to be a nuisance only.
 */
const ADDRESS_ATTEMPT_MS = 2_000

/** With less room than a TLS record is long, the slab begins again: what came would come in two pieces. */
const LEAST_ROOM = 16 * 1024

/**
 * A connection from the moment it is begun.
 *
 * A socket with `onread` reads into memory of our choice and tells how much came, with no stream object on the way.
 * Each read goes behind the one before, so that TLS, whose reads end with each record (16 KiB), fills a slab of
 * adjacent views too, and the sink writes it in one piece. The slab begins again when it is full, or when nobody holds
 * a view of it, which keeps small bodies in the same, cached memory.
 */
export class Connection {
  readonly #user: ConnectionUser
  readonly #slabs: SlabStore
  readonly #socket: Socket
  #slab: Uint8Array
  /** Where the next read goes. */
  #at = 0
  #wantedBytes = SMALL_SLAB_BYTES
  #isConnected = false
  #isFlushPlanned = false
  #outgoing: Uint8Array[] = []
  #error: Error | undefined

  constructor(
    target: Target,
    user: ConnectionUser,
    slabs: SlabStore,
    { tls }: ConnectionOptions = {},
  ) {
    this.#user = user
    this.#slabs = slabs
    this.#slab = slabs.take(SMALL_SLAB_BYTES)
    this.#socket = this.#open(target, tls)
  }

  /** Sends bytes when the connection is made; all that is sent in one tick goes out in one piece. */
  send(bytes: Uint8Array): void {
    this.#outgoing.push(bytes)
    if (!this.#isConnected || this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    process.nextTick(() => this.#flushOutgoing())
  }

  /** Asks for a slab of this length from its next beginning on. */
  wantSlab(bytes: number): void {
    this.#wantedBytes = bytes
  }

  /** Resolves when the socket has taken what was sent, or will take nothing any more. */
  async drained(): Promise<void> {
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const socket = this.#socket
    if (socket.destroyed || !socket.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      socket.once('drain', resolve)
      socket.once('close', resolve)
    })
  }

  /**
   * `tls-server-end-point` of the server's certificate, once connected; `undefined` in clear text and for certificates
   * without a defined hash (A400, A403).
   */
  get channelBinding(): Uint8Array | undefined {
    if (!('getPeerX509Certificate' in this.#socket)) return undefined
    const certificate = (this.#socket as TLSSocket).getPeerX509Certificate()
    return certificate === undefined ? undefined : tlsServerEndPoint(certificate.raw, nodeHashes)
  }

  /** Stops reading: the server is held back by its own socket. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Whether an open connection keeps the process alive. */
  keepAwake(isNeeded: boolean): void {
    if (isNeeded) this.#socket.ref()
    else this.#socket.unref()
  }

  /** Breaks the connection off; {@link ConnectionUser.closed} is still called. */
  close(): void {
    this.#socket.destroy()
  }

  #open(target: Target, tls: ConnectionTls | undefined): Socket {
    const options: TcpNetConnectOpts = {
      host: target.host,
      port: target.port,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
      onread: this.#onread(),
    }
    const socket = tls === undefined ? connectTcp(options) : this.#openTls(target, options, tls)
    socket.on('lookup', () => this.#user.progressed())
    socket.on('connectionAttempt', () => this.#user.progressed())
    socket.on('connect', () => (tls === undefined ? this.#begin() : this.#user.progressed()))
    socket.on('end', () => this.#user.ended())
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => {
      this.#slabs.give(this.#slab)
      this.#user.closed(this.#error)
    })
    return socket
  }

  #openTls({ host }: Target, options: TcpNetConnectOpts, tls: ConnectionTls): TLSSocket {
    const socket = connectTls({
      ...options,
      // RFC 6066 §3: an address is not a server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: tls.context,
      ALPNProtocols: ['http/1.1'],
      ...(tls.session === undefined ? {} : { session: tls.session }),
    })
    // Not before: a request must not be on its way to a server that has not proved itself.
    socket.on('secureConnect', () => this.#begin())
    socket.on('session', tls.keepSession)
    return socket
  }

  #onread(): OnReadOpts {
    return {
      buffer: () => this.#room(),
      callback: (count, room) => {
        this.#at += count
        this.#user.received(new Uint8Array(room.buffer, room.byteOffset, count))
        return true
      },
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
      if (this.#slab.length !== this.#wantedBytes) this.#changeSlab()
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

  #begin(): void {
    this.#isConnected = true
    this.#flushOutgoing()
    this.#user.connected()
  }

  #flushOutgoing(): void {
    this.#isFlushPlanned = false
    const pieces = this.#outgoing
    const [only] = pieces
    if (only === undefined || this.#socket.destroyed) return
    this.#outgoing = []
    this.#socket.write(pieces.length === 1 ? only : Buffer.concat(pieces))
  }
}
