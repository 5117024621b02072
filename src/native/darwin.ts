/** The calls of macOS. */

import { fstatSync, ftruncateSync } from 'node:fs'
import { constants } from 'node:os'
import { derive, missing } from './capability.ts'
import type { Capability } from './capability.ts'
import { declare, openLibrary } from './library.ts'
import type { ForeignFunction, ForeignLibrary } from './library.ts'
import type { PeerCredentials, Reservation, SystemCalls } from './system-calls.ts'
import { isUnsupported, SystemError, uninterrupted } from './system-error.ts'

/** sys/un.h: the level of options of local sockets. */
const SOL_LOCAL = 0
/** sys/un.h: the process at the other end, a pid_t of 4 bytes. */
const LOCAL_PEERPID = 2
const PID_BYTES = 4
/** fcntl(2): reserve room as a `struct fstore` says. */
const F_PREALLOCATE = 42
/** fcntl(2): all of it or nothing. */
const F_ALLOCATEALL = 4
/** fcntl(2): counted from the physical end of the file. */
const F_PEOFPOSMODE = 3
/** sys/fcntl.h `struct fstore`: flags and mode of 4 bytes, offset, length and bytes allocated of 8. */
const FSTORE_BYTES = 32
/** The unit of `st_blocks` (stat(2)). */
const BLOCK_BYTES = 512
/** sys/stdio.h, renamex_np(2). */
const RENAME_EXCL = 4

/**
 * Opens the calls of macOS.
 *
 * @param library the C library, or why there is none
 */
export function openDarwin(
  library: Capability<ForeignLibrary> = openLibrary(['libSystem.B.dylib']),
): SystemCalls {
  const getsockopt = declare(library, ['getsockopt'], ['int', 'int', 'int', 'void *', 'void *'])
  return {
    library: derive(library, ({ name }) => name),
    peerCredentials: derive(
      declare(library, ['getpeereid'], ['int', 'void *', 'void *']),
      (getpeereid) => (fd) => readPeer(getpeereid, getsockopt, fd),
    ),
    // Variadic, because Apple's ARM64 passes what stands for `...` on the stack.
    allocate: derive(
      declare(library, ['fcntl'], ['int', 'int', '...']),
      (fcntl) => (fd, room) => preallocate(fcntl, fd, room),
    ),
    syncFileSystem: missing('macOS has no call that syncs one file system'),
    startWriteback: missing('macOS has no call that begins to write back'),
    renameNoReplace: derive(
      declare(library, ['renamex_np'], ['str', 'str', 'uint']),
      (rename) => (from, to) => {
        const result = rename.call(from, to, RENAME_EXCL)
        if (result >= 0) return 'renamed'
        // EINVAL: flags that this volume does not know (renamex_np(2), Errors).
        if (isUnsupported(result) || result === -constants.errno.EINVAL) return 'unsupported'
        throw new SystemError(`rename ${from} to ${to}`, 'renamex_np', result)
      },
    ),
    trimMemory: missing('macOS gives memory back when it needs it'),
    networkNews: missing('nobody has tried how macOS tells it'),
  }
}

function readPeer(
  getpeereid: ForeignFunction,
  getsockopt: Capability<ForeignFunction>,
  fd: number,
): PeerCredentials | undefined {
  const uids = new Uint32Array(1)
  const gids = new Uint32Array(1)
  if (getpeereid.call(fd, uids, gids) < 0) return undefined
  const [uid] = uids
  const [gid] = gids
  if (uid === undefined || gid === undefined) return undefined
  const who = { uid, gid }
  if (getsockopt.kind === 'missing') return who
  const pids = new Uint32Array(1)
  const length = Uint32Array.of(PID_BYTES)
  if (getsockopt.value.call(fd, SOL_LOCAL, LOCAL_PEERPID, pids, length) < 0) return who
  const [pid = 0] = pids
  return pid === 0 ? who : { pid, ...who }
}

/**
 * Room is added at the physical end of the file and never into a hole before it, so what the file holds already is
 * counted as part of the reservation.
 */
function preallocate(
  fcntl: ForeignFunction,
  fd: number,
  { offset, length, keepSize }: Reservation,
): 'allocated' | 'unsupported' {
  const { size, blocks } = fstatSync(fd)
  const end = offset + length
  const wanted = end - blocks * BLOCK_BYTES
  if (wanted > 0) {
    const store = encodeStore(wanted)
    const result = uninterrupted(() => fcntl.call(fd, F_PREALLOCATE, 'void *', store))
    if (isUnsupported(result)) return 'unsupported'
    if (result < 0) {
      throw new SystemError(`allocate ${length} bytes at offset ${offset}`, 'fcntl', result)
    }
  }
  if (!keepSize && size < end) ftruncateSync(fd, end)
  return 'allocated'
}

/** A `struct fstore`; every Mac is little-endian. */
function encodeStore(length: number): Uint8Array {
  const store = new Uint8Array(FSTORE_BYTES)
  const view = new DataView(store.buffer)
  view.setUint32(0, F_ALLOCATEALL, true)
  view.setInt32(4, F_PEOFPOSMODE, true)
  view.setBigInt64(16, BigInt(length), true)
  return store
}
