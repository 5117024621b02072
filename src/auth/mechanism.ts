/**
 * The port for identities that only the platform can prove: Kerberos, and whoever is logged on. Implemented over
 * GSSAPI and SSPI by the room `native`, in a process that can be killed, so every step is a promise.
 */

import type {
  ImplicitCredentials,
  KeytabCredentials,
  PasswordCredentials,
  TicketCredentials,
} from './credentials.ts'

/**
 * What a context speaks: raw Kerberos 5 GSS tokens (RFC 4121), raw NTLMSSP messages, or whatever the platform's own
 * SPNEGO makes of both.
 */
export type MechanismName = 'kerberos' | 'ntlm' | 'negotiate'

/** Credentials that a mechanism can be asked to prove. */
export type MechanismIdentity =
  | PasswordCredentials
  | ImplicitCredentials
  | KeytabCredentials
  | TicketCredentials

/** What a context is to prove, to whom. */
export interface ContextRequest {
  readonly mechanism: MechanismName
  readonly identity: MechanismIdentity
  /** GSS host-based service name `HTTP@host`, the host as in the URL and not canonicalised (A271, A272). */
  readonly targetName: string
  /**
   * Application data of the channel binding, `tls-server-end-point:` and the hash of the certificate (A400); absent on
   * a clear-text hop.
   */
  readonly channelBinding?: Uint8Array
  /** Whether the peer has to prove itself too. */
  readonly mutual: boolean
  /** Whether messages will be signed afterwards; only NTLM has to know. */
  readonly integrity?: boolean
  /** Aborts when nobody wants the context any more: opening it fails at once then, whatever it waits for. */
  readonly signal?: AbortSignal
}

/** Makes security contexts. */
export interface Mechanisms {
  /**
   * Why this mechanism cannot be used on this machine, with the package to install where that is the cure; `undefined`
   * when it can. Quick: it starts nothing.
   */
  unavailable(mechanism: MechanismName): string | undefined
  /**
   * Opens a context.
   *
   * @throws {MechanismError} when these credentials cannot be used: no ticket, wrong key, no such principal
   */
  open(request: ContextRequest): Promise<MechanismContext>
}

/** One security context, from its first token to its last message. */
export interface MechanismContext {
  /**
   * Takes the peer's token (`undefined` before the first) and makes ours.
   *
   * @throws {MechanismError} when the peer's token does not verify or ours cannot be made
   */
  step(token: Uint8Array | undefined): Promise<MechanismStep>
  /** The integrity code over `message`, once complete or as soon as keys exist (gss_get_mic). */
  sign(message: Uint8Array): Promise<Uint8Array>
  /** Whether `code` is the peer's integrity code over `message` (gss_verify_mic). */
  verify(message: Uint8Array, code: Uint8Array): Promise<boolean>
  /** Lets go of the context. May be called twice, also while a step is on its way. */
  close(): void
}

/** What a step made. */
export interface MechanismStep {
  /** To be sent; absent when there is nothing to say. */
  readonly token?: Uint8Array
  /** Whether our side is finished; with mutual authentication only after the peer's proof was verified. */
  readonly complete: boolean
}
