/**
 * The room `files`: partial files that become targets. Bytes are written under a partial name beside the target, made
 * durable, verified, and renamed when they are whole. Runs where the bytes flow, in a carrier; nothing here knows a
 * socket or a job.
 *
 * The order on disk is what makes a crash harmless; each step waits for the one before:
 *
 * ```
 *  data synced          PartialFile.sync, SyncGroup.commit   what is told further down is on disk
 *  progress committed   (engine)                             a crash costs the bytes since the last sync
 *  partial renamed      nameAll                              the target appears at once and whole
 *  folder synced        keepNames, before it answers         the name is on disk too
 *  state committed      (engine)                             a crash before: the rename is recognised as done
 * ```
 *
 * What goes wrong leaves this room as a `FailureError` with the context LOCAL_FILE and a sentence for people, so that a
 * full disk is never taken for a broken network.
 */

/** `unsupported`: the platform or the file system cannot; nothing was done, and the plain way is to be taken. */
export type Answer = 'done' | 'unsupported'

/**
 * What this room asks of the operating system beyond what Node offers. Each call has a plain way beside it, and throws
 * an error with the system's `code` when it was tried and failed.
 */
export interface DiskCalls {
  /**
   * Reserves room for the bytes from `offset` to `offset + length`, so that writing them cannot run out of space. What
   * is there stays, and so does the length of the file.
   */
  allocate(fd: number, offset: number, length: number): Answer
  /** Begins to write these bytes to the disk and does not wait for it; promises nothing. */
  startWriteback(fd: number, offset: number, length: number): Answer
  /** Makes everything durable that was written to the file system of an open file before the call. */
  syncFileSystem(fd: number): Promise<Answer>
  /** Renames in one step; `EEXIST` when something has the new name already. */
  renameNoReplace(from: string, to: string): Answer
}

/** A platform that can do nothing of this. */
export const plainDiskCalls: DiskCalls = {
  allocate: () => 'unsupported',
  startWriteback: () => 'unsupported',
  syncFileSystem: () => Promise.resolve('unsupported'),
  renameNoReplace: () => 'unsupported',
}
