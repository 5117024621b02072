/** A connection while it is made: what breaks it off, how long it may take, and who hears its bytes meanwhile. */

import type { OnReadOpts, Socket } from 'node:net'
import type { SteadyClock } from '../steady-clock.ts'

/** Where the bytes of a connection's own socket go. */
export interface Inlet {
  /** Reads into memory of the connection's choice, and gives views of it to {@link hear}. */
  readonly onread: OnReadOpts
  /** Who hears the bytes now; set by whoever speaks. A view is valid until `hear` returns. */
  hear: (bytes: Uint8Array) => void
}

/** What a journey is made of. */
export interface JourneyOptions {
  readonly clock: SteadyClock
  readonly inlet: Inlet
  /** Hears that it goes on: a name was found, an address is tried, somebody answered. */
  readonly progressed: () => void
}

/**
 * Everything under way for one connection. Whoever waits in it waits for its sockets, and those are destroyed when it
 * is broken off, so that every wait ends.
 */
export class Journey {
  readonly clock: SteadyClock
  readonly inlet: Inlet
  readonly progressed: () => void
  /** Whether limits of its own run, so that silence is no stall; to be set by whoever sets the limits. */
  isLimited = false
  readonly #end = new AbortController()

  constructor({ clock, inlet, progressed }: JourneyOptions) {
    this.clock = clock
    this.inlet = inlet
    this.progressed = progressed
  }

  /** Aborts when it is broken off. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  /** Destroys what is under way. May be called twice; the first reason counts. */
  breakOff(reason: Error): void {
    this.#end.abort(reason)
  }

  /** Takes a socket in: it goes down with the journey, and what goes wrong with it is asked of the socket itself. */
  own<Kind extends Socket>(socket: Kind): Kind {
    socket.on('error', (error) => {
      if (!errors.has(socket)) errors.set(socket, error)
    })
    const { signal } = this
    const destroy = (): void => void socket.destroy(signal.reason as Error) // Only breakOff() aborts.
    if (signal.aborted) destroy()
    signal.addEventListener('abort', destroy)
    socket.once('close', () => signal.removeEventListener('abort', destroy))
    return socket
  }

  /** Breaks the journey off unless what is returned is disposed of in time. @param limitMs steady milliseconds */
  limit(limitMs: number, tooLate: () => Error): Disposable {
    return this.clock.alarm(limitMs, () => this.breakOff(tooLate()))
  }
}

/**
 * Waits for an event of a socket.
 *
 * @throws what the socket was destroyed with, when it ends before; ECONNRESET when it says nothing
 */
export function happens(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const ended = (): void => reject(endOf(socket))
  const happened = (): void => {
    // Whoever heard of it before did not like what it found: the end of the socket tells what.
    if (socket.destroyed) return
    socket.off('close', ended)
    resolve()
  }
  socket.once(event, happened)
  socket.once('close', ended)
  if (socket.closed) ended()
  return promise
}

/** What went wrong first. A socket does not remember it itself: what TLS is told in alerts does not end it. */
const errors = new WeakMap<Socket, Error>()

/** What went wrong with a socket that a journey owns or owned; `undefined` when nothing did. */
export function errorOf(socket: Socket): Error | undefined {
  return errors.get(socket)
}

/** Why a socket of a journey is over; ECONNRESET when nothing went wrong. */
export function endOf(socket: Socket): Error {
  const closed = 'the connection was closed'
  return errorOf(socket) ?? Object.assign(new Error(closed), { code: 'ECONNRESET' })
}
