/** Real folders, disks and users for the tests of this room. */

import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { FailureError, type Failure } from '../job/failure.ts'

/** A user id that owns nothing. */
const NOBODY = 65_534

/** Why a test that mounts or changes users is left out here; `false` where it can run. */
export const needsRoot: string | false =
  process.platform === 'linux' && process.getuid?.() === 0
    ? false
    : 'mounts a file system or becomes another user: only root on Linux may'

/** An empty folder that is deleted after the test. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * A disk of its own, unmounted after the test.
 *
 * @param options of mount(8) for tmpfs: `size=1m`
 */
export function temporaryDisk(t: Pick<TestContext, 'after'>, options: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'files-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  t.after(() => {
    // A test that failed may have left a file open.
    execFileSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

/** Makes a disk read-only. */
export function protect(disk: string): void {
  execFileSync('mount', ['-o', 'remount,ro', disk])
}

/**
 * Runs a module as a user without rights, in `folder`, which that user owns.
 *
 * @param source of the module; `room` is where this room is, `folder` the folder
 * @returns what the module wrote to standard output
 */
export function asNobody(folder: string, source: string): string {
  chmodSync(folder, 0o755)
  chownSync(folder, NOBODY, NOBODY)
  return runModule(folder, source, { uid: NOBODY, gid: NOBODY })
}

/** Runs a module in a process of its own; as {@link asNobody}, but with the rights of this process. */
export function runModule(
  folder: string,
  source: string,
  user: { readonly uid?: number; readonly gid?: number } = {},
): string {
  const script = join(folder, 'script.mjs')
  const room = JSON.stringify(new URL('.', import.meta.url).href)
  const names = `const room = ${room}; const folder = ${JSON.stringify(folder)};\n`
  writeFileSync(script, names + source)
  return execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8', ...user })
}

/** The failure that `work` throws. */
export function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof FailureError) return error.failure
    throw error
  }
  throw new Error('Nothing was thrown')
}

/** The failure that a promise is rejected with. */
export async function rejectionOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error('Nothing was thrown'),
    (error: unknown) => error,
  )
  if (error instanceof FailureError) return error.failure
  throw error
}
