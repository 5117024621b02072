/**
 * What a TLS handshake shows of what the peer wants of us, and what we want of the peer besides OpenSSL's own checks.
 *
 * Node raises no event when a server asks for a certificate, and answers that it has none. But while OpenSSL reads the
 * question it works out which signatures both sides know, for nothing else on this side of a connection; so there are
 * some exactly when there was a question, with TLS 1.2 and 1.3 alike, and `getSharedSigalgs()` tells.
 */

import { X509Certificate } from 'node:crypto'
import {
  checkServerIdentity,
  type ConnectionOptions,
  type DetailedPeerCertificate,
  type TLSSocket,
} from 'node:tls'
import { flawOf } from './server-checks.ts'

/** On what terms a handshake is made. */
export interface HandshakeTerms {
  /** Whether the context has a certificate of ours. */
  readonly hasCertificate: boolean
  /** Whether to go no further where a certificate is wanted, needed or not, and there is none (A77). */
  readonly isStrict?: boolean
  /** The lower five bits of BITS' mask (A79); the others are about redirects. */
  readonly securityFlags?: number
  /**
   * Whether a certificate was revoked is asked after everything else, and before anything is sent; absent: nobody asks.
   *
   * @throws {RevocationError} when one was, or nobody can say
   */
  readonly checkRevocation?: (chain: readonly X509Certificate[]) => Promise<void>
  /** The public keys of which the peer needs one, `sha256//BASE64`; absent: any will do. */
  readonly pinnedKeys?: readonly string[] | undefined
  /** Pairs of servers and certificates that somebody has accepted; absent: nobody judges (A84). */
  readonly accepted?: readonly string[] | undefined
  /** Whom the context trusts; asked only when a check that flags relax has failed. */
  readonly anchors?: () => readonly X509Certificate[]
}

/** What was seen of a handshake. */
export interface HandshakeFacts {
  readonly hasCertificate: boolean
  /** Whether the peer has asked for a certificate. Never in a session that was resumed. */
  readonly wantsCertificate: boolean
  /** `TLSv1.2`, `TLSv1.3`; `undefined` before the handshake was over. */
  readonly protocol: string | undefined
}

/** What is wrong with a connection that wants a certificate in strict mode. */
export const CERTIFICATE_WANTED = 'ERR_TLS_CERTIFICATE_WANTED'

/** By sockets and by the errors they ended with. */
const seen = new WeakMap<object, HandshakeFacts>()

/** What was seen of a handshake that a {@link Handshake} watched. @param source its socket, or the error it ended with */
export function handshakeFacts(source: object): HandshakeFacts | undefined {
  return seen.get(source)
}

/** The terms of one connection. */
export class Handshake {
  readonly #terms: HandshakeTerms
  readonly #flags: number
  #host = ''
  #socket: TLSSocket | undefined

  constructor(terms: HandshakeTerms) {
    this.#terms = terms
    this.#flags = terms.securityFlags ?? 0
  }

