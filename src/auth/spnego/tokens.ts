/** The tokens of SPNEGO (RFC 4178 §4.2) and the frame of the first one (RFC 2743 §3.1). */

import { ProtocolError } from '../../base/error.ts'
import { contextTag, decodeOid, DerReader, derTags, encodeDer, encodeOid } from './der.ts'
import { mechanismIds } from './mechanism-ids.ts'

/** Tag of an InitialContextToken. */
const initialTag = 0x60

/** Tag of the choice NegTokenInit, and of NegTokenResp. */
const initTag = contextTag(0)
const responseTag = contextTag(1)

/** More than any honest token: a ticket with a large authorisation record has up to 48,000 bytes. */
export const maximumTokenBytes = 65_536

/** More mechanisms than anybody has. */
const maximumMechanisms = 64

/** The first token of a mechanism in its frame. */
export interface GssToken {
  readonly mechanism: string
  /** For Kerberos two bytes of type, then the message (A309). */
  readonly inner: Uint8Array
}

/** Frames the first token of a mechanism. */
export function encodeGssToken({ mechanism, inner }: GssToken): Uint8Array {
  return encodeDer(initialTag, encodeOid(mechanism), inner)
}

/**
 * Opens the frame of a first token; what follows it is ignored.
 *
 * @throws {ProtocolError} `ERR_DER_TAG`, `ERR_DER_LENGTH`, `ERR_DER_TRUNCATED`, `ERR_DER_OID`, `ERR_SPNEGO_TOO_LONG`
 */
export function decodeGssToken(bytes: Uint8Array): GssToken {
  const content = limited(bytes).content(initialTag)
  const reader = new DerReader(content)
  const id = reader.element(derTags.oid)
  return {
    mechanism: decodeOid(new DerReader(id).content(derTags.oid)),
    inner: content.subarray(id.length),
  }
}

/** Whether bytes begin like a framed first token. */
export function isGssToken(bytes: Uint8Array): boolean {
  return bytes[0] === initialTag
}

/** What the initiator offers, or an acceptor hints at (NegTokenInit2 of MS-SPNG §2.2.1). */
export interface NegTokenInit {
  /** In order of preference. */
  readonly mechTypes: readonly string[]
  /** Content of the BIT STRING; nobody uses it. */
  readonly reqFlags?: Uint8Array
  /** The first token of the first mechanism, sent in the hope that it is selected. */
  readonly mechToken?: Uint8Array
  /** Only in a hint. */
  readonly negHints?: NegHints
  readonly mechListMic?: Uint8Array
}

/** What a Windows server says about itself before anybody asked. */
export interface NegHints {
  readonly hintName?: string
  readonly hintAddress?: Uint8Array
}

/** Every later token, of either side. */
export interface NegTokenResp {
  readonly negState?: NegState
  readonly supportedMech?: string
  readonly responseToken?: Uint8Array
  readonly mechListMic?: Uint8Array
}

/** How far the negotiation is; the number on the wire is the index. */
export const negStates = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const

/** How far the negotiation is. */
export type NegState = (typeof negStates)[number]

/** The DER of a MechTypeList, over which mechListMIC is made: the SEQUENCE without its `[0]` (A284). */
export function encodeMechTypeList(mechTypes: readonly string[]): Uint8Array {
  return encodeDer(derTags.sequence, ...mechTypes.map(encodeOid))
}

/** Encodes a first token of SPNEGO, frame included. With hints it becomes a NegTokenInit2. */
export function encodeNegTokenInit(token: NegTokenInit): Uint8Array {
  const { mechTypes, reqFlags, mechToken, negHints, mechListMic } = token
  const micTag = contextTag(negHints === undefined ? 3 : 4)
  const fields = encodeDer(
    derTags.sequence,
    encodeDer(contextTag(0), encodeMechTypeList(mechTypes)),
    field(contextTag(1), derTags.bitString, reqFlags),
    field(contextTag(2), derTags.octetString, mechToken),
    negHints === undefined
      ? nothing
      : encodeDer(contextTag(3), encodeDer(derTags.sequence, ...encodeHints(negHints))),
    field(micTag, derTags.octetString, mechListMic),
  )
  return encodeGssToken({ mechanism: mechanismIds.spnego, inner: encodeDer(initTag, fields) })
}

function encodeHints({ hintName, hintAddress }: NegHints): readonly Uint8Array[] {
  const name = hintName === undefined ? undefined : new TextEncoder().encode(hintName)
  return [
    field(contextTag(0), derTags.generalString, name),
    field(contextTag(1), derTags.octetString, hintAddress),
  ]
}

/**
 * Decodes the inside of a first token of SPNEGO. Field 3 is a MIC in NegTokenInit and hints in NegTokenInit2, which
 * are told apart by what is in it (V40).
 *
 * @returns the token, and the list of mechanisms exactly as it was sent, for the MIC over it; everything a view of
 *   `inner`
 * @throws {ProtocolError} `ERR_DER_TAG`, `ERR_DER_LENGTH`, `ERR_DER_TRUNCATED`, `ERR_DER_OID`, or
 *   `ERR_SPNEGO_MECHANISMS` when there are none or more than 64
 */
