/** Who is at the other end of a local socket. */

import type { Socket } from 'node:net'
import { systemCalls } from './system.ts'
import type { PeerCredentials, SystemCalls } from './system-calls.ts'

/**
 * The user and process at the other end of a connected local socket, as they were when that end connected (or, for
 * whoever connects, when the other end began to listen). The kernel vouches for them; the peer can neither choose nor
 * later change them, but it can hand its end to another process.
 *
 * Linux: SO_PEERCRED, unix(7); a user that does not exist in our user namespace appears as the overflow user, 65534.
 * macOS: getpeereid(3). Without koffi, on Windows (where the pipe's access list guards) and elsewhere there is no plain
 * way to learn it.
 *
 * @param socket either end, not yet destroyed
 * @param calls the operating system's, chosen by default
 * @returns `undefined` where it cannot be told: also for a closed socket, and for one of the network. Never throws
 */
export function peerCredentials(
  socket: Socket,
  calls: SystemCalls = systemCalls(),
): PeerCredentials | undefined {
  if (calls.peerCredentials.kind === 'missing') return undefined
  const fd = descriptorOf(socket)
  return fd === undefined ? undefined : calls.peerCredentials.value(fd)
}

/** The socket's file descriptor while it is open. */
function descriptorOf(socket: Socket): number | undefined {
  // Node shows no descriptor of a socket in its public interface; the handle behind it has had `fd` on every POSIX
  // system since 0.12. Whatever this is of another Node, it is checked before use.
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null }
  const fd = handle?.fd
  return typeof fd === 'number' ? fd : undefined
}
