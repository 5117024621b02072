/**
 * Whether a server's certificate was revoked, or that of an authority above it (A79, BG_SSL_ENABLE_CRL_CHECK).
 *
 * Every certificate of the chain is looked up in the list (CRL) that it names itself, but for the authority that is
 * trusted here: whoever distrusts that takes it away. A state that cannot be had is as bad as a bad one: who can keep
 * the list from us could also have stolen the key.
 */

import type { X509Certificate } from 'node:crypto'
import { isIssuedBy, isSameCertificate } from './chain.ts'
import { distributionPointsOf, partsOf, type DistributionPoint } from './extensions.ts'
import type { Issuer, Questioned, RevocationList } from './revocation-list.ts'
import type { FetchList, RevocationLists } from './revocation-lists.ts'

/** What is wrong with a chain. */
export class RevocationError extends Error {
  /** Whether it was revoked; otherwise nobody could say. */
  readonly isRevoked: boolean

  /** @param why what comes behind the sentence, without a capital and a full stop */
  constructor(isRevoked: boolean, why: string, options?: ErrorOptions) {
    super(why, options)
    this.name = 'RevocationError'
    this.isRevoked = isRevoked
  }
}

/** What is to be checked. */
export interface RevocationCheck {
  /** What the server has shown: its own first, each issued by the next. */
  readonly chain: readonly X509Certificate[]
  readonly anchors: readonly X509Certificate[]
  readonly lists: RevocationLists
  readonly fetch: FetchList
  /** Milliseconds since 1970. */
  readonly now: number
}

/** @throws {RevocationError} when a certificate was revoked, or nobody can say */
export async function checkRevocation(check: RevocationCheck): Promise<void> {
  const links = linksOf(check)
  // Side by side: each may take its time. Worse than what nobody can say is what somebody says.
  const flaws = await Promise.all(
    links.map((link) =>
      flawOf(link, check).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        return new RevocationError(false, why, { cause: error })
      }),
    ),
  )
  const found = flaws.filter((flaw) => flaw !== undefined)
  const worst = found.find(({ isRevoked }) => isRevoked) ?? found[0]
  if (worst !== undefined) throw worst
}

/** A certificate, and who has issued it. */
interface Link {
  readonly certificate: X509Certificate
  readonly issuer: X509Certificate
}

/** Up to the first authority that is trusted; without one, as far as the chain goes. */
function linksOf({ chain, anchors }: RevocationCheck): readonly Link[] {
  const links: Link[] = []
  for (const [place, certificate] of chain.entries()) {
    if (anchors.some((anchor) => isSameCertificate(certificate, anchor))) return links
    const anchor = anchors.find((one) => isIssuedBy(certificate, one))
    if (anchor !== undefined) return [...links, { certificate, issuer: anchor }]
    // Let pass by a flag: nobody is above it who could revoke it.
    if (isSelfIssued(certificate)) return links
    const issuer = chain[place + 1]
    if (issuer === undefined || !isIssuedBy(certificate, issuer)) {
      throw new RevocationError(false, `nobody knows who issued ${nameOf(certificate)}`)
    }
    links.push({ certificate, issuer })
  }
  return links
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey)
}

/** @throws {ProtocolError} when one of the certificates is damaged in a way that nobody has seen before */
async function flawOf(
  { certificate, issuer }: Link,
  check: RevocationCheck,
): Promise<RevocationError | undefined> {
  const parts = partsOf(certificate)
  const by = { certificate: issuer, parts: partsOf(issuer) }
  const reasons: string[] = []
  for (const { point, url } of placesOf(distributionPointsOf(parts))) {
    const answer = await lookUp({ certificate, parts, point }, by, url, check)
    if (answer === 'good') return undefined
    if (answer === 'revoked') {
      return new RevocationError(true, `${nameOf(certificate)} is in the list at ${url}`)
    }
    reasons.push(answer.reason)
  }
  const why = reasons[0] ?? `${nameOf(certificate)} does not say over http where to ask`
  return new RevocationError(false, why)
}

/** Addresses of lists that are asked, at most: a certificate may name any number. */
const MAX_PLACES = 4

/**
 * Only http: what comes is signed, and a list over https would need another list first. A certificate may name a server
 * inside a network that it should not be able to reach; that is asked for once, as for any URL of a job.
 */
function placesOf(
  points: readonly DistributionPoint[],
): readonly { readonly point: DistributionPoint; readonly url: string }[] {
  return points
    .flatMap((point) => point.urls.map((url) => ({ point, url })))
    .filter(({ url }) => /^http:\/\//iu.test(url) && URL.canParse(url))
    .slice(0, MAX_PLACES)
}

/** What a list says; otherwise why it does not. */
async function lookUp(
  question: Questioned,
  issuer: Issuer,
  url: string,
  { lists, fetch, now }: RevocationCheck,
): Promise<'good' | 'revoked' | { readonly reason: string }> {
  try {
    const uselessOf = (list: RevocationList): string | undefined =>
      list.uselessFor(question, issuer, now)
    const list = await lists.find(url, fetch, now, (list) => uselessOf(list) === undefined)
    const useless = uselessOf(list)
    if (useless === undefined) return list.has(question.parts) ? 'revoked' : 'good'
    // Anybody on the way may have put it there: the next one who asks gets another.
    lists.forget(url)
    return { reason: `the list at ${url} does not help: ${useless}` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { reason: `the list at ${url} cannot be had: ${reason}` }
  }
}

/** The last line of its subject: mostly the common name. */
function nameOf({ subject }: X509Certificate): string {
  return JSON.stringify(subject?.split('\n').at(-1) ?? 'a certificate without a name')
}
