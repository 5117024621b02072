/** A file that is not whole yet: reserved, written, made durable, finished. */

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  read,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs'

import type { Instant } from '../base/clock.ts'
import { assert } from '../base/error.ts'
import type { FileIdentity } from '../job/job.ts'
import { diskFullError, fileError, freeSpace, systemCode } from './failure.ts'
import type { Answer, DiskCalls } from './files.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'

/** How a partial file is opened. */
export interface PartialFileOptions {
  /** The target, for sentences: the partial name says nothing to people. Default: the partial name. */
  readonly target?: string
  /** What the platform can do. Default: this one's. */
  readonly calls?: DiskCalls
}

/** What a finished file is to be. */
export interface Finish {
  /** Length in bytes; everything behind it is cut off. */
  readonly size: number
  /** The time of modification to set; the file keeps the one it has without. */
  readonly modifiedAt?: Instant | undefined
}

/** Never through a symbolic link; Node adds O_CLOEXEC. Windows has no O_NOFOLLOW. */
const OPEN_FLAGS = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0)

/** Less what the umask takes: the target is a file like any other this user makes. */
const FILE_MODE = 0o666

/** How many bytes are written in a row before the disk is told to begin with them, so that a sync has little left. */
const WRITEBACK_BYTES = 8 * 1024 * 1024

/** What a stat counts blocks in, on every platform of Node. */
const STAT_BLOCK_BYTES = 512

/** What refuses a reservation for good. Any other refusal only means that the room is had while writing, or not. */
const tellsNoRoom: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

const readBack = { attempt: 'Cannot read back' }

/** What a file writes out of before it was given anything. */
const noMemory: Uint8Array = new Uint8Array(0)

/** How many partial files this process has opened so far. */
let opened = 0

/**
 * One open partial file; owns its descriptor until {@link close}.
 *
 * Writes are gathered: chunks that follow each other both in memory and in the file, as those of a connection's slab
 * do, go out with one call at {@link flush}. So the memory of a chunk may be reused after the next flush, not before.
 *
 * A sync that fails is final. The kernel tells of a lost page once and then takes it for written (each descriptor hears
 * of it once), so a second sync would succeed and promise what is not there: every later one fails like the first. The
 * bytes since the last sync that succeeded count as missing.
 */
export class PartialFile {
  /** Full path. */
  readonly path: string
  /** Place in the order in which this process opened its partial files. */
  readonly place = ++opened
  readonly descriptor: number
  /** What it is to become, for sentences. */
  readonly target: string
  readonly #calls: DiskCalls
  /** What is gathered: `#length` bytes from `#from` on of `#memory`, for `#at` in the file. */
  #memory = noMemory
  #from = 0
  #length = 0
  #at = 0
  /** What was written in a row since the disk was last told to begin. */
  #rowStart = 0
  #rowEnd = 0
  #beginsWriteback = true
  #expectedSize: number | undefined
  #allocatedSize = 0
  #identity: FileIdentity | undefined
  /** The last sync that was asked for, if any; each waits for the one before, so that its failure is known. */
  #synced: Promise<void> | undefined
  /** Calls that still use the descriptor. */
  #inFlight = 0
  #isClosed = false

  private constructor(path: string, descriptor: number, options: PartialFileOptions) {
    this.path = path
    this.descriptor = descriptor
    this.target = options.target ?? path
    this.#calls = options.calls ?? nativeDiskCalls
  }

  /**
   * Begins a partial file: new and empty. Whatever lies under the name is deleted first and not overwritten, so that
   * neither another name of it nor a process that still has it open can reach the new bytes.
   *
   * @throws {FailureError}
   */
  static create(path: string, options: PartialFileOptions = {}): PartialFile {
    try {
      return new PartialFile(path, openNew(path), options)
    } catch (error) {
      throw fileError(error, options.target ?? path)
    }
  }