  /**
   * For `tls.connect()`, before anything else that is said to it. With flags that relax checks, sessions are not to be
   * resumed: nothing is checked in those.
   */
  get options(): Pick<ConnectionOptions, 'rejectUnauthorized' | 'checkServerIdentity'> {
    return {
      // Nothing is lost: `secured` does it, without what is to be ignored.
      ...(this.#flags === 0 ? {} : { rejectUnauthorized: false }),
      checkServerIdentity: (host, certificate) =>
        (this.#flags === 0 ? checkServerIdentity(host, certificate) : undefined) ?? this.#wanted(),
    }
  }

  /**
   * Watches a connection from its beginning on. One that fails our own checks is destroyed before anybody else hears of
   * its `secureConnect`; who does hears it all the same and finds the socket destroyed.
   *
   * @param host whom the certificate has to be for
   */
  watch(socket: TLSSocket, host: string): void {
    this.#socket = socket
    this.#host = host
    socket.prependListener('secureConnect', () => this.#secured(socket))
    socket.prependListener('error', (error) => this.#failed(socket, error))
  }

  #secured(socket: TLSSocket): void {
    this.#note(socket, socket.getProtocol() ?? undefined)
    const reason = this.#flags === 0 ? undefined : (this.#flaw(socket) ?? this.#wanted())
    if (reason === undefined) return
    seen.set(reason, this.#facts(socket))
    socket.destroy(reason)
  }

  #flaw(socket: TLSSocket): Error | undefined {
    try {
      return flawOf({
        host: this.#host,
        flags: this.#flags,
        verdict: verdictOf(socket),
        chain: chainOf(socket),
        anchors: this.#terms.anchors ?? (() => []),
        now: new Date(),
      })
    } catch (error) {
      // What is thrown from here ends in Node, and nobody hears of the connection any more.
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #failed(socket: TLSSocket, error: Error): void {
    const known = seen.get(socket)
    // With TLS 1.2 a server may ask again, and later (A83).
    if (known === undefined || known.protocol === 'TLSv1.2') this.#note(socket, known?.protocol)
    const facts = seen.get(socket)
    if (facts !== undefined) seen.set(error, facts)
  }

  #note(socket: TLSSocket, protocol: string | undefined): void {
    seen.set(socket, { ...this.#facts(socket), protocol })
  }

  #facts(socket: TLSSocket): HandshakeFacts {
    return {
      hasCertificate: this.#terms.hasCertificate,
      wantsCertificate: seen.get(socket)?.wantsCertificate === true || isAsking(socket),
      protocol: seen.get(socket)?.protocol,
    }
  }

  /** What there is to say in strict mode about a certificate that we do not have. */
  #wanted(): Error | undefined {
    const { isStrict, hasCertificate } = this.#terms
    const socket = this.#socket
    if (isStrict !== true || hasCertificate || socket === undefined) return undefined
    if (!isAsking(socket)) return undefined
    return Object.assign(new Error('the peer asks for a certificate'), { code: CERTIFICATE_WANTED })
  }
}

/** What a connection has come to, so that another is worth trying. */
export interface LateOutcome {
  /** What was seen of its handshake. */
  readonly facts: HandshakeFacts | undefined
  /** The status of the response, where one came. */
  readonly status?: number
}

/** What servers answer that need a certificate and cannot ask for it any more. */
const CERTIFICATE_MISSING = 403

/**
 * Whether a request is worth one more try with TLS 1.2: servers that ask for certificates only on some paths do it in a
 * renegotiation, which TLS 1.3 has no more (A83). It is when there was no answer, or 403, to a request on a connection
 * of TLS 1.3 on which nobody asked for the certificate that we have.
 */
export function mayAskLater({ facts, status }: LateOutcome): boolean {
  if (facts === undefined || !facts.hasCertificate || facts.wantsCertificate) return false
  if (facts.protocol !== 'TLSv1.3') return false
  return status === undefined || status === CERTIFICATE_MISSING
}

/** To be asked only of a socket whose handle OpenSSL still has: while it tells of its handshake or of an error. */
function isAsking(socket: TLSSocket): boolean {
  const shared = socket.getSharedSigalgs() as readonly string[] | null | undefined
  return shared !== undefined && shared !== null && shared.length > 0
}

/** OpenSSL's verdict, by the name that Node gives it; Node's types take it for an error. */
function verdictOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  if (authorized) return undefined
  const verdict = authorizationError as Error | string | null | undefined
  return typeof verdict === 'string' ? verdict : 'UNSPECIFIED'
}

/** More certificates than any chain has. */
const MAX_CHAIN = 10

/** The peer's certificate and behind it those that came with it, up to one that is trusted where there is one. */
export function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  // Not getPeerX509Certificate(), which takes the certificate out of the connection: the next call has none.
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(next.raw))
    // Of one that has signed itself it is the same again.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
