/** The other side of Basic (RFC 7617). */

import type { Acceptor } from './acceptor.ts'
import { decodeBase64 } from './base64.ts'
import { parseCredentials } from './challenge.ts'
import { formatParameters } from './parameters.ts'

/** What a Basic acceptor asks and checks. */
export interface BasicAcceptorOptions {
  readonly realm: string
  /** Whether it says `charset="UTF-8"`. */
  readonly utf8?: boolean
  /**
   * Judges a pair.
   *
   * @param userName the octets before the first colon, one character each
   * @param password the octets after it
   */
  check(userName: string, password: Uint8Array): boolean
}

/** Makes the side that asks; it serves any number of connections. */
export function basicAcceptor(options: BasicAcceptorOptions): Acceptor {
  const challenge = `Basic ${formatParameters([
    ['realm', options.realm],
    ['charset', options.utf8 === true ? 'UTF-8' : undefined],
  ])}`
  return {
    async receive(credentials) {
      const pair = credentials === undefined ? undefined : decodeBasic(credentials)
      return pair !== undefined && options.check(pair.userName, pair.password)
        ? { kind: 'granted', user: pair.userName, fields: [] }
        : { kind: 'challenged', challenges: [challenge] }
    },
  }
}

/** A user-id and a password as octets; one character of the name is one octet. */
export interface BasicPair {
  readonly userName: string
  readonly password: Uint8Array
}

/** Reads a field value; `undefined` when it is not Basic. */
export function decodeBasic(fieldValue: string): BasicPair | undefined {
  const credentials = parseCredentials(fieldValue)
  if (credentials?.scheme !== 'basic' || credentials.token68 === undefined) return undefined
  const octets = decodeBase64(credentials.token68)
  const colon = octets?.indexOf(0x3a) ?? -1
  if (octets === undefined || colon < 0) return undefined
  return {
    userName: String.fromCharCode(...octets.subarray(0, colon)),
    password: octets.slice(colon + 1),
  }
}
