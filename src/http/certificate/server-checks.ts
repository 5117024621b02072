/** Checks of a server's certificate of which a job may leave some out (A79). */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { certificateFlags } from '../../job/security-flags.ts'
import { isIssuedBy, isSameCertificate } from './chain.ts'
import { partsOf, pathLengthOf } from './extensions.ts'

/** What is to be checked. */
export interface ServerCheck {
  readonly host: string
  readonly flags: number
  /** What OpenSSL says, by Node's names; `undefined` when it trusts the certificate. */
  readonly verdict: string | undefined
  /** What the server has shown: its own first, each issued by the next. */
  readonly chain: readonly X509Certificate[]
  readonly anchors: () => readonly X509Certificate[]
  readonly now: Date
}

/** Which flag forgives which verdict. */
const forgivers: ReadonlyMap<string, number> = new Map([
  ['CERT_HAS_EXPIRED', certificateFlags.ignoreDate],
  ['CERT_NOT_YET_VALID', certificateFlags.ignoreDate],
  ['UNABLE_TO_GET_ISSUER_CERT', certificateFlags.ignoreAuthority],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', certificateFlags.ignoreAuthority],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', certificateFlags.ignoreAuthority],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', certificateFlags.ignoreAuthority],
  ['SELF_SIGNED_CERT_IN_CHAIN', certificateFlags.ignoreAuthority],
  ['CERT_UNTRUSTED', certificateFlags.ignoreAuthority],
  ['INVALID_PURPOSE', certificateFlags.ignoreUsage],
])

/**
 * What is wrong with a server's certificate, with everything forgiven that the flags forgive.
 *
 * OpenSSL gives one verdict, the last of those it came to: a certificate that has expired and comes from nobody we know
 * has expired, and that is all. So where flags forgive the verdict, everything that they do not forgive is checked here
 * again.
 *
 * @returns an error whose code is one of Node's names; `undefined` when nothing is
 */
export function flawOf(check: ServerCheck): Error | undefined {
  const { verdict, flags } = check
  const isForgiven = verdict !== undefined && ((forgivers.get(verdict) ?? 0) & flags) !== 0
  if (verdict !== undefined && !isForgiven) return flaw(verdict)
  return (isForgiven ? againFlawOf(check) : undefined) ?? nameFlawOf(check)
}

function againFlawOf({ flags, chain, anchors, now }: ServerCheck): Error | undefined {
  const [own] = chain
  if (own === undefined) return flaw('UNABLE_TO_GET_ISSUER_CERT')
  const isChecked = (flag: number): boolean => (flags & flag) === 0
  if (isChecked(certificateFlags.ignoreAuthority) && !isAnchored(chain, anchors())) {
    return flaw('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  }
  if (isChecked(certificateFlags.ignoreDate)) {
    if (chain.some(({ validTo }) => new Date(validTo) < now)) return flaw('CERT_HAS_EXPIRED')
    if (chain.some(({ validFrom }) => new Date(validFrom) > now)) return flaw('CERT_NOT_YET_VALID')
  }
  const isForIt = chain.every(isForServers)
  if (isChecked(certificateFlags.ignoreUsage) && !isForIt) return flaw('INVALID_PURPOSE')
  return isWithinPathLengths(chain) ? undefined : flaw('PATH_LENGTH_EXCEEDED')
}

/** Names that are in no certificate are forgiven last: everything else is the same for all names. */
function nameFlawOf({ flags, chain: [own], host }: ServerCheck): Error | undefined {
  if ((flags & certificateFlags.ignoreName) !== 0) return undefined
  // What is no address must not be asked for as one: that throws.
  const name = isIP(host) === 0 ? own?.checkHost(host) : own?.checkIP(host)
  return name !== undefined ? undefined : flaw('ERR_TLS_CERT_ALTNAME_INVALID')
}

/** Whether the first certificate comes from somebody who is trusted, each signature on the way checked. */
function isAnchored(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): boolean {
  for (const [place, certificate] of chain.entries()) {
    if (anchors.some((anchor) => isIssuedBy(certificate, anchor) || isSameCertificate(certificate, anchor))) return true // prettier-ignore
    const next = chain[place + 1]
    if (next === undefined || !isIssuedBy(certificate, next)) return false
  }
  return false
}

/** Whether no authority has more of them below it than it may have (RFC 5280 §6.1.4 l). */
function isWithinPathLengths([, ...authorities]: readonly X509Certificate[]): boolean {
  let below = 0
  for (const authority of authorities) {
    if (below > pathLengthOf(partsOf(authority))) return false
    if (authority.subject !== authority.issuer) below++
  }
  return true
}

/** Extended key usages with which a server may use it, and what an authority above it has issued (RFC 5280 §4.2.1.12). */
const serverUsages = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'])

function isForServers({ keyUsage }: X509Certificate): boolean {
  // Without the extension it is for everything.
  const usages = keyUsage as readonly string[] | undefined
  return usages === undefined || usages.some((usage) => serverUsages.has(usage))
}

function flaw(code: string): Error {
  return Object.assign(new Error(`the certificate was not accepted: ${code}`), { code })
}
