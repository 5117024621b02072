/** Contexts of Kerberos, NTLM and Negotiate over SSPI, for the one identity of a helper. */

import { parseUserName } from '../../auth/credentials.ts'
import { MechanismError } from '../../auth/error.ts'
import type { MechanismName, MechanismStep } from '../../auth/mechanism.ts'
import { encodeUtf16, utf16OfUtf8 } from '../../auth/ntlm/text.ts'
import type { OpenRequest } from '../gssapi/conversation.ts'
import type { Initiator, InitiatorContext, OpenParts } from '../gssapi/initiator.ts'
import { encodeChannelBindings, type SecurityBuffer, type SspiForeign } from './sspi-foreign.ts'
import { isSspiFailure, sspiFailureOf, sspiStatus } from './sspi-status.ts'

/** Windows' names of its security packages. */
const packages: Readonly<Record<MechanismName, string>> = {
  kerberos: 'Kerberos',
  ntlm: 'NTLM',
  negotiate: 'Negotiate',
}

/** ISC_REQ_ flags; ISC_RET_ has the same values. */
const contextFlags = {
  delegate: 0x1,
  mutual: 0x2,
  replay: 0x4,
  sequence: 0x8,
  connection: 0x800,
  integrity: 0x1_0000,
} as const

/** SECPKG_CRED_OUTBOUND. */
const OUTBOUND = 2
/** SECURITY_NETWORK_DREP. */
const NETWORK_ORDER = 0
/** A `CredHandle` or `CtxtHandle` is two pointers. */
const HANDLE_BYTES = 16
/** A `TimeStamp`. */
const TIME_BYTES = 8
/** The largest token of any package: with every group of a user in it, Kerberos stays below. */
const TOKEN_BYTES = 0x1_0000
/** SECPKG_ATTR_SIZES, and its four unsigned longs. */
const SIZES = 0
const SIZES_COUNT = 4

/** Makes contexts. Credentials are kept with the helper: Windows fetches tickets for them as it needs them. */
export class SspiInitiator implements Initiator {
  readonly #foreign: SspiForeign
  readonly #credentials = new Map<MechanismName, Uint8Array>()

  constructor(foreign: SspiForeign) {
    this.#foreign = foreign
  }

  open(request: OpenRequest, parts: OpenParts): InitiatorContext {
    const credential =
      this.#credentials.get(request.mechanism) ?? this.#acquire(request, parts.password)
    this.#credentials.set(request.mechanism, credential)
    return new SspiContext(this.#foreign, credential, request, parts)
  }

  #acquire({ mechanism, identity }: OpenRequest, password: Uint8Array | undefined): Uint8Array {
    const handle = new Uint8Array(HANDLE_BYTES)
    const name = encodeUtf16(`${packages[mechanism]}\0`)
    const expiry = new Uint8Array(TIME_BYTES)
    const secret = utf16OfUtf8(password ?? new Uint8Array())
    try {
      const who =
        identity.kind === 'password'
          ? this.#foreign.lendIdentity({ ...encodeName(identity.userName), password: secret })
          : null
      const status = this.#foreign.call(
        'AcquireCredentialsHandleW',
        null,
        name,
        OUTBOUND,
        null,
        who,
        null,
        null,
        handle,
        expiry,
      )
      if (!isSspiFailure(status)) return handle
      throw sspiFailureOf(status, `use the credentials of ${whose(identity)}`, 'library')
    } finally {
      secret.fill(0)
    }
  }
}

/** One context. */
class SspiContext implements InitiatorContext {
  readonly #foreign: SspiForeign
  readonly #credential: Uint8Array
  readonly #targetName: string
  readonly #flags: number
  /** What the context has to offer at last. */
  readonly #demanded: number
  readonly #bindings: Uint8Array | undefined
  readonly #context = new Uint8Array(HANDLE_BYTES)
  #hasContext = false

  constructor(
    foreign: SspiForeign,
    credential: Uint8Array,
    { mechanism, targetName, mutual, delegation }: OpenRequest,
    { channelBinding }: OpenParts,
  ) {
    const { replay, sequence, connection, integrity } = contextFlags
    const wanted = mutual ? contextFlags.mutual : 0
    // Windows delegates to services that the domain trusts with it, and to no others.
    const delegated = delegation === 'whenTrusted' ? contextFlags.delegate : 0
    this.#foreign = foreign
    this.#credential = credential
    this.#targetName = targetName
    this.#flags = replay + sequence + connection + integrity + wanted + delegated
    // NTLM proves no server, and Negotiate may end as NTLM.
    this.#demanded = mechanism === 'kerberos' ? integrity + wanted : integrity
    this.#bindings =
      channelBinding === undefined ? undefined : encodeChannelBindings(channelBinding)
  }