  /**
   * Goes on with a partial file.
   *
   * @param length how many bytes were promised to be there
   * @returns `undefined` when they cannot be: the file is gone or shorter, or what has its name is not a file, or a file
   *   that has a second name. Nothing is changed then
   * @throws {FailureError} when the file is there and cannot be opened
   */
  static openExisting(
    path: string,
    length: number,
    options: PartialFileOptions = {},
  ): PartialFile | undefined {
    try {
      // Asked first, because opening a device or a pipe may already do something.
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined
      const descriptor = openSync(path, OPEN_FLAGS)
      const found = fstatSync(descriptor)
      if (found.isFile() && found.nlink <= 1 && found.size >= length) {
        return new PartialFile(path, descriptor, options)
      }
      closeSync(descriptor)
      return undefined
    } catch (error) {
      throw fileError(error, options.target ?? path)
    }
  }

  /** What the file system calls the file, once it is finished. */
  get identity(): FileIdentity | undefined {
    return this.#identity
  }

  /**
   * Reserves room for a file of `size` bytes. First the file system is asked what it has left, which gives a clear
   * figure and costs nothing; then the room is taken, where the platform can.
   *
   * @throws {FailureError} `ERROR_DISK_FULL` and its like; nothing stays reserved then: a job that waits for room must
   *   not be what fills the disk
   */
  allocate(size: number): void {
    this.#expectedSize = size
    const { size: length, blocks } = fstatSync(this.descriptor)
    const needs = size - Math.max(length, blocks * STAT_BLOCK_BYTES)
    if (needs <= 0) return
    const free = freeSpace(this.path)?.bytes
    if (free !== undefined && free < needs) throw diskFullError(this.target, { needs, free })
    try {
      if (this.#calls.allocate(this.descriptor, 0, size) === 'done') this.#allocatedSize = size
    } catch (error) {
      ftruncateSync(this.descriptor, length)
      if (tellsNoRoom.has(systemCode(error) ?? '')) throw fileError(error, this.target, { needs })
    }
  }

  /**
   * Takes bytes for `offset`; in any order, over older ones too.
   *
   * @param bytes read until the next {@link flush}
   * @throws {FailureError} when what was gathered before cannot be written
   */
  write(bytes: Uint8Array, offset: number): void {
    const isNext =
      bytes.buffer === this.#memory.buffer &&
      bytes.byteOffset === this.#from + this.#length &&
      offset === this.#at + this.#length
    if (isNext && this.#length > 0) {
      this.#length += bytes.length
      return
    }
    this.flush()
    if (bytes.buffer !== this.#memory.buffer) this.#memory = new Uint8Array(bytes.buffer)
    this.#from = bytes.byteOffset
    this.#length = bytes.length
    this.#at = offset
  }

  /**
   * Writes what was gathered. The operating system has it afterwards; only {@link sync} makes it durable.
   *
   * @throws {FailureError} how much was written is not said: nothing since the last flush counts
   */
  flush(): void {
    if (this.#length === 0) return
    assert(this.#identity === undefined, 'a finished file is written no more')
    if (this.#at !== this.#rowEnd) this.#rowStart = this.#at
    while (this.#length > 0) this.#writeSome()
    this.#rowEnd = this.#at
    if (this.#beginsWriteback && this.#rowEnd - this.#rowStart >= WRITEBACK_BYTES) {
      this.#beginWriteback()
    }
  }

  #writeSome(): void {
    const gathered = this.#length
    this.#length = 0
    try {
      const written = writeSync(this.descriptor, this.#memory, this.#from, gathered, this.#at)
      assert(written > 0, 'the system writes at least one byte or says why not')
      this.#from += written
      this.#at += written
      this.#length = gathered - written
    } catch (error) {
      const size = this.#expectedSize
      const needs = size === undefined ? undefined : Math.max(gathered, size - this.#at)
      throw fileError(error, this.target, { needs })
    }
  }

  /** Only a hint: what goes wrong with these bytes is heard of at the next sync. */
  #beginWriteback(): void {
    const { descriptor } = this
    const length = this.#rowEnd - this.#rowStart
    try {
      const answer = this.#calls.startWriteback(descriptor, this.#rowStart, length)
      this.#beginsWriteback = answer === 'done'
    } catch {
      this.#beginsWriteback = false
    }
    this.#rowStart = this.#rowEnd
  }

  /**
   * Makes durable what was flushed before the call. Writing may go on meanwhile; what comes then is not promised.
   *
   * @throws {FailureError} for good: every later sync fails too
   */
  sync(): Promise<void> {
    const before = this.#synced
    const sync = this.#hold(async () => {
      await before
      return this.#datasync()
    })
    this.#synced = sync
    // Whoever asked hears of it; nobody else has to.
    sync.catch(() => undefined)
    return sync
  }

  /**
   * Resolves when no sync is under way; `undefined` when none was ever asked for, as of most small files.
   *
   * @throws {FailureError} when one has ever failed
   */
  settled(): Promise<void> | undefined {
    return this.#synced
  }

  /**
   * Makes durable everything that was written to the file system of this file before the call, by anybody. It fails for
   * everything that was lost there since this file was opened; {@link sync} tells whether that concerns this one.
   *
   * @throws the system's error
   */
  syncFileSystem(): Promise<Answer> {
    return this.#hold(() => this.#calls.syncFileSystem(this.descriptor))
  }

  #datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.descriptor, (error) =>
        error === null ? resolve() : reject(fileError(error, this.target)),
      )
    })
  }

