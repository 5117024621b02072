/** How a client fetches a token for itself: the client credentials grant (RFC 6749 §4.4). Formats only. */

import type { Instant } from '../base/clock.ts'
import { encodeBase64 } from './base64.ts'
import type { ClientCredentials } from './credentials.ts'
import { encodeOctets } from './octets.ts'
import type { Detour, DetourResponse } from './scheme.ts'
import { Secret } from './secret.ts'

/** What a token endpoint said. */
export type TokenResponse =
  | {
      readonly kind: 'token'
      /** A b64token (RFC 6750 §2.1); the receiver wipes it. */
      readonly token: Secret
      /** When it ends; absent when nobody said. */
      readonly expiresAt?: Instant
    }
  /** The endpoint knows better than to give one (§5.2). */
  | { readonly kind: 'denied'; readonly error: OAuthError }
  /** The answer is none that §5 describes. */
  | { readonly kind: 'unreadable'; readonly reason: string }

const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
] as const

/** Why a token endpoint refuses (RFC 6749 §5.2). */
export type OAuthError = (typeof oauthErrors)[number]

/** What a bearer token may look like (RFC 6750 §2.1). */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/

/** Whether these octets can stand after `Bearer`. */
export function isBearerToken(bytes: Uint8Array): boolean {
  return b64token.test(new TextDecoder().decode(bytes))
}

/**
 * Writes the request for a token: the client proves itself with Basic (RFC 6749 §2.3.1), so that its secret is in a
 * header and not in the body.
 */
export function formatTokenRequest({
  clientId,
  clientSecret,
  tokenUrl,
  scope,
}: ClientCredentials): Detour {
  const id = encodeOctets(formEncode(new TextEncoder().encode(clientId)))
  const authorization = clientSecret.use((bytes) => {
    const pair = new Uint8Array([...id, 0x3a, ...encodeOctets(formEncode(bytes))])
    const text = encodeBase64(pair)
    pair.fill(0)
    return `Basic ${text}`
  })
  const scopeField =
    scope === undefined ? '' : `&scope=${formEncode(new TextEncoder().encode(scope))}`
  return {
    kind: 'detour',
    method: 'POST',
    url: tokenUrl,
    fields: [
      ['Authorization', authorization],
      ['Accept', 'application/json'],
      ['Content-Type', 'application/x-www-form-urlencoded'],
    ],
    body: encodeOctets(`grant_type=client_credentials${scopeField}`),
  }
}

/**
 * Reads what the token endpoint answered (RFC 6749 §5). JSON cannot be read without making a string of the token; it
 * lives until the collector takes it.
 *
 * @param now when the answer came, to count `expires_in` from
 */
export function parseTokenResponse({ status, body }: DetourResponse, now: Instant): TokenResponse {
  const answer = parseObject(body) ?? (status === 401 ? {} : undefined)
  if (answer === undefined) return unreadable(`no JSON object came with status ${status}`)
  const error = oauthErrors.find((code) => code === answer['error'])
  if (error !== undefined) return { kind: 'denied', error }
  // RFC 6749 §5.2: so says a server that does not know the client, whatever words it has for that.
  if (status === 401) return { kind: 'denied', error: 'invalid_client' }
  if (status !== 200) return unreadable(`the status is ${status}`)
  const { access_token: token, token_type: type, expires_in: lifetime } = answer
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    return unreadable('the token is of another type')
  }
  if (typeof token !== 'string' || !b64token.test(token)) return unreadable('there is no token')
  // Some endpoints write the number as a string.
  const seconds = typeof lifetime === 'string' ? Number(lifetime) : lifetime
  const ends = typeof seconds === 'number' && seconds >= 0 && Number.isFinite(seconds)
  return {
    kind: 'token',
    token: Secret.fromText(token),
    ...(ends ? { expiresAt: now + seconds * 1000 } : {}),
  }
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    // The cast states what was just tested.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function unreadable(reason: string): TokenResponse {
  return { kind: 'unreadable', reason }
}

const unreserved = /[A-Za-z0-9*\-._]/

/** `application/x-www-form-urlencoded` of UTF-8 octets (RFC 6749 Appendix B). */
export function formEncode(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    if (unreserved.test(character)) text += character
    else if (character === ' ') text += '+'
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
