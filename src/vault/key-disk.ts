/** What a key file asks of the disk, call by call, so that a test can stop between any two. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { renameNoReplace } from '../native/rename.ts'
import { systemCode } from './io-error.ts'

/** The calls that change something. Each throws what Node throws. */
export interface KeyDisk {
  /** Makes a file that only its owner reads; its bytes are on the disk when this returns. `EEXIST` when there is one. */
  readonly create: (path: string, bytes: Uint8Array) => void
  /** Gives a file a name that is free. `EEXIST` when it is not. */
  readonly rename: (from: string, to: string) => void
  /** Gives a file the name of another, which is gone with it. One step. */
  readonly replace: (from: string, to: string) => void
  /** Removes a file, if it is there. */
  readonly remove: (path: string) => void
  /** Makes the names in a folder durable. */
  readonly syncFolder: (path: string) => void
}

/** File systems that cannot sync a folder say so with one of these; they write names through, or promise nothing. */
const cannotSync: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'])

/** The disk of this machine. */
export const nodeDisk: KeyDisk = {
  create(path, bytes) {
    const fd = openSync(path, 'wx', 0o600)
    try {
      // The process's mask may have taken rights of ours away, too.
      if (process.platform !== 'win32') fchmodSync(fd, 0o600)
      writeFileSync(fd, bytes)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  },
  rename: (from, to) => void renameNoReplace(from, to),
  replace: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  syncFolder(path) {
    // Windows opens no folder; NTFS keeps names in its journal.
    if (process.platform === 'win32') return
    const fd = openSync(path, 'r')
    try {
      fsyncSync(fd)
    } catch (error) {
      if (!cannotSync.has(systemCode(error))) throw error
    } finally {
      closeSync(fd)
    }
  },
}
