/** The calls of GSSAPI that an initiator makes. Each blocks as long as it likes: only a helper process makes one. */

import { noHandle } from './gss-foreign.ts'
import type {
  BufferDescriptor,
  GssArgument,
  GssForeign,
  GssFunction,
  Handle,
  Status,
} from './gss-foreign.ts'
import { failureOf, isFailure } from './gss-status.ts'

/** Object identifiers, by the content octets of their DER. */
export const objectIds = {
  /** 1.2.840.113554.1.2.2, Kerberos 5 (RFC 1964 §1). */
  kerberos: Buffer.from('2a864886f712010202', 'hex'),
  /** 1.2.840.113554.1.2.1.4, GSS_C_NT_HOSTBASED_SERVICE (RFC 2743 §4.1). */
  hostBasedService: Buffer.from('2a864886f71201020104', 'hex'),
  /** 1.2.840.113554.1.2.2.1, GSS_KRB5_NT_PRINCIPAL_NAME (RFC 1964 §2.1.1). */
  principal: Buffer.from('2a864886f71201020201', 'hex'),
} as const

/** Flags of a context (RFC 2744 §5.19). */
export const contextFlags = {
  delegate: 1,
  mutual: 2,
  replay: 4,
  sequence: 8,
  integrity: 32,
  /** GSS_C_DELEG_POLICY_FLAG: delegate where the realm trusts the service with it, ok-as-delegate (RFC 5896). */
  delegateByPolicy: 0x8000,
} as const

/** Arguments after the minor status; what is always NULL is a handle. */
const signatures = {
  gss_import_name: ['buffer', 'objectId', 'handleOut'],
  gss_release_name: ['handleInOut'],
  gss_acquire_cred: [
    'handle', // the name
    'number', // lifetime
    'objectIdSet',
    'number', // usage
    'handleOut', // the credential
    'handle',
    'handle',
  ],
  gss_acquire_cred_with_password: [
    'handle', // the name
    'buffer', // the password
    'number', // lifetime
    'objectIdSet',
    'number', // usage
    'handleOut', // the credential
    'handle',
    'handle',
  ],
  gss_inquire_cred: ['handle', 'handle', 'numberOut', 'handle', 'handle'],
  gss_release_cred: ['handleInOut'],
  gss_init_sec_context: [
    'handle', // the credential
    'handleInOut', // the context
    'handle', // the target's name
    'objectId',
    'number', // flags
    'number', // lifetime
    'bindings',
    'buffer', // the peer's token
    'handle',
    'bufferOut', // our token
    'numberOut', // flags
    'handle',
  ],
  gss_delete_sec_context: ['handleInOut', 'handle'],
  gss_get_mic: ['handle', 'number', 'buffer', 'bufferOut'],
  gss_verify_mic: ['handle', 'buffer', 'buffer', 'handle'],
  gss_display_status: ['number', 'number', 'objectId', 'numberInOut', 'bufferOut'],
} as const satisfies Readonly<Record<string, readonly GssArgument[]>>

/** GSS_C_INITIATE: what a credential is for. */
const INITIATE = 1
/** A lifetime as the library likes it. */
const DEFAULT_LIFETIME = 0
/** GSS_S_CONTINUE_NEEDED (RFC 2744 §3.9.1). */
const CONTINUE_NEEDED = 1
/** GSS_C_QOP_DEFAULT. */
const DEFAULT_QUALITY = 0
/** GSS_C_GSS_CODE and GSS_C_MECH_CODE: which half of a status is put into words. */
const [MAJOR_TEXT, MINOR_TEXT] = [1, 2]

/** What a context is begun or continued with. */
export interface InitRequest {
  readonly credential: Handle
  readonly target: Handle
  /** Sum of {@link contextFlags}. */
  readonly flags: number
  /** Application data; absent when nothing is bound. */
  readonly channelBinding: Uint8Array | undefined
  /** The peer's; absent before the first of ours. */
  readonly token: Uint8Array | undefined
}

/** What came of it. */
export interface InitResult {
  /** Empty when there is nothing to say. */
  readonly token: Uint8Array
  readonly isComplete: boolean
  /** Sum of {@link contextFlags}: what the context offers. */
  readonly flags: number
}

/** GSSAPI in the words of an initiator of Kerberos. */
export class GssLibrary {
  readonly #foreign: GssForeign
  readonly #functions = new Map<string, GssFunction>()

  constructor(foreign: GssForeign) {
    this.#foreign = foreign
  }

  /**
   * Makes a name, to be released.
   *
   * @throws {MechanismError} when the text is no name of that kind
   */
  importName(kind: 'hostBasedService' | 'principal', text: string): Handle {
    const [bytes, name] = [Buffer.from(text), [noHandle]]
    const type = this.#foreign.lendObjectId(objectIds[kind])
    const status = this.#call('gss_import_name', this.#foreign.lend(bytes), type, name)
    this.#check(status, `understand the name ${text}`)
    return first(name)
  }

  releaseName(name: Handle): void {
    this.#call('gss_release_name', [name])
  }

