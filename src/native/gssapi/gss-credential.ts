/** Credentials in the library's memory, for as long as anybody uses them. */

import { accessSync, constants } from 'node:fs'
import { MechanismError } from '../../auth/error.ts'
import type { HelperIdentity } from './conversation.ts'
import { noHandle, type Handle } from './gss-foreign.ts'
import type { GssLibrary } from './gss-library.ts'

/** A credential; the library gets it back when its owner has retired it and no context uses it any more. */
export class GssCredential {
  readonly handle: Handle
  readonly #library: GssLibrary
  #users = 0
  #isRetired = false

  /** @param handle owned by this from here on */
  constructor(library: GssLibrary, handle: Handle) {
    this.#library = library
    this.handle = handle
  }

  /** How many seconds it is still good for. */
  get secondsLeft(): number {
    return this.#library.secondsLeft(this.handle)
  }

  /** To be called by each context that uses it, and {@link leave} after. */
  enter(): void {
    this.#users++
  }

  leave(): void {
    this.#users--
    this.#releaseUnused()
  }

  /** To be called once. */
  retire(): void {
    this.#isRetired = true
    this.#releaseUnused()
  }

  #releaseUnused(): void {
    if (this.#isRetired && this.#users === 0) this.#library.releaseCredential(this.handle)
  }
}

/**
 * Finds or makes the credential of an identity.
 *
 * @param password for an identity that has one
 * @throws {MechanismError} when it cannot be used; refused where that is the KDC's word about the password or key
 */
export function acquireCredential(
  library: GssLibrary,
  identity: HelperIdentity,
  password: Uint8Array | undefined,
): GssCredential {
  switch (identity.kind) {
    case 'implicit': {
      const whose = identity.principal ?? 'whoever is logged on'
      return withName(library, identity.principal, (name) => library.acquire(name, whose))
    }
    case 'keytab': {
      checkKeytab(identity.keytab)
      const whose = `${identity.principal} in ${identity.keytab}`
      return withName(library, identity.principal, (name) => library.acquire(name, whose))
    }
    case 'password': {
      const { userName } = identity
      const bytes = checkPassword(password, userName)
      return withName(library, userName, (name) =>
        library.acquireWithPassword(name, userName, bytes),
      )
    }
    default:
      return identity satisfies never
  }
}

function withName(
  library: GssLibrary,
  principal: string | undefined,
  acquire: (name: Handle) => Handle,
): GssCredential {
  if (principal === undefined) return new GssCredential(library, acquire(noHandle))
  const name = library.importName('principal', principal)
  try {
    return new GssCredential(library, acquire(name))
  } finally {
    library.releaseName(name)
  }
}

/** The library says of a keytab that it cannot read only that there are no credentials. */
function checkKeytab(keytab: string): void {
  try {
    accessSync(keytab, constants.R_OK)
  } catch (cause) {
    throw new MechanismError(
      'ERR_KERBEROS_KEYTAB',
      `Cannot read the keytab ${keytab}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { reason: 'unable', cause },
    )
  }
}

/** The libraries take a password for text in C: it ends at a NUL, and an empty one is none. */
function checkPassword(password: Uint8Array | undefined, userName: string): Uint8Array {
  if (password !== undefined && password.length > 0 && !password.includes(0)) return password
  throw new MechanismError(
    'ERR_KERBEROS_BLANK_PASSWORD',
    `Cannot use the password of ${userName}: Kerberos takes none that is blank or has a NUL`,
    { reason: 'unable' },
  )
}
