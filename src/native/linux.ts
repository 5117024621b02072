/** The calls of Linux, through glibc or musl. */

import { constants, release } from 'node:os'
import { derive, missing } from './capability.ts'
import type { Capability } from './capability.ts'
import { declare, openLibrary } from './library.ts'
import type { ForeignFunction, ForeignLibrary } from './library.ts'
import { openRouteListener } from './network/route-socket.ts'
import type { PeerCredentials, SystemCalls } from './system-calls.ts'
import { isUnsupported, SystemError, uninterrupted } from './system-error.ts'

/** `SOL_SOCKET` of asm-generic/socket.h, which every architecture koffi is built for follows. */
const SOL_SOCKET = 1
/** `SO_PEERCRED`: 17 in asm-generic/socket.h, 21 in the PowerPC one. */
const SO_PEERCRED = process.arch === 'ppc64' ? 21 : 17
/** `struct ucred`: pid, uid, gid, 4 bytes each (unix(7)). */
const UCRED_BYTES = 12
/** What uid and gid are on a socket without a peer: (uid_t) -1. */
const NOBODY_THERE = 0xffff_ffff
/** fallocate(2): room past the end does not move the end. */
const FALLOC_FL_KEEP_SIZE = 1
/** sync_file_range(2): begin to write what is dirty, wait for nothing. */
const SYNC_FILE_RANGE_WRITE = 2
/** openat(2): a relative path starts at the working directory. */
const AT_FDCWD = -100
/** renameat2(2). */
const RENAME_NOREPLACE = 1

/** What Alpine calls each architecture, in the name of its musl. */
const muslMachines: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  arm: 'armv7',
  ia32: 'x86',
  ppc64: 'ppc64le',
}

/**
 * Opens the calls of Linux.
 *
 * @param library the C library, or why there is none
 * @param kernel the kernel's release, such as `6.8.0-45-generic`
 */
export function openLinux(
  library: Capability<ForeignLibrary> = openLibrary([
    'libc.so.6',
    `libc.musl-${muslMachines[process.arch] ?? process.arch}.so.1`,
  ]),
  kernel: string = release(),
): SystemCalls {
  // The names ending in 64 take 64-bit offsets everywhere in glibc; musl has no other offsets and not always the names.
  const fallocate = declare(
    library,
    ['fallocate64', 'fallocate'],
    ['int', 'int', 'int64_t', 'int64_t'],
  )
  const renameat2 = declare(library, ['renameat2'], ['int', 'str', 'int', 'str', 'uint'])
  return {
    library: derive(library, ({ name }) => name),
    peerCredentials: derive(
      declare(library, ['getsockopt'], ['int', 'int', 'int', 'void *', 'void *']),
      (getsockopt) => (fd) => readPeer(getsockopt, fd),
    ),
    allocate: derive(fallocate, (fallocate) => (fd, { offset, length, keepSize }) => {
      const mode = keepSize ? FALLOC_FL_KEEP_SIZE : 0
      const result = uninterrupted(() => fallocate.call(fd, mode, offset, length))
      if (result >= 0) return 'allocated'
      if (isUnsupported(result)) return 'unsupported'
      throw new SystemError(`allocate ${length} bytes at offset ${offset}`, 'fallocate', result)
    }),
    syncFileSystem: openSync(library, kernel),
    startWriteback: openWriteback(library),
    renameNoReplace: derive(renameat2, (renameat2) => (from, to) => {
      const result = renameat2.call(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)
      if (result >= 0) return 'renamed'
      // EINVAL: the file system does not know the flag (renameat2(2), Errors).
      if (isUnsupported(result) || result === -constants.errno.EINVAL) return 'unsupported'
      throw new SystemError(`rename ${from} to ${to}`, 'renameat2', result)
    }),
    // Of glibc alone: musl keeps nothing back that would be worth it.
    trimMemory: derive(declare(library, ['malloc_trim'], ['int64_t']), (trim) => () => {
      trim.call(0)
    }),
    networkNews: openRouteListener(library),
  }
}

function readPeer(getsockopt: ForeignFunction, fd: number): PeerCredentials | undefined {
  const ucred = new Uint32Array(UCRED_BYTES / Uint32Array.BYTES_PER_ELEMENT)
  const length = Uint32Array.of(UCRED_BYTES)
  const result = getsockopt.call(fd, SOL_SOCKET, SO_PEERCRED, ucred, length)
  const [pid = 0, uid = NOBODY_THERE, gid = NOBODY_THERE] = ucred
  // A TCP socket answers too, with nobody: taken for a user id, that would be one.
  if (result < 0 || length[0] !== UCRED_BYTES || uid === NOBODY_THERE) return undefined
  // 0 stands for a process that is not visible in our process namespace (pid_namespaces(7)).
  return pid === 0 ? { uid, gid } : { pid, uid, gid }
}

function openSync(
  library: Capability<ForeignLibrary>,
  kernel: string,
): SystemCalls['syncFileSystem'] {
  if (!isAtLeast(kernel, 5, 8)) {
    return missing(`syncfs of Linux ${kernel} does not report lost writes; 5.8 was the first to`)
  }
  return derive(declare(library, ['syncfs'], ['int']), (syncfs) => ({
    now: (fd) => checkSync(syncfs.call(fd)),
    inBackground: async (fd) => checkSync(await syncfs.callAsync(fd)),
  }))
}

function checkSync(result: number): void {
  if (result < 0) throw new SystemError('sync the file system', 'syncfs', result)
}

function openWriteback(library: Capability<ForeignLibrary>): SystemCalls['startWriteback'] {
  const declared = declare(library, ['sync_file_range'], ['int', 'int64_t', 'int64_t', 'uint'])
  return derive(declared, (range) => ({
    now: (fd, offset, length) =>
      checkWriteback(offset, length, range.call(fd, offset, length, SYNC_FILE_RANGE_WRITE)),
    inBackground: async (fd, offset, length) =>
      checkWriteback(
        offset,
        length,
        await range.callAsync(fd, offset, length, SYNC_FILE_RANGE_WRITE),
      ),
  }))
}

function checkWriteback(offset: number, length: number, result: number): void {
  if (result >= 0) return
  const attempt = `start writing back ${length} bytes at offset ${offset}`
  throw new SystemError(attempt, 'sync_file_range', result)
}

/** Whether a kernel's release is `major.minor` or later. */
function isAtLeast(kernel: string, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(kernel) ?? []
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}
