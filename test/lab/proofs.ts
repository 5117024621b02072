/** What a job is given to prove itself with in the matrix: for each scheme, the right thing, a wrong one, or none. */

import type { AuthTarget, SchemeName } from '../../src/auth/auth.ts'
import type { CredentialPair, Credentials } from '../../src/auth/credentials.ts'
import { Secret } from '../../src/auth/secret.ts'
import { PASSWORD } from './kdc-contexts.ts'
import { realm } from './kdc.ts'
import { NTLM_USER, USER } from './people.ts'

/** What a job was given. */
export const proofKinds = ['right', 'wrong', 'missing', 'implicit'] as const

/** One of {@link proofKinds}. */
export type ProofKind = (typeof proofKinds)[number]

/** How somebody proves who they are: a scheme, and which mechanism of Negotiate. */
export type ProofName =
  | 'none'
  | 'basic'
  | 'digest'
  | 'ntlm'
  | 'kerberos'
  | 'negotiate-ntlm'
  | 'passport'

/** The scheme that is set, and the user's name in its words. */
const ways: Readonly<Record<Exclude<ProofName, 'none'>, readonly [SchemeName, string]>> = {
  basic: ['basic', USER],
  digest: ['digest', USER],
  ntlm: ['ntlm', NTLM_USER],
  kerberos: ['negotiate', `${USER}@${realm}`],
  // No realm belongs to this domain, so Kerberos cannot be had.
  'negotiate-ntlm': ['negotiate', NTLM_USER],
  passport: ['passport', USER],
}

/** The pairs of a job for one target. */
export function pairsFor(
  target: AuthTarget,
  proof: ProofName,
  kind: ProofKind,
): readonly CredentialPair[] {
  if (proof === 'none' || kind === 'missing') return []
  const [scheme, userName] = ways[proof]
  return [{ target, scheme, credentials: credentialsOf(userName, kind) }]
}

function credentialsOf(userName: string, kind: Exclude<ProofKind, 'missing'>): Credentials {
  if (kind === 'implicit') return { kind: 'implicit' }
  const password = kind === 'right' ? PASSWORD : 'wrong'
  return { kind: 'password', userName, password: Secret.fromText(password) }
}
