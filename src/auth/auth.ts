/**
 * The room `auth`: challenges in, credentials out. It knows no socket; who owns the connection asks what to send next.
 *
 * Terms (RFC 9110 §11, RFC 7616, authentication.md):
 *
 * - *target*: who asks for proof, the *server* (401) or the *proxy* (407). Each has its own authenticator, and neither
 *   reads nor resets the other (A121).
 * - *peer*: the origin (scheme, host, port) of that server or proxy.
 * - *scheme*: one way to prove who is asking. *Challenge*: a scheme and its parameters, as the target offered it.
 * - *credentials*: what a job was given for one (target, scheme) pair; at most one for each pair (A12).
 * - *implicit* credentials: no name and no password; the identity that is logged on (A50).
 * - *session*: what one scheme remembers of one peer between requests: a nonce and its counter, a path prefix, a token.
 * - *handshake*: the legs that prove one thing once, on one request or on one connection, whichever the scheme *binds*.
 * - *refused*: the peer said no; these credentials end here. *Unable*: our side cannot; the next scheme may (A136).
 * - *detour*: a request to another place (a sign-in server, a token endpoint) without which a handshake cannot go on.
 */

import { Fields, type Field } from '../wire/fields.ts'

/** Who asks for proof (BG_AUTH_TARGET, A1). */
export type AuthTarget = 'server' | 'proxy'

/** BG_AUTH_TARGET by BITS's number (A1). */
export const authTargetNumbers = { server: 1, proxy: 2 } as const satisfies Record<
  AuthTarget,
  number
>

/** The schemes by the name that the API, the command line and the queue use. */
export type SchemeName = 'basic' | 'digest' | 'ntlm' | 'negotiate' | 'passport' | 'bearer'

/** BG_AUTH_SCHEME by BITS's number (A2). `bearer` is ours and has none. */
export const authSchemeNumbers = {
  basic: 1,
  digest: 2,
  ntlm: 3,
  negotiate: 4,
  passport: 5,
} as const satisfies Partial<Record<SchemeName, number>>

/**
 * One header field. One character of a value is one octet on the wire (ISO-8859-1), in both directions: what a field
 * says in UTF-8 is octets here.
 */
export type { Field } from '../wire/fields.ts'

/** The names of the fields and the status by which a target talks about authentication (A176). */
export interface TargetFields {
  readonly status: 401 | 407
  /** The field that carries challenges, lower case. */
  readonly challenge: string
  /** The field that carries credentials. */
  readonly credentials: string
  /** The field that speaks about an authentication that succeeded, lower case. */
  readonly info: string
}

/** The fields of each target (A176). */
export const targetFields: Readonly<Record<AuthTarget, TargetFields>> = {
  server: {
    status: 401,
    challenge: 'www-authenticate',
    credentials: 'Authorization',
    info: 'authentication-info',
  },
  proxy: {
    status: 407,
    challenge: 'proxy-authenticate',
    credentials: 'Proxy-Authorization',
    info: 'proxy-authentication-info',
  },
}

/** The values of every line of one field, in order and never joined (A174). */
export function fieldValues(fields: Iterable<Field>, name: string): readonly string[] {
  // What was read off the wire cuts out what is asked for, and nothing else.
  if (fields instanceof Fields) return fields.all(name)
  const wanted = name.toLowerCase()
  const values: string[] = []
  for (const field of fields) {
    // Most names are told apart by their lengths.
    const isNamed = field[0].length === wanted.length && field[0].toLowerCase() === wanted
    if (isNamed) values.push(field[1])
  }
  return values
}
