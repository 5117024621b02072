/**
 * The keychains of macOS, through `security`: the login keychain is `MY` of the current user, the system's is `MY` of the
 * machine (A81). `security` gives all identities of a keychain or none; the system may ask the person at the screen
 * first, and keeps those that were imported as not extractable.
 */

import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isIssuedBy } from './chain.ts'
import { readPkcs12Keys } from './pkcs12.ts'
import {
  hashOf,
  runCommand,
  StoreError,
  type PlatformLocation,
  type PlatformStore,
  type RunCommand,
  type StorePlace,
  type TakenIdentity,
} from './platform-store.ts'

const SECURITY = '/usr/bin/security'

/** The only store that has identities; the others are there and have none. */
const OWN = 'my'
const empty = new Set(['ca', 'root', 'spc'])

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu

/** Makes the store of macOS. @param run the machine's unless a test has another */
export function keychainStore(run: RunCommand = runCommand): PlatformStore {
  return {
    certificates(location, store) {
      if (empty.has(store.toLowerCase())) return []
      if (store.toLowerCase() !== OWN) return undefined
      const all = certificatesIn(run, location)
      const hashes = parseIdentities(ask(run, ['find-identity', '-p', 'ssl-client', keychainOf(location)])) // prettier-ignore
      return all.filter((certificate) => hashes.has(hashOf(certificate)))
    },
    take: (place) => take(run, place),
  }
}

function take(run: RunCommand, { location, hash }: StorePlace): TakenIdentity {
  const all = certificatesIn(run, location)
  const own = all.find((certificate) => hashOf(certificate) === hash)
  if (own === undefined) throw new StoreError('missing', 'it is not in the keychain any more')
  const keys = exportKeys(run, keychainOf(location))
  return { certificates: [own, ...issuersOf(own, all)], keys }
}

/** Through a file that nobody else can read, sealed with a word that is used once. */
function exportKeys(run: RunCommand, keychain: string): readonly Uint8Array[] {
  const folder = mkdtempSync(join(tmpdir(), 'lull-identities-'))
  const word = randomBytes(24).toString('hex')
  try {
    const file = join(folder, 'identities.p12')
    const args = ['export', '-k', keychain, '-t', 'identities', '-f', 'pkcs12', '-P', word, '-o', file] // prettier-ignore
    ask(run, args)
    return readPkcs12Keys(readFileSync(file), Buffer.from(word))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function certificatesIn(run: RunCommand, location: PlatformLocation): readonly X509Certificate[] {
  const text = ask(run, ['find-certificate', '-a', '-p', keychainOf(location)])
  return (text.match(pem) ?? []).map((each) => new X509Certificate(each))
}

function issuersOf(
  own: X509Certificate,
  all: readonly X509Certificate[],
): readonly X509Certificate[] {
  const issuers: X509Certificate[] = []
  for (let last = own; issuers.length < MAX_ISSUERS;) {
    const issuer = all.find((one) => isIssuedBy(last, one))
    if (issuer === undefined || issuer.subject === issuer.issuer) return issuers
    issuers.push(issuer)
    last = issuer
  }
  return issuers
}

const MAX_ISSUERS = 8

function keychainOf(location: PlatformLocation): string {
  if (location === 'localMachine') return '/Library/Keychains/System.keychain'
  return join(homedir(), 'Library', 'Keychains', 'login.keychain-db')
}

/**
 * The hashes in what `security find-identity` prints: first those that match, then once more those that are valid.
 *
 * ```
 *   1) 5BA93C9DB0CFF93F52B521D7420E43F6EDA2784F "alice" (CSSMERR_TP_CERT_EXPIRED)
 * ```
 */
export function parseIdentities(text: string): ReadonlySet<string> {
  const hashes = [...text.matchAll(/^\s*\d+\) ([0-9A-F]{40}) "/gmu)].map(([, hash = '']) => hash)
  return new Set(hashes.map((hash) => hash.toLowerCase()))
}

/** @returns what it printed */
function ask(run: RunCommand, args: readonly string[]): string {
  const { status, stdout, stderr } = run(SECURITY, args)
  if (status === 0) return stdout
  // What it could not find is nothing that is wrong.
  if (/could not be found/u.test(stderr)) return ''
  if (args[0] === 'export') {
    const why = 'macOS does not let the private keys of this keychain out; export the identity to a file in Keychain Access, where that is allowed' // prettier-ignore
    throw new StoreError('locked', why)
  }
  throw new StoreError('broken', `security ${args[0]} ended with ${status ?? 'no status in time'}`)
}
