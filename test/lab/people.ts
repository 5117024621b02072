/** Who the servers of the lab know, by the same password everywhere. */

import { createHash } from 'node:crypto'
import { md4 } from '../../src/auth/legacy-crypto/md4.ts'
import { PASSWORD } from './kdc-contexts.ts'

/** The one user. */
export const USER = 'alice'

/** The machine that knows the user's password for NTLM; a domain of its own, as machines without one are. */
export const NTLM_DOMAIN = 'LULLLAB'

/** The user as NTLM names them. */
export const NTLM_USER = `${NTLM_DOMAIN}\\${USER}`

/** Line of a password file of Apache. */
export function apacheUser(): string {
  return `${USER}:{SHA}${createHash('sha1').update(PASSWORD).digest('base64')}\n`
}

/** Line of a password file of Squid's `basic_ncsa_auth`. */
export function squidUser(): string {
  return `${USER}:${createHash('md5').update(PASSWORD).digest('hex')}\n`
}

/** Line of a digest file of Apache and of Squid's `digest_file_auth -c` (RFC 7616 §3.4.2). */
export function digestUser(realm: string): string {
  const secret = createHash('md5').update(`${USER}:${realm}:${PASSWORD}`).digest('hex')
  return `${USER}:${realm}:${secret}\n`
}

/** Line of gss-ntlmssp's user file. */
export function ntlmUser(): string {
  return `${NTLM_DOMAIN}:${USER}:${PASSWORD}\n`
}

/** Line of Samba's smbpasswd(5). @param uid the user's number */
export function sambaUser(uid: number): string {
  const hash = Buffer.from(md4(Buffer.from(PASSWORD, 'utf16le')))
    .toString('hex')
    .toUpperCase()
  return `${USER}:${uid}:${'X'.repeat(hash.length)}:${hash}:[U          ]:LCT-00000001:\n`
}
