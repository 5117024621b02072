/**
 * The security flags of a job's HTTP options, by BITS's numbers (A79): which checks of a server's certificate are left
 * out or added, and what happens when a server points elsewhere.
 */

import { JobError } from './failure.ts'
import type { RedirectPolicy, TransferSettings } from './job.ts'

/** BG_SSL_*: the bits that are about certificates. Each of the last four leaves out its own check and no other. */
export const certificateFlags = {
  /** BG_SSL_ENABLE_CRL_CHECK: a certificate that was revoked is refused, and so is one of which nobody can say. */
  checkRevocation: 0x0001,
  /** BG_SSL_IGNORE_CERT_CN_INVALID: it may be for another name. */
  ignoreName: 0x0002,
  /** BG_SSL_IGNORE_CERT_DATE_INVALID: it may have expired, or not be valid yet. */
  ignoreDate: 0x0004,
  /** BG_SSL_IGNORE_UNKNOWN_CA: anybody may have issued it. */
  ignoreAuthority: 0x0008,
  /** BG_SSL_IGNORE_CERT_WRONG_USAGE: it need not be one for servers. */
  ignoreUsage: 0x0010,
} as const

/** All bits that have a meaning (BG_HTTP_REDIRECT_POLICY_* besides). */
export const securityFlags = {
  ...certificateFlags,
  /** BG_HTTP_REDIRECT_POLICY_ALLOW_REPORT: the remote name becomes where a redirect led; 0 follows silently. */
  reportRedirects: 0x0100,
  /** BG_HTTP_REDIRECT_POLICY_DISALLOW: not together with {@link reportRedirects}. */
  disallowRedirects: 0x0200,
  /** BG_HTTP_REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP. */
  allowHttpsToHttp: 0x0800,
} as const

/** All of {@link certificateFlags}. */
export const CERTIFICATE_FLAGS = 0x001f

/** Those of them that leave a check out. */
export const RELAXING_FLAGS = 0x001e

/** BG_HTTP_REDIRECT_POLICY_MASK, and the policies that have a place in it. */
const REDIRECT_MASK = 0x0700
const policies = {
  silent: 0,
  report: securityFlags.reportRedirects,
  disallow: securityFlags.disallowRedirects,
} as const

const HTTPS_TO_HTTP = securityFlags.allowHttpsToHttp

/** What the flags of a job set. */
export type Secured = Required<Pick<TransferSettings, 'securityFlags' | 'redirects'>>

/**
 * Reads BITS's mask.
 *
 * @throws {JobError} `E_NOTIMPL` for bits that mean nothing, and for two redirect policies at once
 */
export function readSecurityFlags(flags: number): Secured {
  const isKnown = (flags & ~(CERTIFICATE_FLAGS | REDIRECT_MASK | HTTPS_TO_HTTP)) === 0
  const follow = followOf(flags & REDIRECT_MASK)
  if (!isKnown || follow === undefined) {
    throw new JobError(
      'E_NOTIMPL',
      `Cannot set security flags to 0x${(flags >>> 0).toString(16).toUpperCase().padStart(4, '0')}: there are 0x0001 to 0x0010, one of 0x0100 and 0x0200, and 0x0800`,
    )
  }
  const allowHttpsToHttp = (flags & HTTPS_TO_HTTP) !== 0
  return { securityFlags: flags & CERTIFICATE_FLAGS, redirects: { follow, allowHttpsToHttp } }
}

/** BITS's mask of what is set: {@link readSecurityFlags} the other way round. */
export function writeSecurityFlags({
  securityFlags: checks = 0,
  redirects: { follow, allowHttpsToHttp },
}: Pick<TransferSettings, 'securityFlags' | 'redirects'>): number {
  return checks | policies[follow] | (allowHttpsToHttp ? HTTPS_TO_HTTP : 0)
}

function followOf(bits: number): RedirectPolicy['follow'] | undefined {
  const words = ['silent', 'report', 'disallow'] as const
  return words.find((word) => policies[word] === bits)
}
