/** A file system that is small enough to be filled. */

import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why a {@link SmallDisk} cannot be had here; `false` when it can. */
export const cannotMount: string | false =
  process.platform === 'linux' && process.getuid?.() === 0 && canMount()
    ? false
    : 'only root on Linux mounts file systems'

const BLOCK = Buffer.alloc(64 * 1024, 'f')

/** A file system in memory, at a folder of its own; gone when it is disposed. */
export class SmallDisk implements Disposable {
  readonly folder: string

  /** @param bytes how much fits */
  constructor(bytes: number) {
    this.folder = mkdtempSync(join(tmpdir(), 'lull-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'lull-lab', this.folder])
  }

  /** Bytes that may still be written. */
  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder)
    return bavail * bsize
  }

  /** Writes a file until only `left` bytes are free. */
  fill(left = 0): void {
    const file = openSync(this.#filler, 'a')
    try {
      while (this.free > left) writeSync(file, BLOCK, 0, Math.min(BLOCK.length, this.free - left))
    } finally {
      closeSync(file)
    }
  }

  /** Deletes what {@link fill} wrote. */
  empty(): void {
    rmSync(this.#filler, { force: true })
  }

  get #filler(): string {
    return join(this.folder, 'filler')
  }

  [Symbol.dispose](): void {
    // Lazy, because a process of the test may still be ending.
    execFileSync('umount', ['-l', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'lull-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'lull-lab', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
