/** What SSPI's statuses mean: which condition it is, and whose word it is (winerror.h). */

import { MechanismError } from '../../auth/error.ts'

/** Statuses that are no failure. */
export const sspiStatus = {
  ok: 0,
  continueNeeded: 0x0009_0312,
  completeNeeded: 0x0009_0313,
  completeAndContinue: 0x0009_0314,
} as const

/** Failures have the highest bit. */
const FAILURE = 0x8000_0000
/** How a status is written: eight digits of base 16. */
const DIGITS = 8

interface Condition {
  readonly code: string
  readonly reason: MechanismError['reason']
  readonly words: string
}

function refused(code: string, words: string): Condition {
  return { code, reason: 'refused', words }
}

function unable(code: string, words: string): Condition {
  return { code, reason: 'unable', words }
}

const conditions: ReadonlyMap<number, Condition> = new Map([
  [0x8009_0303, unable('ERR_SSPI_SERVICE_UNKNOWN', 'the domain does not know the service')],
  [0x8009_0305, unable('ERR_SSPI_PACKAGE', 'this machine does not have the security package')],
  [0x8009_0308, refused('ERR_SSPI_TOKEN', 'the token is not valid')],
  [0x8009_030c, refused('ERR_SSPI_LOGON_DENIED', 'the logon was denied')],
  [0x8009_030d, unable('ERR_SSPI_NO_CREDENTIALS', 'the credentials are not recognized')],
  [
    0x8009_030e,
    unable('ERR_SSPI_NO_CREDENTIALS', 'nobody is logged on who has credentials for it'),
  ],
  [0x8009_030f, refused('ERR_SSPI_ALTERED', 'the message was altered')],
  [0x8009_0311, unable('ERR_SSPI_DOMAIN', 'no domain controller can be reached')],
  [0x8009_0322, refused('ERR_SSPI_WRONG_PRINCIPAL', 'the service has another name')],
  [0x8009_0324, unable('ERR_SSPI_CLOCK', 'the clocks differ too much')],
  [0x8009_0346, refused('ERR_SSPI_BINDINGS', 'the channel bindings differ')],
])

/** Whether a call has failed. @param status unsigned */
export function isSspiFailure(status: number): boolean {
  return status >= FAILURE
}

/**
 * A failure as an error.
 *
 * @param attempt what was attempted: `get a token for HTTP@host`
 * @param about `peer` when it is about the peer's token: then the peer has refused, whatever the status
 */
export function sspiFailureOf(
  status: number,
  attempt: string,
  about: 'library' | 'peer',
): MechanismError {
  const number = `0x${status.toString(16).padStart(DIGITS, '0')}`
  const { code, reason, words } =
    conditions.get(status) ?? unable('ERR_SSPI_FAILED', 'Windows gives no other reason')
  return new MechanismError(code, `Cannot ${attempt}: ${words} (${number})`, {
    reason: about === 'peer' ? 'refused' : reason,
  })
}
