/** Which of the offered schemes is answered, with what, and why not the others (authentication.md §13.2). */

import type { Challenge } from './challenge.ts'
import { sameCredentials, type Credentials } from './credentials.ts'
import type { AuthScheme, AuthWorld } from './scheme.ts'
import { entitle, type CredentialSource, type Situation, type Wallet } from './wallet.ts'

/** What a choice is made from. */
export interface Offer {
  /** Of one response, in the target's order. */
  readonly challenges: readonly Challenge[]
  readonly situation: Situation
  readonly wallet: Wallet
  /** Every scheme we know, strongest first: this order is the policy (A181). */
  readonly schemes: readonly AuthScheme[]
  /** What was tried for this request and ended. */
  readonly ended: readonly Ended[]
  /** What was tried for earlier requests to this peer and ended. */
  readonly endedBefore: readonly Ended[]
}

/** An attempt that ended without success. */
export interface Ended {
  /** `unable`: this scheme is not tried again. `refused`: these credentials are not. */
  readonly kind: 'unable' | 'refused'
  readonly scheme: AuthScheme
  readonly credentials: Credentials
  /** Of the challenge; `undefined` where it has none. */
  readonly realm: string | undefined
  readonly reason: string
}

/** A scheme that can be tried. */
export interface Choice {
  readonly scheme: AuthScheme
  readonly challenge: Challenge
  readonly credentials: Credentials
  readonly source: CredentialSource
}

/** A scheme that is not tried. */
export interface PassedOver {
  /** As it is written in a header, or as it was offered. */
  readonly scheme: string
  /** For people: lower case, no full stop, no secret. */
  readonly reason: string
}

/** What came of an offer. */
export interface Selection {
  /** What can be tried, strongest first; the first one whose session opens is. */
  readonly choices: readonly Choice[]
  /** What is not tried: offered by the target, or set and not offered. */
  readonly passedOver: readonly PassedOver[]
}

/**
 * Weighs every scheme that is offered, and every one that has credentials.
 *
 * Offered is one thing, and set is another: a scheme needs both (A22, A181). Credentials that the peer has refused are
 * not replayed for the same request under another scheme (A136), nor for any request of the same realm; another realm
 * may have another answer (A385).
 */
export function select(offer: Offer, world: AuthWorld): Selection {
  const choices: Choice[] = []
  const passedOver: PassedOver[] = []
  for (const scheme of offer.schemes) {
    const weighed = weigh(scheme, offer, world)
    if (weighed === undefined) continue
    if (typeof weighed === 'string') passedOver.push({ scheme: scheme.token, reason: weighed })
    else choices.push(weighed)
  }
  const known = new Set(offer.schemes.map(({ token }) => token.toLowerCase()))
  const unknown = new Set(
    offer.challenges.map(({ scheme }) => scheme).filter((name) => !known.has(name)),
  )
  // A185.
  for (const scheme of unknown) passedOver.push({ scheme, reason: 'it is not known here' })
  return { choices, passedOver }
}

/** A choice, or why not; `undefined` for a scheme that is neither offered nor set. */
function weigh(scheme: AuthScheme, offer: Offer, world: AuthWorld): Choice | string | undefined {
  const { situation, wallet } = offer
  const { settings } = world
  const token = scheme.token.toLowerCase()
  const [first, ...others] = offer.challenges.filter((challenge) => challenge.scheme === token)
  const entitlement = entitle(scheme.name, situation, wallet, settings)
  if (first === undefined) {
    return entitlement.kind === 'entitled' ? `the ${situation.target} does not offer it` : undefined
  }
  if (entitlement.kind === 'none') return entitlement.reason
  const { credentials, source } = entitlement
  if (!scheme.accepts(credentials, situation.target)) {
    return `it cannot be answered with ${credentials.kind} credentials for a ${situation.target}`
  }
  if (isReadableAt(scheme, situation) && !settings.allowClearText) {
    return 'the administrator does not let it go over a connection without TLS'
  }
  const challenge = scheme.pick?.([first, ...others], world) ?? first
  const reason = findReason(scheme, credentials, challenge, offer)
  return reason ?? { scheme, challenge, credentials, source }
}

/** Whether a scheme shows the password or token itself to everybody on the way (A183). */
export function isReadableAt({ sendsSecret }: AuthScheme, { peer }: Situation): boolean {
  return sendsSecret && peer.protocol !== 'https:'
}

/** Why this was tried already, if it was. */
function findReason(
  scheme: AuthScheme,
  credentials: Credentials,
  challenge: Challenge,
  { ended, endedBefore }: Offer,
): string | undefined {
  const realm = challenge.parameters.get('realm')
  const unable = ended.find((end) => end.kind === 'unable' && end.scheme === scheme)
  if (unable !== undefined) return unable.reason
  const isReplay = (end: Ended) =>
    end.kind === 'refused' && sameCredentials(end.credentials, credentials)
  const refused =
    ended.find(
      (end) => isReplay(end) && (end.scheme !== scheme || isSameRealm(end.realm, realm)),
    ) ?? endedBefore.find((end) => isReplay(end) && isSameRealm(end.realm, realm))
  if (refused === undefined) return undefined
  return refused.scheme === scheme
    ? refused.reason
    : `the same credentials were refused with ${refused.scheme.token}`
}

/** Only two names can tell two realms apart. */
function isSameRealm(left: string | undefined, right: string | undefined): boolean {
  return left === undefined || right === undefined || left === right
}
