/** Many files to disk at once, and early. */

import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'

/**
 * Writes everything of the file system that `fd` lies on to its disk, metadata too, and waits for it: one call in place
 * of a sync for each of many files.
 *
 * It vouches for what was written before, and reports a write that failed since `fd` was opened; so `fd` has to be
 * older than the writes it stands for. Linux reports lost writes only since 5.8, and an older one counts as
 * `unsupported` here. A file system over another (overlayfs, FUSE) passes the errors of the one below on as its driver
 * sees fit. It also waits for other people's bytes: on a busy disk it may take many seconds.
 *
 * @param fd any open file or folder of the file system
 * @param calls the operating system's, chosen by default
 * @returns `unsupported` where there is no such call (all but Linux) or no koffi: nothing was done, sync each file
 * @throws {SystemError} `EIO`, `ENOSPC` or `EDQUOT` when bytes were lost; `EBADF`
 * @see syncfs(2)
 */
export function syncFileSystem(
  fd: number,
  calls: SystemCalls = systemCalls(),
): 'synced' | 'unsupported' {
  if (calls.syncFileSystem.kind === 'missing') return 'unsupported'
  calls.syncFileSystem.value.now(fd)
  return 'synced'
}

/**
 * `syncFileSystem` on a thread of libuv's pool. Takes no signal, because nothing can take the call back; `fd` has to
 * stay open until the promise settles, or the number may come to mean another file. Terminating the worker thread that
 * asked, or leaving the process, waits for it.
 *
 * @throws {SystemError} as `syncFileSystem`
 */
export async function syncFileSystemAsync(
  fd: number,
  calls: SystemCalls = systemCalls(),
): Promise<'synced' | 'unsupported'> {
  if (calls.syncFileSystem.kind === 'missing') return 'unsupported'
  await calls.syncFileSystem.value.inBackground(fd)
  return 'synced'
}

/**
 * Asks the kernel to begin writing a range's dirty pages to the disk, so that a later sync finds little left to do.
 * A hint: it proves nothing about what is on the disk. It waits only where the disk's queue is full.
 *
 * @param fd the file
 * @param offset first byte, a whole number, 0 or more
 * @param length how many bytes, a whole number; 0 is to the end of the file
 * @param calls the operating system's, chosen by default
 * @returns `unsupported` where there is no such call (all but Linux) or no koffi: the kernel begins when it sees fit
 * @throws {SystemError} `EBADF`, `EINVAL`, `ESPIPE`, `EIO`
 * @see sync_file_range(2), SYNC_FILE_RANGE_WRITE
 */
export function startWriteback(
  fd: number,
  offset: number,
  length: number,
  calls: SystemCalls = systemCalls(),
): 'started' | 'unsupported' {
  if (calls.startWriteback.kind === 'missing') return 'unsupported'
  calls.startWriteback.value.now(fd, offset, length)
  return 'started'
}

/**
 * `startWriteback` on a thread of libuv's pool, for a disk whose queue is full. `fd` has to stay open until the promise
 * settles.
 *
 * @throws {SystemError} as `startWriteback`
 */
export async function startWritebackAsync(
  fd: number,
  offset: number,
  length: number,
  calls: SystemCalls = systemCalls(),
): Promise<'started' | 'unsupported'> {
  if (calls.startWriteback.kind === 'missing') return 'unsupported'
  await calls.startWriteback.value.inBackground(fd, offset, length)
  return 'started'
}
