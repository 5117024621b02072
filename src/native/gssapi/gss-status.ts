/** What the library's statuses mean: which condition it is, and whose word it is. */

import { MechanismError } from '../../auth/error.ts'
import type { Status } from './gss-foreign.ts'

/** Calling and routine errors (RFC 2744 §3.9.1). */
const ERROR_MASK = 0xffff_0000
/** Where the routine error stands, in one byte. */
const ROUTINE_SHIFT = 16
const ROUTINE_MASK = 0xff
/** ERROR_TABLE_BASE_krb5: what both implementations add Kerberos's own codes to. */
const KERBEROS_BASE = -1_765_328_384

/** A condition, and what it means for the credentials (A311): whether our side is unable or the KDC has refused. */
interface Condition {
  readonly code: string
  readonly reason: MechanismError['reason']
}

/** Codes of RFC 4120 §7.5.9, and of the libraries above 127. */
const kerberosConditions: ReadonlyMap<number, Condition> = new Map([
  [1, { code: 'ERR_KERBEROS_REVOKED', reason: 'refused' }], // KDC_ERR_NAME_EXP
  [6, { code: 'ERR_KERBEROS_CLIENT_UNKNOWN', reason: 'unable' }], // KDC_ERR_C_PRINCIPAL_UNKNOWN
  [7, { code: 'ERR_KERBEROS_SERVICE_UNKNOWN', reason: 'unable' }], // KDC_ERR_S_PRINCIPAL_UNKNOWN
  [18, { code: 'ERR_KERBEROS_REVOKED', reason: 'refused' }], // KDC_ERR_CLIENT_REVOKED
  [23, { code: 'ERR_KERBEROS_PASSWORD_EXPIRED', reason: 'refused' }], // KDC_ERR_KEY_EXPIRED
  [24, { code: 'ERR_KERBEROS_PASSWORD', reason: 'refused' }], // KDC_ERR_PREAUTH_FAILED
  [31, { code: 'ERR_KERBEROS_PASSWORD', reason: 'refused' }], // KRB_AP_ERR_BAD_INTEGRITY
  [32, { code: 'ERR_KERBEROS_EXPIRED', reason: 'unable' }], // KRB_AP_ERR_TKT_EXPIRED
  [37, { code: 'ERR_KERBEROS_CLOCK', reason: 'unable' }], // KRB_AP_ERR_SKEW
  [148, { code: 'ERR_KERBEROS_CLOCK', reason: 'unable' }], // KRB5_KDCREP_SKEW
  [154, { code: 'ERR_KERBEROS_KDC', reason: 'unable' }], // KRB5_REALM_UNKNOWN
  [156, { code: 'ERR_KERBEROS_KDC', reason: 'unable' }], // KRB5_KDC_UNREACH
])

/** Routine errors that say enough by themselves (RFC 2744 §3.9.1). */
const routineConditions: ReadonlyMap<number, Condition> = new Map([
  [4, { code: 'ERR_KERBEROS_BINDINGS', reason: 'refused' }], // GSS_S_BAD_BINDINGS
  [7, { code: 'ERR_KERBEROS_NO_CREDENTIALS', reason: 'unable' }], // GSS_S_NO_CRED
  [11, { code: 'ERR_KERBEROS_EXPIRED', reason: 'unable' }], // GSS_S_CREDENTIALS_EXPIRED
])

const unspecified: Condition = { code: 'ERR_KERBEROS_FAILED', reason: 'unable' }

/** Whether a call has failed; supplementary bits are no failure. */
export function isFailure({ major }: Status): boolean {
  return (major & ERROR_MASK) !== 0
}

/**
 * A failure as an error.
 *
 * @param attempt what was attempted: `get a ticket for HTTP@host`
 * @param text what the library says about it; no secret is in it, because none is in a status
 * @param about `peer` when it is about the peer's token: then the peer has refused, whatever the status
 */
export function failureOf(
  status: Status,
  attempt: string,
  text: string,
  about: 'library' | 'peer',
): MechanismError {
  const { code, reason } = conditionOf(status)
  return new MechanismError(code, `Cannot ${attempt}: ${text}`, {
    reason: about === 'peer' ? 'refused' : reason,
  })
}

/** The mechanism's code says more; the library's own is for what the mechanism has no code for. */
function conditionOf({ major, minor }: Status): Condition {
  return (
    kerberosConditions.get((minor | 0) - KERBEROS_BASE) ??
    routineConditions.get((major >>> ROUTINE_SHIFT) & ROUTINE_MASK) ??
    unspecified
  )
}
