/** The other side of a scheme: what a server or proxy that asks for proof does. For fixtures, and for talking to ourselves. */

import type { Field } from './auth.ts'
import type { HashAlgorithm } from './crypto.ts'

/**
 * Asks for proof and judges it. An acceptor of a scheme that binds the request serves every connection; one of a
 * scheme that binds the connection is made for one connection and remembers what it has proved.
 */
export interface Acceptor {
  /**
   * Judges one request.
   *
   * @param credentials the value of `Authorization` or `Proxy-Authorization`; `undefined` when the request has none
   */
  receive(credentials: string | undefined, request: AcceptorRequest): Promise<Reception>
}

/** A request as the one who asks for proof sees it. */
export interface AcceptorRequest {
  readonly method: string
  /** Exactly as on the request line. */
  readonly requestTarget: string
  /** The hash of the request's body; absent when there is none. */
  readonly bodyHash?: ((algorithm: HashAlgorithm) => Uint8Array) | undefined
  /** As in `RequestFacts`, from the certificate this side has shown. */
  readonly channelBinding?: Uint8Array | undefined
}

/** What becomes of the request. */
export type Reception =
  | {
      /** It is let in. */
      readonly kind: 'granted'
      /** Who it is, in the words of the scheme. */
      readonly user: string
      /** Go into the response, such as `Authentication-Info`; named for a server, whatever the target. */
      readonly fields: readonly Field[]
    }
  | {
      /** It is answered with 401 or 407. */
      readonly kind: 'challenged'
      /** Values of `WWW-Authenticate` or `Proxy-Authenticate`, one line each. */
      readonly challenges: readonly string[]
    }