  /**
   * Finds credentials where the environment says they are, to be released.
   *
   * @param name whose; `noHandle` for whoever is the default
   * @throws {MechanismError} when there are none
   */
  acquire(name: Handle, whose: string): Handle {
    const credential = [noHandle]
    const status = this.#call(
      'gss_acquire_cred',
      name,
      DEFAULT_LIFETIME,
      this.#mechanisms(),
      INITIATE,
      credential,
      null,
      null,
    )
    this.#check(status, `use the credentials of ${whose}`)
    return first(credential)
  }

  /**
   * Makes credentials of a password, to be released. The library copies it and wipes its copy when they are.
   *
   * @throws {MechanismError} when the KDC refuses it, or the library cannot do this
   */
  acquireWithPassword(name: Handle, whose: string, password: Uint8Array): Handle {
    const credential = [noHandle]
    const status = this.#call(
      'gss_acquire_cred_with_password',
      name,
      this.#foreign.lend(password),
      DEFAULT_LIFETIME,
      this.#mechanisms(),
      INITIATE,
      credential,
      null,
      null,
    )
    this.#check(status, `use the password of ${whose}`)
    return first(credential)
  }

  /** How many seconds credentials are still good for; 0 when they are not. */
  secondsLeft(credential: Handle): number {
    const seconds = [0]
    const status = this.#call('gss_inquire_cred', credential, null, seconds, null, null)
    return isFailure(status) ? 0 : first(seconds)
  }

  releaseCredential(credential: Handle): void {
    this.#call('gss_release_cred', [credential])
  }

  /**
   * Begins or continues a context.
   *
   * @param context one place, `noHandle` at first; what is in it after a call has to be deleted, whatever came of it
   * @throws {MechanismError} when the peer's token does not verify or ours cannot be made; then the peer has refused
   */
  init(context: [Handle], request: InitRequest, attempt: string): InitResult {
    const { credential, target, channelBinding, token } = request
    const [output, flags]: [Partial<BufferDescriptor>, number[]] = [{}, [0]]
    const status = this.#call(
      'gss_init_sec_context',
      credential,
      context,
      target,
      this.#foreign.lendObjectId(objectIds.kerberos),
      request.flags,
      DEFAULT_LIFETIME,
      channelBinding === undefined ? null : this.#foreign.lendBindings(channelBinding),
      token === undefined ? null : this.#foreign.lend(token),
      null,
      output,
      flags,
      null,
    )
    // Also a failure may have a token: a word for the peer, which HTTP has no place for.
    const made = this.#foreign.take(output)
    this.#check(status, attempt, token === undefined ? 'library' : 'peer')
    return {
      token: made,
      isComplete: (status.major & CONTINUE_NEEDED) === 0,
      flags: first(flags),
    }
  }

  /** @param context as for {@link init}; `noHandle` afterwards */
  deleteContext(context: [Handle]): void {
    if (context[0] !== noHandle) this.#call('gss_delete_sec_context', context, null)
    context[0] = noHandle
  }

  /** @throws {MechanismError} when there is no key yet */
  sign(context: Handle, message: Uint8Array): Uint8Array {
    const code: Partial<BufferDescriptor> = {}
    const lent = this.#foreign.lend(message)
    const status = this.#call('gss_get_mic', context, DEFAULT_QUALITY, lent, code)
    this.#check(status, 'sign a message')
    return this.#foreign.take(code)
  }

  /** Whether a code is the peer's, over this message, in its turn and not seen before. */
  verify(context: Handle, message: Uint8Array, code: Uint8Array): boolean {
    const { major } = this.#call(
      'gss_verify_mic',
      context,
      this.#foreign.lend(message),
      this.#foreign.lend(code),
      null,
    )
    return major === 0
  }

  #mechanisms(): object {
    return { count: 1, elements: this.#foreign.lendObjectId(objectIds.kerberos) }
  }

  #call(name: keyof typeof signatures, ...values: readonly unknown[]): Status {
    const known = this.#functions.get(name) ?? this.#foreign.declare(name, signatures[name])
    this.#functions.set(name, known)
    return known(...values)
  }

  #check(status: Status, attempt: string, about: 'library' | 'peer' = 'library'): void {
    if (isFailure(status)) throw failureOf(status, attempt, this.#describe(status), about)
  }

  /** The mechanism's words, or the library's where it has none. No secret goes into a status, and none comes out. */
  #describe({ major, minor }: Status): string {
    const words = minor === 0 ? '' : this.#text(MINOR_TEXT, minor)
    return words === '' ? this.#text(MAJOR_TEXT, major) : words
  }

  /** The first message of a status; further ones repeat it more generally. */
  #text(type: number, code: number): string {
    const words: Partial<BufferDescriptor> = {}
    const kerberos = this.#foreign.lendObjectId(objectIds.kerberos)
    const status = this.#call('gss_display_status', code, type, kerberos, [0], words)
    if (isFailure(status)) return `code ${code}`
    return Buffer.from(this.#foreign.take(words)).toString().trim().replace(/\.$/u, '')
  }
}

/** What a call has put into the one place it was given. */
function first<Value>(places: readonly Value[]): Value {
  const [value] = places
  if (value === undefined) throw new Error('Broken invariant: a place holds a value')
  return value
}
