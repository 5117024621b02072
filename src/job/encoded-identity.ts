/**
 * An identity as one string, for the password of SetCredentials (A157): `BTAI1:` and the base64url of a JSON object.
 * It stands for what `SspiEncodeAuthIdentityAsStrings` packs, so that more than a password fits into a call that takes
 * strings. It is as secret as what it holds.
 */

import type { Credentials } from '../auth/credentials.ts'
import { Secret } from '../auth/secret.ts'
import { JobError } from './failure.ts'

const PREFIX = 'BTAI1:'

/** What may be packed. */
export type PackableIdentity =
  | {
      readonly kind: 'password'
      readonly user: string
      /** Empty when there is none. */
      readonly domain: string
      readonly password: string
    }
  /** A credential cache, and which principal of a collection. */
  | { readonly kind: 'ccache'; readonly cache: string; readonly principal?: string }
  | { readonly kind: 'keytab'; readonly principal: string; readonly keytab: string }
  /** Who is logged on. */
  | { readonly kind: 'implicit' }

/** Whether a password is an encoded identity. */
export function isEncodedIdentity(password: string): boolean {
  return password.startsWith(PREFIX)
}

/** Packs an identity into one string. */
export function encodeIdentity(identity: PackableIdentity): string {
  const bytes = new TextEncoder().encode(JSON.stringify(identity))
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  bytes.fill(0)
  return PREFIX + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * Unpacks an identity.
 *
 * @returns credentials whose secrets belong to the caller, who wipes them
 * @throws {JobError} `BG_E_INVALID_CREDENTIALS` when the string is none, or holds a kind that cannot be used
 */
export function decodeIdentity(packed: string): Credentials {
  const fields = unpack(packed)
  const text = (name: string): string => {
    const value = fields.get(name)
    if (typeof value !== 'string') throw invalid(`its ${name} is missing`)
    return value
  }
  const kind = text('kind')
  switch (kind) {
    case 'password': {
      const domain = text('domain')
      const user = text('user')
      const userName = domain === '' ? user : `${domain}\\${user}`
      return { kind: 'password', userName, password: Secret.fromText(text('password')) }
    }
    case 'ccache':
      return {
        kind: 'tickets',
        cache: text('cache'),
        ...(fields.has('principal') ? { principal: text('principal') } : {}),
      }
    case 'keytab':
      return { kind: 'keytab', principal: text('principal'), keytab: text('keytab') }
    case 'implicit':
      return { kind: 'implicit' }
    default:
      throw invalid('it is of a kind that cannot be used here')
  }
}

function unpack(packed: string): ReadonlyMap<string, unknown> {
  const encoded = packed.slice(PREFIX.length)
  if (!isEncodedIdentity(packed) || !/^[\w-]+$/u.test(encoded)) throw invalid('it is damaged')
  try {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    bytes.fill(0)
    if (typeof value === 'object' && value !== null) return new Map(Object.entries(value))
  } catch {
    // The parser's own words quote what it read.
  }
  throw invalid('it is damaged')
}

function invalid(why: string): JobError {
  return new JobError('BG_E_INVALID_CREDENTIALS', `Cannot read the encoded identity: ${why}`)
}
