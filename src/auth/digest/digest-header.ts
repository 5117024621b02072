/** What goes into `Authorization` (RFC 7616 §3.4). */

import type { Hashes } from '../crypto.ts'
import { decodeOctets } from '../octets.ts'
import { formatParameters, type Parameter } from '../parameters.ts'
import type { RequestFacts } from '../scheme.ts'
import { hasControls, isAscii } from '../utf8.ts'
import type { DigestUse } from './nonce.ts'
import { digestResponse, hashUser, type DigestInput } from './response.ts'

/** What goes into the digest of a request; into that of its response with an empty method and the response's body. */
export function digestInput(
  use: DigestUse,
  method: string,
  uri: string,
  bodyHash: RequestFacts['bodyHash'],
): DigestInput {
  const { algorithm, qop } = use.nonce.challenge
  return {
    algorithm,
    nonce: use.value,
    method,
    uri,
    ...(qop === undefined ? {} : { quality: { qop, nc: use.nc, cnonce: use.nonce.cnonce } }),
    ...(bodyHash === undefined ? {} : { bodyHash }),
  }
}

/**
 * Writes the header's value, in the order of the examples of RFC 7616 §3.9 and with quotes exactly where A217 says.
 *
 * @param user UTF-8, Normalization Form C
 */
export function formatDigest(
  hashes: Hashes,
  user: Uint8Array,
  use: DigestUse,
  request: RequestFacts,
): string {
  const { challenge, cnonce, key } = use.nonce
  const { realm, algorithm, algorithmName, opaque, qop, hashesUser } = challenge
  const { method, requestTarget, bodyHash } = request
  const response = digestResponse(hashes, key, digestInput(use, method, requestTarget, bodyHash))
  // Without qop RFC 2069 knows no cnonce; a session key cannot be checked without it.
  const sendsCnonce = qop !== undefined || algorithm.isSession
  return `Digest ${formatParameters([
    hashesUser ? ['username', hashUser(hashes, algorithm.hash, user, realm)] : formatUserName(user),
    ['realm', realm],
    ['uri', requestTarget],
    ['algorithm', bare(algorithmName)],
    ['nonce', use.value],
    ['nc', bare(qop === undefined ? undefined : use.nc)],
    ['cnonce', sendsCnonce ? cnonce : undefined],
    ['qop', bare(qop)],
    ['response', response],
    ['opaque', opaque],
    ['userhash', bare(hashesUser ? 'true' : undefined)],
  ])}`
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

function bare(value: string | undefined): Parameter[1] {
  return value === undefined ? undefined : { bare: value }
}
