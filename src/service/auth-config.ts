/** What the configuration file may say about authentication (A58). */

import { hostname } from 'node:os'
import {
  defaultAuthSettings,
  type AuthSettings,
  type LmCompatibilityLevel,
  type UseLmCompat,
} from '../auth/settings.ts'
import { authSchemes } from '../job/given-credentials.ts'
import {
  DecodeError,
  flag,
  list,
  mapped,
  oneOf,
  optional,
  record,
  text,
  whole,
  type Decoder,
  type Fields,
} from '../rpc/decode.ts'

/** The settings of `auth`, each of which may be left out, and one of the engine. */
export interface AuthConfig extends Partial<Omit<AuthSettings, 'passport'>> {
  /** Where Passport's configuration is found. */
  readonly passportNexus?: string
  /** The sign-in server of Passport, instead of asking for it. */
  readonly passportSignIn?: { readonly realm: string; readonly url: string }
  /** Whether URLs with a name and a password are refused (A45). */
  readonly refuseUrlCredentials?: boolean
  /** Whether a server that asks for a client certificate is left when a job has none, needed or not (A77). */
  readonly strictCertificates?: boolean
  /** Kerberos realms by the NetBIOS name of their domain, upper case (A303). */
  readonly realms?: Readonly<Record<string, string>>
}

/** A text that fits a pattern. */
function word(pattern: RegExp, expected: string, limit = 255): Decoder<string> {
  return mapped(text(limit), (value, path) => {
    if (pattern.test(value)) return value
    throw new DecodeError(path, expected, value)
  })
}

const httpsUrl = mapped(text(2_048), (value, path) => {
  if (URL.canParse(value) && new URL(value).protocol === 'https:') return value
  throw new DecodeError(path, 'an https URL', value)
})

const origin = mapped(text(2_048), (value, path) => {
  if (URL.canParse(value) && new URL(value).origin === value) return value
  throw new DecodeError(path, 'an origin like https://host:port', value)
})

const hostPattern = word(
  /^(?:\*|<local>|<domain>|(?:\*\.)?[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])$/iu,
  'a host, *.domain, *, <local> or <domain>',
)

const netBiosName = word(/^[^\s\\/:*?"<>|@]+$/u, 'the NetBIOS name of a domain')
const realmName = word(/^[^\s\\/:@]+$/u, 'a Kerberos realm')

/** `{ "CORP": "AD.EXAMPLE.ORG" }`. */
const realms: Decoder<Readonly<Record<string, string>>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError(path, 'an object of domains and their realms', value)
  }
  return Object.fromEntries(
    Object.entries(value).map(([domain, realm]) => [
      netBiosName(domain, path).toUpperCase(),
      realmName(realm, `${path}.${domain}`),
    ]),
  )
}

/** What the switch of N96 knows; Kerberos is nothing that a job could set, and a part of Negotiate. */
const proxySchemes = [...authSchemes, 'kerberos'] as const

const fields: Fields<AuthConfig> = {
  // Each number of the range is one of the type's.
  useLmCompat: optional(mapped(whole(0, 2), (value) => value as UseLmCompat)),
  lmCompatibilityLevel: optional(mapped(whole(0, 5), (value) => value as LmCompatibilityLevel)),
  ntlmRequires128: optional(flag),
  defaultDomain: optional(word(/^[^\\@]*$/u, 'a domain without \\ and @')),
  workstation: optional(
    mapped(word(/^[^\s\\/:*?"<>|]*$/u, 'a NetBIOS name', 15), (name) => name.toUpperCase()),
  ),
  implicitHosts: optional(list(hostPattern, 1_000)),
  machineDomain: optional(
    mapped(word(/^[\w.-]*$/u, 'a DNS domain'), (name) => name.toLowerCase().replace(/^\./u, '')),
  ),
  allowClearText: optional(flag),
  basicLegacyLatin1: optional(flag),
  trustedOrigins: optional(list(origin, 1_000)),
  disableProxyAuthSchemes: optional(list(oneOf(proxySchemes), proxySchemes.length)),
  passportNexus: optional(httpsUrl),
  passportSignIn: optional(record({ realm: text(255), url: httpsUrl })),
  refuseUrlCredentials: optional(flag),
  strictCertificates: optional(flag),
  realms: optional(realms),
}

/** Reads the part of the file that is about authentication. */
export const authConfig: Decoder<AuthConfig> = record(fields)

/**
 * The settings as the file wants them; what it leaves out is the default, and the names of this machine.
 *
 * @param host the machine's name, with or without its domain
 */
export function authSettings(from: AuthConfig = {}, host: string = hostname()): AuthSettings {
  const {
    passportNexus,
    passportSignIn,
    refuseUrlCredentials: _,
    strictCertificates: __,
    realms: ___,
    ...settings
  } = from
  const [name = '', ...domain] = host.split('.')
  return {
    ...defaultAuthSettings,
    workstation: name.toUpperCase().slice(0, NETBIOS_NAME_LIMIT),
    machineDomain: domain.join('.').toLowerCase(),
    ...settings,
    passport: {
      nexusUrl: passportNexus ?? defaultAuthSettings.passport.nexusUrl,
      ...(passportSignIn === undefined ? {} : { signIn: passportSignIn }),
    },
  }
}

/** Characters of a NetBIOS name (A237). */
const NETBIOS_NAME_LIMIT = 15