  step(token: Uint8Array | undefined): MechanismStep {
    const ours = new Uint8Array(TOKEN_BYTES)
    const output = this.#foreign.lendBuffers([{ type: 'token', bytes: ours }])
    const attributes = new Uint32Array(1)
    const input = this.#inputOf(token)
    const status = this.#foreign.call(
      'InitializeSecurityContextW',
      this.#credential,
      this.#hasContext ? this.#context : null,
      encodeUtf16(`${this.#targetName.replace('@', '/')}\0`),
      this.#flags,
      0,
      NETWORK_ORDER,
      input.length === 0 ? null : this.#foreign.lendBuffers(input),
      0,
      this.#context,
      output,
      attributes,
      new Uint8Array(TIME_BYTES),
    )
    this.#check(status, `go on with ${this.#targetName}`, token === undefined ? 'library' : 'peer')
    this.#hasContext = true
    if (status === sspiStatus.completeNeeded || status === sspiStatus.completeAndContinue) {
      const done = this.#foreign.call('CompleteAuthToken', this.#context, output)
      this.#check(done, `go on with ${this.#targetName}`, 'library')
    }
    const complete = status === sspiStatus.ok || status === sspiStatus.completeNeeded
    if (complete) this.#demand(attributes[0] ?? 0)
    const [length = 0] = this.#foreign.lengthsOf(output)
    return length === 0 ? { complete } : { token: ours.slice(0, length), complete }
  }

  sign(message: Uint8Array): Uint8Array {
    const sizes = new Uint32Array(SIZES_COUNT)
    const asked = this.#foreign.call('QueryContextAttributesW', this.#context, SIZES, sizes)
    this.#check(asked, 'sign a message', 'library')
    const [, signatureBytes = 0] = sizes
    const code = new Uint8Array(signatureBytes)
    const buffers = this.#foreign.lendBuffers([
      { type: 'data', bytes: message },
      { type: 'token', bytes: code },
    ])
    const status = this.#foreign.call('MakeSignature', this.#context, 0, buffers, 0)
    this.#check(status, 'sign a message', 'library')
    const [, length = 0] = this.#foreign.lengthsOf(buffers)
    return code.slice(0, length)
  }

  verify(message: Uint8Array, code: Uint8Array): boolean {
    const buffers = this.#foreign.lendBuffers([
      { type: 'data', bytes: message },
      { type: 'token', bytes: code },
    ])
    const quality = new Uint32Array(1)
    return (
      this.#foreign.call('VerifySignature', this.#context, buffers, 0, quality) === sspiStatus.ok
    )
  }

  close(): void {
    if (this.#hasContext) this.#foreign.call('DeleteSecurityContext', this.#context)
    this.#hasContext = false
  }

  #inputOf(token: Uint8Array | undefined): readonly SecurityBuffer[] {
    return [
      ...(token === undefined ? [] : [{ type: 'token', bytes: token } as const]),
      ...(this.#bindings === undefined
        ? []
        : [{ type: 'channelBindings', bytes: this.#bindings } as const]),
    ]
  }

  #check(status: number, attempt: string, about: 'library' | 'peer'): void {
    if (isSspiFailure(status)) throw sspiFailureOf(status, attempt, about)
  }

  #demand(attributes: number): void {
    if ((attributes & this.#demanded) === this.#demanded) return
    throw new MechanismError(
      'ERR_SSPI_WEAK',
      `Cannot trust ${this.#targetName}: the context proves less than was asked for`,
      { reason: 'refused' },
    )
  }
}

function encodeName(userName: string): { user: Uint8Array; domain: Uint8Array } {
  const { user, domain } = parseUserName(userName)
  return { user: encodeUtf16(user), domain: encodeUtf16(domain) }
}

function whose(identity: OpenRequest['identity']): string {
  return identity.kind === 'password' ? identity.userName : 'whoever is logged on'
}
