/** Folders, files and file systems for this room's tests, gone after each. */

import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty folder that is removed after the test. */
export function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lull-native-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new file open for reading and writing; closed after the test. */
export function scratchFile(t: TestContext, folder: string): number {
  const fd = openSync(join(folder, 'file'), 'wx+')
  t.after(() => closeSync(fd))
  return fd
}

/** Why `mountScratch` cannot be used here, or `false`. */
export const cannotMount: string | false =
  process.platform === 'linux' && process.getuid?.() === 0
    ? false
    : 'only root on Linux mounts file systems'

/**
 * An empty file system of its own, unmounted and removed after the test.
 *
 * @param type `tmpfs` or `ramfs`
 * @param options as for `mount -o`
 * @returns its folder; `undefined` where even root may not mount, and the test is marked as skipped
 */
export function mountScratch(t: TestContext, type: string, options: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'lull-native-'))
  try {
    execFileSync('mount', ['-t', type, '-o', options, 'lull-test', folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    t.skip(`mount: ${error instanceof Error ? error.message : 'failed'}`)
    return undefined
  }
  t.after(() => {
    // Lazy, because a descriptor of the test may still be open.
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}
