/**
 * Notices that the code of a running service was replaced, by `npm install` or a build.
 *
 * Threads and modules are read from disk when they are first needed: an old service that starts a new carrier would speak
 * with somebody of another version. So a service whose code is not the one it began with starts no carrier any more; it
 * keeps the one it has, and begins anew as soon as nothing is transferred.
 */

import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** For how long nothing must have changed: replacing hundreds of files takes its time. */
const SETTLED_MS = 2_000

/** How often the files are looked at for somebody who only asks. */
const LOOK_EVERY_MS = 1_000

/** Where the code of this service lies: its rooms, and the manifest beside them. */
const ownCode = fileURLToPath(new URL('..', import.meta.url))

/** What lies there. */
interface Look {
  /** Differs when any file does; absent while files are missing. */
  readonly stamp: string | undefined
  /** When the last of them changed, by the file system's clock. */
  readonly changedAt: number
}

/** Compares what lies there with what lay there at the start. */
export class CodeWatch {
  readonly #folder: string
  readonly #now: () => number
  readonly #first: Look
  #last: Look
  #lookedAt: number

  /** @param now milliseconds, as the file system counts them */
  constructor(folder: string = ownCode, now: () => number = Date.now) {
    this.#folder = folder
    this.#now = now
    this.#first = look(folder)
    this.#last = this.#first
    this.#lookedAt = now()
  }

  /** Whether the code is another one than at the start. @param isPatient whether what was seen a second ago will do */
  isReplaced(isPatient = false): boolean {
    const now = this.#now()
    if (!isPatient || Math.abs(now - this.#lookedAt) >= LOOK_EVERY_MS) {
      this.#last = look(this.#folder)
      this.#lookedAt = now
    }
    return this.#last.stamp !== this.#first.stamp
  }

  /** Whether what lies there is whole, as far as can be seen: nothing changed for a while. */
  isSettled(): boolean {
    const { stamp, changedAt } = look(this.#folder)
    return stamp !== undefined && Math.abs(this.#now() - changedAt) >= SETTLED_MS
  }
}

/** Names and times are enough: a file that is written anew has another time, whatever is in it. */
function look(folder: string): Look {
  const hash = createHash('sha256')
  let changedAt = 0
  try {
    for (const path of [...codeIn(folder).toSorted(), join(folder, '..', 'package.json')]) {
      const { size, mtimeMs, ctimeMs, ino } = statSync(path)
      hash.update(`${path}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}\0`)
      changedAt = Math.max(changedAt, ctimeMs)
    }
  } catch {
    // Somebody is at it.
    return { stamp: undefined, changedAt }
  }
  return { stamp: hash.digest('hex'), changedAt }
}

/** Paths of the code in a folder and below. Node's own walk looks at every file to learn whether that is a folder. */
function codeIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return codeIn(path)
    return isCode(entry.name) ? path : []
  })
}

function isCode(name: string): boolean {
  return /\.[jt]s$/u.test(name) && !/\.(?:d|test|suite)\.ts$/u.test(name)
}
