/** Room on the disk before there are bytes for it. */

import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'

/** How room is reserved. */
export interface AllocateOptions {
  /**
   * Whether the length of the file stays as it is where the reservation reaches past it; `true` unless given.
   *
   * A partial file is better off with `true`. Its length then never says more than what was written, so that after a
   * crash it contradicts a record that claims more; people see it grow; and FAT reserves without writing zeros over
   * everything, which it does for `false`. Syncs cost the same either way: a growing length and a block written for
   * the first time both go through the journal. With `false` the file reads as zeros up to its end from the start.
   */
  readonly keepSize?: boolean
  /** The operating system's calls, chosen by default. */
  readonly calls?: SystemCalls
}

/**
 * Reserves room for bytes of a file, so that a full disk shows itself now and the file lies in few pieces. What the
 * file holds is not touched, what is reserved already is not reserved again: it may be called anew each time the file
 * is opened, and on FAT has to be, where room past the end goes back with the last descriptor.
 *
 * Room past the end belongs to the file until it is truncated, to whatever length. After a failure a part may have been
 * reserved. On macOS room is only ever added at the end, never in a hole. Blocks this thread: about a millisecond a
 * gibibyte on ext4.
 *
 * @param fd open for writing
 * @param offset first byte, a whole number, 0 or more
 * @param length how many bytes, a whole number, 0 or more
 * @returns `unsupported` where the file system, the platform, or a machine without koffi has no reservation: write on,
 *   a full disk then shows itself while writing
 * @throws {SystemError} `ENOSPC`, `EDQUOT` or `EFBIG` when there is no room; `EBADF`, `ENODEV`, `ESPIPE`, `EIO` and
 *   what else fallocate(2) or fcntl(2) say
 * @throws {RangeError} when `offset`, `length` or their sum is no safe integer, or below 0
 */
export function allocate(
  fd: number,
  offset: number,
  length: number,
  { keepSize = true, calls = systemCalls() }: AllocateOptions = {},
): 'allocated' | 'unsupported' {
  const end = offset + length
  if (![offset, length, end].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw new RangeError(`Cannot allocate room in a file: ${length} bytes at offset ${offset}`)
  }
  if (calls.allocate.kind === 'missing') return 'unsupported'
  // Nothing is there already, and the kernel would call it an error (fallocate(2), EINVAL).
  if (length === 0) return 'allocated'
  return calls.allocate.value(fd, { offset, length, keepSize })
}
