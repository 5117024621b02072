/** What a connection to a server is made with; only legs that agree in all of it share one. */

import type { CertificateOrder } from '../engine/order.ts'
import { describeProxy, type Hop } from '../job/route.ts'
import type { FetchList } from './certificate/revocation-lists.ts'
import type { Identity } from './identity.ts'
import type { OwnProof } from './request-head.ts'
import type { Target } from './target.ts'
import type { Trust } from './trust.ts'
import type { TlsWitness } from './tunnel/tls-witness.ts'

/** The way to a server, and as whom it is gone. */
export interface Way {
  readonly hop: Hop
  /** As whom; nobody when absent. */
  readonly identity?: Identity
  /** What the caller's headers prove there, which is nobody else's proof (A46). */
  readonly ownProof?: OwnProof
  /** Whether a redirect led here from another origin: nothing that was proven here is for that (A380). */
  readonly isForeign?: boolean
  /** PEM file of the authorities that are trusted instead of the platform's. */
  readonly caFile?: string
  /** What the server gets when it asks for a certificate. */
  readonly certificate?: CertificateOrder
  /** Whether a server that asks for a certificate is left when there is none to show it (A77). */
  readonly isStrict?: boolean
  /** Which checks of the server's certificate are left out or added (A79); never those of a proxy's. */
  readonly securityFlags?: number
  /** The public keys of which the server needs one. */
  readonly pinnedKeys?: readonly string[]
  /** Whom a program has accepted, where one judges servers (A84). */
  readonly accepted?: readonly string[]
  /** Fetches lists of revoked certificates, where the flags want them. */
  readonly fetchList?: FetchList
  /** For servers that ask for a certificate late (A83). */
  readonly maxVersion?: 'TLSv1.2'
  /** Hears what servers and proxies show over TLS; whoever has one asks as an identity of their own. */
  readonly witness?: TlsWitness
}

/** Straight, as nobody, with the platform's trust. */
export const plainWay: Way = { hop: 'direct' }

/** Equal for connections that may be shared, and only for those. @throws {FailureError} as {@link Trust.key} */
export function connectionKey({ scheme, authority }: Target, way: Way, trust: Trust): string {
  const origin = `${scheme}://${authority}`
  if (way === plainWay) return origin
  const { hop, identity, isForeign, isStrict, securityFlags = 0 } = way
  const parts = [
    origin,
    hop === 'direct' ? hop : describeProxy(hop),
    identity?.principal ?? '',
    way.ownProof?.key ?? '',
    isForeign === true ? 'foreign' : '',
    isStrict === true ? 'strict' : '',
    scheme === 'https' ? securityFlags : 0,
    scheme === 'https' ? JSON.stringify([way.accepted, way.pinnedKeys]) : '',
    scheme === 'https' ? trust.key(way) : (way.caFile ?? ''),
  ]
  return parts.join('\n')
}

/** Whether the proxy is asked for the whole URL instead of being asked for a connection (RFC 9112 §3.2.2). */
export function isAskedForUrl({ scheme }: Target, { hop }: Way): boolean {
  return scheme === 'http' && hop !== 'direct' && (hop.scheme === 'http' || hop.scheme === 'https')
}
