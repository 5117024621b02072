/** What this room asks of an operating system: implemented once for each, in whole files. */

import type { Capability } from './capability.ts'
import type { ListenToRoutes } from './network/route-socket.ts'

/** Who opened the other end of a local socket, as the kernel saw it at that moment. */
export interface PeerCredentials {
  /** For people to read: the process may be gone and its number in use again. Absent where the kernel hides it. */
  readonly pid?: number
  /** The effective user id. */
  readonly uid: number
  /** The effective group id. */
  readonly gid: number
}

/** Bytes of a file for which room is to be had. */
export interface Reservation {
  /** From here; a whole number, 0 or more. */
  readonly offset: number
  /** So many bytes; a whole number, 1 or more. */
  readonly length: number
  /** Whether the file's length stays as it is where the reservation reaches past it. */
  readonly keepSize: boolean
}

/** The calls of one operating system. Where a call throws, it throws `SystemError`. */
export interface SystemCalls {
  /** The name of the C library behind them. */
  readonly library: Capability<string>
  /** Of a descriptor; `undefined` when it is not an end of a connected local socket. */
  readonly peerCredentials: Capability<(fd: number) => PeerCredentials | undefined>
  readonly allocate: Capability<(fd: number, room: Reservation) => 'allocated' | 'unsupported'>
  /** Every promise it gives settles only when the kernel is done with the descriptor. */
  readonly syncFileSystem: Capability<{
    readonly now: (fd: number) => void
    readonly inBackground: (fd: number) => Promise<void>
  }>
  readonly startWriteback: Capability<{
    readonly now: (fd: number, offset: number, length: number) => void
    readonly inBackground: (fd: number, offset: number, length: number) => Promise<void>
  }>
  /** `unsupported` when this file system cannot, and nothing has happened. Paths hold no NUL. */
  readonly renameNoReplace: Capability<(from: string, to: string) => 'renamed' | 'unsupported'>
  /** Gives back to the system what was freed and kept: of pages that hold nothing any more. */
  readonly trimMemory: Capability<() => void>
  /** The kernel tells by itself what happens to links, addresses and routes. */
  readonly networkNews: Capability<ListenToRoutes>
}
