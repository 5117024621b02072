/** Which client certificate a job shall show: what the options say, before any secret is read. */

import { resolve } from 'node:path'
import { builtin } from '../client/builtin.ts'
import { readFileSync, statSync } from '../client/node-fs.ts'
import { certificateLocations, type CertificateLocation } from '../job/certificate.ts'
import type { CertificateParams } from '../rpc/contract.ts'
import { usageError } from './cli-error.ts'
import type { Arguments } from './parse.ts'
import { dashed } from './words.ts'

/** A certificate, and what opens its key. */
export interface CertificatePlan {
  readonly certificate: CertificateParams
  /** The file that only a passphrase opens. */
  readonly locked: string | undefined
  /** Whether the passphrase is a line of standard input. */
  readonly fromStdin: boolean
}

/** Where a certificate is looked for that is named without a place. */
const DEFAULT_LOCATION: CertificateLocation = 'currentUser'
const DEFAULT_STORE = 'MY'

/**
 * Reads what the options say about the client certificate.
 *
 * @returns `undefined` when they say nothing
 * @throws {CliError} exit status 2; also when a file cannot be read
 */
export function planCertificate(args: Arguments): CertificatePlan | undefined {
  const given = ['cert', 'cert-id', 'cert-name'].filter((name) => args.value(name) !== undefined)
  if (given.length > 1) {
    throw usageError(`Cannot use ${given.map((name) => `--${name}`).join(' and ')} together`)
  }
  const fromStdin = args.has('passphrase-stdin')
  const file = args.value('cert')
  if (file !== undefined) return planFiles(file, args.value('key'), fromStdin)
  const lonely =
    args.value('key') !== undefined ? 'key' : fromStdin ? 'passphrase-stdin' : undefined
  if (lonely !== undefined) throw usageError(`Cannot use --${lonely} without --cert`)
  const id = args.value('cert-id')
  const name = args.value('cert-name')
  if (id !== undefined) return inStore(byId(id))
  return name === undefined ? undefined : inStore(byName(name))
}

function inStore(certificate: CertificateParams): CertificatePlan {
  return { certificate, locked: undefined, fromStdin: false }
}

function planFiles(cert: string, key: string | undefined, fromStdin: boolean): CertificatePlan {
  const contents = [cert, ...(key === undefined ? [] : [key])].map((path) => ({
    path,
    content: read(path),
  }))
  const locked = contents.find(({ content }) => isLocked(content))?.path
  if (fromStdin && locked === undefined) {
    throw usageError(`Cannot use --passphrase-stdin: ${key ?? cert} opens without a passphrase`)
  }
  for (const { path, content } of contents) if (isBareKey(content)) warnIfOpen(path)
  return {
    certificate: {
      certificateFile: resolve(cert),
      ...(key === undefined ? {} : { keyFile: resolve(key) }),
    },
    locked,
    fromStdin,
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`Cannot read the certificate or key in ${path}: ${reason}`)
  }
}

/** Whether there is a private key that whoever can read the file can use. */
function isBareKey(content: Buffer): boolean {
  const text = content.toString('latin1')
  return /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/u.test(text) && !isLocked(content)
}

/**
 * Everybody may read or write, or the group may write. What the group may read is a decision that administrators take:
 * keys that belong to a group for just this purpose are usual.
 */
const OTHERS = 0o026

/** A key is used as it lies there, as everywhere; but who would rather know is told. */
function warnIfOpen(path: string): void {
  if (process.platform === 'win32' || (statSync(path).mode & OTHERS) === 0) return
  process.stderr.write(
    `Warning: others can read or change the private key in ${path}: chmod 600 ${path}\n`,
  )
}

/** Whether a passphrase is needed: a PEM says so; a PKCS#12 is tried. What is neither, the service tells better. */
function isLocked(content: Buffer): boolean {
  const text = content.toString('latin1')
  if (text.includes('-----BEGIN ')) {
    return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/mu.test(text)
  }
  try {
    builtin('node:tls').createSecureContext({ pfx: content })
    return false
  } catch (error) {
    return error instanceof Error && /mac verify failure/iu.test(error.message)
  }
}

/** `LOCATION/STORE/HASH`, or the hash alone; colons and spaces between its bytes are left out. */
function byId(text: string): CertificateParams {
  const { location, store, rest } = place('cert-id', text)
  const hash = rest.replaceAll(/[:\s]/gu, '').toLowerCase()
  if (/^[0-9a-f]{40}$/u.test(hash)) return { location, store, hash }
  throw usageError(
    `Cannot understand --cert-id ${JSON.stringify(text)}: it ends with the SHA-1 of the certificate, 40 hexadecimal digits`,
  )
}

function byName(text: string): CertificateParams {
  const { location, store, rest } = place('cert-name', text)
  if (rest !== '') return { location, store, name: rest }
  throw usageError(`Cannot understand --cert-name ${JSON.stringify(text)}: the name is empty`)
}

interface Place {
  readonly location: CertificateLocation
  readonly store: string
  readonly rest: string
}

/** `LOCATION/STORE/…`, also as PowerShell writes it: `Cert:\CurrentUser\My\…`. A name may hold slashes of its own. */
function place(option: string, text: string): Place {
  const [, word = '', store = '', rest = ''] =
    /^(?:cert:[/\\])?([^/\\]*)[/\\]([^/\\]*)[/\\](.*)$/isu.exec(text) ?? []
  const location = locations.get(plainWord(word))
  if (location !== undefined && store !== '') return { location, store, rest }
  if (!/[/\\]/u.test(text) || (option === 'cert-name' && location === undefined)) {
    return { location: DEFAULT_LOCATION, store: DEFAULT_STORE, rest: text }
  }
  throw usageError(
    `Cannot understand --${option} ${JSON.stringify(text)}: it is written LOCATION/STORE/${option === 'cert-id' ? 'HASH' : 'NAME'}, as in current-user/MY/…`,
  )
}

/** `current-user`, `CurrentUser` and `CURRENT_USER` are the same. */
function plainWord(word: string): string {
  return word.replaceAll(/[-_]/gu, '').toLowerCase()
}

const locations: ReadonlyMap<string, CertificateLocation> = new Map(
  certificateLocations.map((location) => [location.toLowerCase(), location]),
)

/** `current-user/MY/…`, as it is written on the command line. */
export function describePlace(location: CertificateLocation, store: string): string {
  return `${dashed(location)}/${store}`
}
