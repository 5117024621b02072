/** The places of a master key, in one list. */

import { KeyFile } from './key-file.ts'
import type { KeySource } from './key-source.ts'
import { systemdCredentials } from './systemd-credential.ts'

/** Where this process finds them. */
export interface KeyPlaces {
  /** Full path of the key file; its folder exists and is private. */
  readonly keyFile: string
  /** `$CREDENTIALS_DIRECTORY`, where systemd set it. */
  readonly credentialsFolder?: string | undefined
}

/**
 * The places, strongest first; the order is the policy (N138). The first that holds a key says what new records are
 * sealed with, and the keys of all open them, so that a key may move from one place to another.
 *
 * A keyring of the operating system stands before the key file as soon as there is one: the System keychain, DPAPI. The
 * Secret Service is left out: it belongs to a login session, and a key that is there only while somebody is logged on is
 * lost to a service that is not (N134).
 */
export function keySources({ keyFile, credentialsFolder }: KeyPlaces): readonly KeySource[] {
  const { present, previous } = systemdCredentials(credentialsFolder)
  return [present, new KeyFile(keyFile), previous]
}
