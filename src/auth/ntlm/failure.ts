/** What an error inside a handshake means for its credentials (A136). */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import { MechanismError } from '../error.ts'
import type { Refused, Unable } from '../scheme.ts'

/**
 * A peer that breaks the protocol, or whose token does not verify, has refused; what our side cannot do is for the
 * next scheme.
 *
 * @throws whatever is none of these: a mistake of ours
 */
export function failureOf(error: unknown): Unable | Refused {
  if (error instanceof MechanismError) return { kind: error.reason, reason: error.message }
  if (error instanceof ProtocolError) return { kind: 'refused', reason: error.message }
  if (error instanceof MisuseError) return { kind: 'unable', reason: error.message }
  throw error
}
