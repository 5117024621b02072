/** Error numbers of the C library as the errors that `node:fs` would have thrown. */

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** A system call failed. The same fields as an error of `node:fs`, so that one handler does for both. */
export class SystemError extends Error implements NodeJS.ErrnoException {
  /** The error's name in C, such as `ENOSPC`. */
  readonly code: string
  /** Minus the error number, as Node has it. */
  readonly errno: number
  /** The C function that failed. */
  readonly syscall: string

  /**
   * @param attempt what was attempted, as the words after "Cannot"
   * @param syscall the C function's name
   * @param errno minus the error number, below 0
   */
  constructor(attempt: string, syscall: string, errno: number) {
    const { code, message } = describe(errno)
    super(`Cannot ${attempt}: ${message}`)
    this.name = new.target.name
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}

/** Whether a call's result says that the file system or the kernel does not know the operation at all. */
export function isUnsupported(result: number): boolean {
  const { ENOSYS, ENOTSUP, EOPNOTSUPP } = constants.errno
  return result === -ENOSYS || result === -ENOTSUP || result === -EOPNOTSUPP
}

/**
 * Makes a call, again for as long as a signal interrupts it.
 *
 * @returns its first result other than `EINTR`
 */
export function uninterrupted(call: () => number): number {
  for (;;) {
    const result = call()
    if (result !== -constants.errno.EINTR) return result
  }
}

/** libuv's words, and where it has none (`EDQUOT` is one such) the name in C. */
function describe(errno: number): { readonly code: string; readonly message: string } {
  const known = getSystemErrorMap().get(errno)
  if (known !== undefined) return { code: known[0], message: known[1] }
  const named = Object.entries(constants.errno).find(([, value]) => value === -errno)
  const code = named?.[0] ?? `E${-errno}`
  return { code, message: code }
}