  /**
   * Reads back what was flushed.
   *
   * @returns how many bytes were read into `into`; 0 at the end of the file
   * @throws {FailureError}
   */
  read(into: Uint8Array, position: number): Promise<number> {
    return this.#hold(
      () =>
        new Promise((resolve, reject) => {
          read(this.descriptor, into, 0, into.length, position, (error, count) =>
            error === null ? resolve(count) : reject(fileError(error, this.target, readBack)),
          )
        }),
    )
  }

  /**
   * Gives a whole file its length and its time. It still has to be synced, alone or in a group, and closed.
   *
   * @returns what the file system calls it
   * @throws {FailureError}
   */
  finish({ size, modifiedAt }: Finish): FileIdentity {
    this.flush()
    const { descriptor } = this
    try {
      const found = identified(descriptor)
      assert(found.size >= size, 'a file is finished when every byte is there')
      if (found.size > size || this.#allocatedSize > size) ftruncateSync(descriptor, size)
      if (modifiedAt !== undefined) setTime(descriptor, modifiedAt)
      this.#identity = { device: `${found.dev}`, inode: `${found.ino}`, size }
      return this.#identity
    } catch (error) {
      throw fileError(error, this.target)
    }
  }

  /**
   * Closes the file, as soon as no sync or read uses it any more. May be called twice. What was gathered and not
   * flushed is dropped.
   */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#length = 0
    if (this.#inFlight === 0) this.#release()
  }

  /** Keeps the descriptor open while calls off the event loop use it: its number may be another file's at once. */
  async #hold<Result>(work: () => Promise<Result>): Promise<Result> {
    assert(!this.#isClosed, 'a file is used before it is closed')
    this.#inFlight++
    try {
      return await work()
    } finally {
      this.#inFlight--
      if (this.#isClosed && this.#inFlight === 0) this.#release()
    }
  }

  #release(): void {
    try {
      closeSync(this.descriptor)
    } catch {
      // Network file systems tell of lost writes here; what was promised was synced, and hence told, before.
    }
  }
}

/** What the file system calls an open file, and its length. */
function identified(
  descriptor: number,
): Pick<Stats, 'dev' | 'size'> & { readonly ino: number | bigint } {
  const found = fstatSync(descriptor)
  // Numbers cost a fraction of what big ones do, and few file systems count that far.
  if (Number.isSafeInteger(found.ino)) return found
  const { ino } = fstatSync(descriptor, { bigint: true })
  return { ino, dev: found.dev, size: found.size }
}

/** Opens a file that did not exist before. */
function openNew(path: string): number {
  const flags = OPEN_FLAGS | constants.O_CREAT | constants.O_EXCL
  try {
    return openSync(path, flags, FILE_MODE)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    unlinkSync(path)
    return openSync(path, flags, FILE_MODE)
  }
}

/** Some file systems keep no times, or only their owner may set them: the file is no less whole for it. */
function setTime(descriptor: number, modifiedAt: Instant): void {
  const seconds = modifiedAt / 1000
  try {
    futimesSync(descriptor, seconds, seconds)
  } catch {
    // The time of the download stays.
  }
}
