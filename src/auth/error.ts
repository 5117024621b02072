/** What goes wrong in this room. A peer's misbehaviour is a `ProtocolError` of base; these are the others. */

import { LullError } from '../base/error.ts'

/**
 * A mechanism could not do what was asked. `unable`: our side has no ticket, no library, no such principal; another
 * scheme may do. `refused`: the peer's token was wrong, or the peer said no.
 */
export class MechanismError extends LullError {
  readonly reason: 'unable' | 'refused'

  constructor(
    code: string,
    message: string,
    options: { readonly reason: 'unable' | 'refused'; readonly cause?: unknown },
  ) {
    super(code, message, options)
    this.reason = options.reason
  }
}
