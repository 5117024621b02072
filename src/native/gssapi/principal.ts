/** Kerberos principals out of user names (A303). */

import { MechanismError } from '../../auth/error.ts'
import { parseUserName } from '../../auth/credentials.ts'

/** Realms by the NetBIOS name of their domain, upper case: `{ CORP: 'CORP.EXAMPLE' }`. */
export type RealmsByDomain = Readonly<Record<string, string>>

/**
 * The principal of a user name.
 *
 * `user@REALM` names it; a realm without capitals is a DNS name and written in capitals, as realms are. `user` is in
 * the default realm of this machine. The domain of `DOMAIN\user` is a NetBIOS name and no realm: it is looked up in
 * `realms`, is a realm itself when it has a dot, or is that of the target when the target's domain begins with it. It
 * is never guessed from a target alone, whose owner would be sent what a password can be searched with.
 *
 * @param userName as it was given
 * @param targetName `HTTP@host`
 * @throws {MechanismError} `ERR_KERBEROS_REALM`, unable, when the domain belongs to no known realm
 */
export function principalOf(
  userName: string,
  targetName: string,
  realms: RealmsByDomain = {},
): string {
  const { domain, user, realm } = parseUserName(userName)
  if (realm !== '') return `${escapeName(user.slice(0, -realm.length - 1))}@${capitalize(realm)}`
  if (domain === '') return escapeName(user)
  const found = realms[domain.toUpperCase()] ?? realmOf(domain, targetName)
  if (found !== undefined) return `${escapeName(user)}@${found}`
  throw new MechanismError(
    'ERR_KERBEROS_REALM',
    `Cannot find the Kerberos realm of ${domain}\\${user}: name the user as user@REALM`,
    { reason: 'unable' },
  )
}

function realmOf(domain: string, targetName: string): string | undefined {
  if (domain.includes('.')) return domain.toUpperCase()
  const host = targetName.slice(targetName.indexOf('@') + 1)
  const targetDomain = host.slice(host.indexOf('.') + 1)
  const [first, ...rest] = targetDomain.split('.')
  const isIts = rest.length > 0 && first?.toUpperCase() === domain.toUpperCase()
  return isIts ? targetDomain.toUpperCase() : undefined
}

/** Realms are compared letter by letter (RFC 4120 §6.1), and those of DNS names are in capitals by convention. */
function capitalize(realm: string): string {
  return realm === realm.toLowerCase() ? realm.toUpperCase() : realm
}

/** In a principal's text form, `/` divides its name and `@` ends it (RFC 1964 §2.1.1). */
function escapeName(name: string): string {
  return name.replace(/[\\@]/gu, String.raw`\$&`)
}