export function decodeNegTokenInit(
  inner: Uint8Array,
): NegTokenInit & { readonly mechTypeList: Uint8Array } {
  const fields = new DerReader(inner).enter(initTag).enter(derTags.sequence)
  const mechTypeList = fields.enter(contextTag(0)).element(derTags.sequence)
  const reqFlags = fields.enterOptional(contextTag(1))?.content(derTags.bitString)
  const mechToken = fields.enterOptional(contextTag(2))?.content(derTags.octetString)
  const third = fields.enterOptional(contextTag(3))
  const hasHints = third?.nextTag === derTags.sequence
  const mic = hasHints ? fields.enterOptional(contextTag(4)) : third
  return {
    mechTypeList,
    mechTypes: decodeMechTypeList(mechTypeList),
    ...present('reqFlags', reqFlags),
    ...present('mechToken', mechToken),
    ...present('negHints', hasHints ? decodeHints(third.enter(derTags.sequence)) : undefined),
    ...present('mechListMic', mic?.content(derTags.octetString)),
  }
}

function decodeMechTypeList(element: Uint8Array): readonly string[] {
  const list = new DerReader(element).enter(derTags.sequence)
  const mechTypes: string[] = []
  while (!list.atEnd && mechTypes.length <= maximumMechanisms) {
    mechTypes.push(decodeOid(list.content(derTags.oid)))
  }
  if (mechTypes.length > 0 && mechTypes.length <= maximumMechanisms) return mechTypes
  throw new ProtocolError(
    'ERR_SPNEGO_MECHANISMS',
    `Cannot read a list of mechanisms: ${mechTypes.length === 0 ? 'none' : 'too many'} of them`,
  )
}

function decodeHints(fields: DerReader): NegHints {
  const name = fields.enterOptional(contextTag(0))?.content(derTags.generalString)
  const address = fields.enterOptional(contextTag(1))?.content(derTags.octetString)
  return {
    ...present('hintName', name === undefined ? undefined : new TextDecoder().decode(name)),
    ...present('hintAddress', address),
  }
}

/** Encodes a later token of SPNEGO, which has no frame. */
export function encodeNegTokenResp(token: NegTokenResp): Uint8Array {
  const { negState, supportedMech, responseToken, mechListMic } = token
  const state = negState === undefined ? undefined : new Uint8Array([negStates.indexOf(negState)])
  const fields = encodeDer(
    derTags.sequence,
    field(contextTag(0), derTags.enumerated, state),
    supportedMech === undefined ? nothing : encodeDer(contextTag(1), encodeOid(supportedMech)),
    field(contextTag(2), derTags.octetString, responseToken),
    field(contextTag(3), derTags.octetString, mechListMic),
  )
  return encodeDer(responseTag, fields)
}

/**
 * Decodes a later token of SPNEGO.
 *
 * @returns views of `bytes`
 * @throws {ProtocolError} `ERR_DER_TAG`, `ERR_DER_LENGTH`, `ERR_DER_TRUNCATED`, `ERR_DER_OID`, `ERR_SPNEGO_TOO_LONG`,
 *   or `ERR_SPNEGO_STATE` when the state is unknown
 */
export function decodeNegTokenResp(bytes: Uint8Array): NegTokenResp {
  const fields = limited(bytes).enter(responseTag).enter(derTags.sequence)
  const state = fields.enterOptional(contextTag(0))?.content(derTags.enumerated)
  const supported = fields.enterOptional(contextTag(1))?.content(derTags.oid)
  const responseToken = fields.enterOptional(contextTag(2))?.content(derTags.octetString)
  const mechListMic = fields.enterOptional(contextTag(3))?.content(derTags.octetString)
  return {
    ...present('negState', state === undefined ? undefined : decodeNegState(state)),
    ...present('supportedMech', supported === undefined ? undefined : decodeOid(supported)),
    ...present('responseToken', responseToken),
    ...present('mechListMic', mechListMic),
  }
}

function decodeNegState(content: Uint8Array): NegState {
  const [value = -1] = content
  const state = content.length === 1 ? negStates[value] : undefined
  if (state !== undefined) return state
  throw new ProtocolError('ERR_SPNEGO_STATE', `Cannot read NegTokenResp: state ${value}`)
}

const nothing = new Uint8Array()

/** `[n]` around one element, or nothing. */
function field(tag: number, inner: number, content: Uint8Array | undefined): Uint8Array {
  return content === undefined ? nothing : encodeDer(tag, encodeDer(inner, content))
}

/** A property that is left out when there is nothing to say. */
function present<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]: Value })
}

function limited(bytes: Uint8Array): DerReader {
  if (bytes.length <= maximumTokenBytes) return new DerReader(bytes)
  throw new ProtocolError(
    'ERR_SPNEGO_TOO_LONG',
    `Cannot read a token: ${bytes.length} bytes, at most ${maximumTokenBytes}`,
  )
}
