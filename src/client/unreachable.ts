/** Why a service cannot be asked. Apart from what asks it, so that whoever only tells these errors loads no HTTP. */

import { LullError } from '../base/error.ts'

/** Nobody answers at the socket. */
export class UnreachableError extends LullError {
  constructor(socket: string, cause: unknown) {
    const reason = reasonOf(cause)
    super('ERR_RPC_UNREACHABLE', `Cannot reach the service at ${socket}: ${reason}`, { cause })
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const { code } = cause as NodeJS.ErrnoException
  return code === 'ECONNRESET' ? 'it ended before it had answered' : cause.message
}

/** Somebody holds the socket and says nothing. */
export class HungError extends LullError {
  constructor(socket: string, limitMs: number) {
    const seconds = limitMs / 1000
    super(
      'ERR_RPC_HUNG',
      `Cannot use the service at ${socket}: it runs but has said nothing for ${seconds} s`,
    )
  }
}
