/**
 * The certificate store that the operating system itself keeps (A81): the keychains of macOS, the stores of Windows.
 * Each is asked through the command that comes with the system, and each is one file with the same promises.
 *
 * A key is taken out when a connection needs it, and lives in memory alone. One that may not leave its store cannot be
 * used at all: TLS here is not the system's own.
 */

import { spawnSync } from 'node:child_process'
import type { X509Certificate } from 'node:crypto'
import { clientUsageOf } from './client-usage.ts'
import { isSubjectLike } from './subject.ts'

/** The locations that both systems have, in the words of the contract. */
export type PlatformLocation = 'currentUser' | 'localMachine'

/** Where a certificate is. */
export interface StorePlace {
  readonly location: PlatformLocation
  readonly store: string
  /** SHA-1 of the DER: 40 hexadecimal digits, lower case. */
  readonly hash: string
}

/** What is taken out of a store. */
export interface TakenIdentity {
  /** The certificate, and behind it those of its authorities that the system knows. */
  readonly certificates: readonly X509Certificate[]
  /** PKCS#8 in DER; the first that is the certificate's counts. Secret, and the caller's to wipe. */
  readonly keys: readonly Uint8Array[]
}

/** A store of the system. */
export interface PlatformStore {
  /**
   * Certificates that have a key.
   *
   * @returns `undefined` when there is no such store
   * @throws {StoreError} when the system does not tell
   */
  certificates(location: PlatformLocation, store: string): readonly X509Certificate[] | undefined
  /** @throws {StoreError} when there is no such certificate, or its key may not leave */
  take(place: StorePlace): TakenIdentity
}

/** Why a store of the system gives nothing. */
export class StoreError extends Error {
  readonly reason: 'missing' | 'locked' | 'broken'

  /** @param why what comes behind a colon: no capital, no full stop, no secret */
  constructor(reason: StoreError['reason'], why: string) {
    super(why)
    this.name = 'StoreError'
    this.reason = reason
  }
}

/** What a command is given besides its words. */
export interface CommandInput {
  readonly env?: Readonly<Record<string, string>>
  /** Its standard input; secrets go this way. */
  readonly input?: string
}

/** How a command ended. */
export interface CommandOutcome {
  /** `undefined` when it did not run, or not to its end. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command of the system to its end. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  input?: CommandInput,
) => CommandOutcome

/** Somebody may have to click first. */
const COMMAND_MS = 30_000

/** Runs a command of this machine. */
export const runCommand: RunCommand = (command, args, { env = {}, input = '' } = {}) => {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    input,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: COMMAND_MS,
    maxBuffer: 64 * 1024 * 1024,
    windowsHide: true,
  })
  // Where it did not start, there is no text either, whatever the types say.
  if (error !== undefined) return { status: undefined, stdout: '', stderr: '' }
  return { status: status ?? undefined, stdout, stderr }
}

/** Written where a file would be: `store:/currentUser/MY/HASH`. */
export function formatPlace({ location, store, hash }: StorePlace): string {
  return `store:/${location}/${encodeURIComponent(store)}/${hash}`
}

/** @returns `undefined` for what is a file */
export function parsePlace(path: string): StorePlace | undefined {
  const [, location, store, hash] =
    /^store:\/(currentUser|localMachine)\/([^/]+)\/([0-9a-f]{40})$/u.exec(path) ?? []
  if (location !== 'currentUser' && location !== 'localMachine') return undefined
  if (store === undefined || hash === undefined) return undefined
  return { location, store: decodeURIComponent(store), hash }
}

/** A certificate by its hash, or by a part of its subject. */
export type Sought = { readonly hash: string } | { readonly name: string }

/**
 * Finds a certificate. By name, of those that are for clients and valid now, the one that was issued last (A72).
 *
 * @returns its hash; `undefined` when there is none
 */
export function findAmong(
  certificates: readonly X509Certificate[],
  sought: Sought,
  now: Date,
): string | undefined {
  if ('hash' in sought) {
    return certificates.map(hashOf).find((hash) => hash === sought.hash)
  }
  const [best] = certificates
    .filter((each) => isSubjectLike(each, sought.name) && clientUsageOf(each))
    .filter(({ validFrom, validTo }) => new Date(validFrom) <= now && now <= new Date(validTo))
    .toSorted((left, right) => Date.parse(right.validFrom) - Date.parse(left.validFrom))
  return best === undefined ? undefined : hashOf(best)
}

/** SHA-1 of the DER: 40 hexadecimal digits, lower case. */
export function hashOf({ fingerprint }: X509Certificate): string {
  return fingerprint.replaceAll(':', '').toLowerCase()
}
