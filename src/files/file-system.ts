/** Which file systems can be trusted with what. */

import { statfsSync } from 'node:fs'

/** Files in memory: tmpfs. */
const TMPFS = 0x0102_1994

/**
 * Magic numbers (statfs(2)) of the file systems whose syncfs makes every file durable and tells of every lost write.
 *
 * Not here: FUSE, SMB and 9P, where syncfs hands the pages over and never asks the other side to keep them; NFS, where
 * it depends on the server; overlay, whose syncfs does not hear of writes that the file system below has lost. Whatever
 * is not known here has its files synced one by one.
 */
const wholeSyncs: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x5846_5342, // XFS
  0x9123_683e, // Btrfs
  0xf2f5_2010, // F2FS
  TMPFS, // where nothing is durable either way
])

/** Whether one sync of the whole file system that holds `path` is as good as a sync of each file. Linux only. */
export function syncsWhole(path: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    return wholeSyncs.has(statfsSync(path).type)
  } catch {
    return false
  }
}

/**
 * Whether files on this file system lie in memory: room there is made by clearing every page, which takes as long as
 * writing it, and nothing is gained by having it in one piece.
 */
export function isInMemory(path: string): boolean {
  if (process.platform !== 'linux') return false
  try {
    return statfsSync(path).type === TMPFS
  } catch {
    return false
  }
}
