/** What a client offers and answers at each LM compatibility level (A57, V30). */

import type { LmCompatibilityLevel } from '../settings.ts'
import { hasFlag, joinFlags, ntlmFlags, withoutFlags } from './flags.ts'

/** The generation of a response: NTLMv1, NTLMv1 with extended session security, NTLMv2. */
export type ResponseKind = 'v1' | 'session' | 'v2'

/** What every NEGOTIATE offers; as Windows does over HTTP (A243). */
const offeredAlways = joinFlags(
  'unicode',
  'oem',
  'requestTarget',
  'ntlm',
  'alwaysSign',
  'version',
  'key128',
  'key56',
)

/**
 * The flags of NEGOTIATE.
 *
 * @param integrity whether messages will be signed after authentication: inside SPNEGO (A285)
 */
export function offeredFlags(level: LmCompatibilityLevel, integrity: boolean): number {
  const session = level >= 1 ? ntlmFlags.extendedSessionSecurity : 0
  const keys = integrity ? joinFlags('sign', 'seal', 'keyExchange') : 0
  return (offeredAlways | session | keys) >>> 0
}

/**
 * What both sides can do (A244): of the challenge's flags those that were offered, and target information. Unicode is
 * chosen wherever both are left (A238), and a target is always asked for.
 */
export function agreedFlags(offered: number, challenged: number): number {
  const common = (challenged & (offered | ntlmFlags.targetInfo)) >>> 0
  const flags = (common | ntlmFlags.requestTarget) >>> 0
  return hasFlag(flags, 'unicode') ? withoutFlags(flags, 'oem') : flags
}

/** The kind of response that a level sends when these flags are agreed. */
export function responseKind(level: LmCompatibilityLevel, agreed: number): ResponseKind {
  // Level 4 as NTLMv2: an appendix of MS-NLMP says NTLM, everybody else NTLMv2 (A57).
  if (level >= 3) return 'v2'
  return hasFlag(agreed, 'extendedSessionSecurity') ? 'session' : 'v1'
}

/** Whether a level sends a response that is made of the LM hash (A57). */
export function sendsLmResponse(level: LmCompatibilityLevel): boolean {
  return level < 2
}
