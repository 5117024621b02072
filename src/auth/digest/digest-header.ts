/** What goes into `Authorization` (RFC 7616 §3.4). */

import type { Hashes } from '../crypto.ts'
import { decodeOctets } from '../octets.ts'
import { formatParameters, quote, type Parameter } from '../parameters.ts'
import { hasControls, isAscii } from '../utf8.ts'
import type { DigestChallenge } from './digest-challenge.ts'
import { hashUser } from './response.ts'

/** What every header says that goes with one nonce, put into words once for thousands of requests. */
export interface DigestWords {
  /** Before the URI. */
  readonly front: string
  /** Between the URI and the nonce. */
  readonly algorithm: string
  /** Whether the count follows the nonce. */
  readonly hasCount: boolean
  /** Between that and the response. */
  readonly agreed: string
  /** Behind the response. */
  readonly back: string
}

/**
 * Words all that a header says besides what {@link formatDigest} is told.
 *
 * @param user UTF-8, Normalization Form C
 */
export function wordDigest(
  hashes: Hashes,
  user: Uint8Array,
  challenge: DigestChallenge,
  cnonce: string,
): DigestWords {
  const { realm, algorithm, algorithmName, opaque, qop, hashesUser } = challenge
  // Without qop RFC 2069 knows no cnonce; a session key cannot be checked without it.
  const sendsCnonce = qop !== undefined || algorithm.isSession
  const userName: Parameter = hashesUser
    ? ['username', hashUser(hashes, algorithm.hash, user, realm)]
    : formatUserName(user)
  return {
    front: `Digest ${formatParameters([userName, ['realm', realm]])}`,
    algorithm: formatMore([['algorithm', bare(algorithmName)]]),
    hasCount: qop !== undefined,
    agreed: formatMore([
      ['cnonce', sendsCnonce ? cnonce : undefined],
      ['qop', bare(qop)],
    ]),
    back: formatMore([
      ['opaque', opaque],
      ['userhash', bare(hashesUser ? 'true' : undefined)],
    ]),
  }
}

/** What a header says of one request. */
export interface DigestSaid {
  /** The request-target. */
  readonly uri: string
  readonly nonce: string
  readonly nc: string
  readonly response: string
}

/** Writes the header's value, in the order of the examples of RFC 7616 §3.9 and with quotes exactly where A217 says. */
export function formatDigest(words: DigestWords, { uri, nonce, nc, response }: DigestSaid): string {
  const { front, algorithm, hasCount, agreed, back } = words
  const count = hasCount ? `, nc=${nc}` : ''
  return `${front}, uri=${quote(uri)}${algorithm}, nonce=${quote(nonce)}${count}${agreed}, response="${response}"${back}`
}

/** In quotes when it can be, else as RFC 8187 writes it; never both (A218). */
function formatUserName(user: Uint8Array): Parameter {
  if (isAscii(user) && !hasControls(user)) return ['username', decodeOctets(user)]
  return ['username*', { bare: `UTF-8''${percentEncode(user)}` }]
}

const attributeCharacter = /[A-Za-z0-9!#$&+\-.^_`|~]/

function percentEncode(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += attributeCharacter.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** Parameters that follow others. */
function formatMore(parameters: readonly Parameter[]): string {
  const text = formatParameters(parameters)
  return text === '' ? '' : `, ${text}`
}

function bare(value: string | undefined): Parameter[1] {
  return value === undefined ? undefined : { bare: value }
}
