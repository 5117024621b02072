/**
 * A file as a row. Only lists and what a server said are JSON texts.
 *
 * There are very many of them, and most are alike: nothing expected of it but its names, nothing known but its size. So
 * what is usual is written and read without a parser.
 */

import type { ByteRange, ByteRanges } from '../base/byte-range.ts'
import type { FinishedFile, NewFile } from '../engine/ports/job-store.ts'
import type { ExpectedDigest, FileIdentity, JobFile } from '../job/job.ts'
import type { Version } from '../wire/validator.ts'
import { columns, type Column, type OwnerOf, type RowList } from './columns.ts'
import { formatJson, isCount, type Fields } from './fields.ts'
import type { Value } from './job-row.ts'
import { DamagedRow } from './store-error.ts'

const fileColumns = [
  'job',
  'ordinal',
  'local_name',
  'kind',
  'remote_name',
  'digests',
  'version',
  'size',
  'ranges',
  'tag_restarts',
  'identity',
  'asked_name',
] as const
const newFileColumns = ['job', 'ordinal', 'local_name', 'remote_name', 'digests'] as const
const finishedFileColumns = ['job', 'ordinal', 'local_name', 'identity'] as const

/** The columns that {@link encodeFile} writes and {@link decodeFile} reads. */
export const FILE_COLUMNS = fileColumns.join(', ')

/** The columns that {@link encodeNewFile} writes. */
export const NEW_FILE_COLUMNS = newFileColumns.join(', ')

/** The columns that {@link decodeFinishedFile} reads. */
export const FINISHED_FILE_COLUMNS = finishedFileColumns.join(', ')

const fileOf: OwnerOf = ([job, ordinal]) =>
  `file ${String(ordinal)} of the job numbered ${String(job)}`
const at = columns(fileColumns, fileOf)
const atFinished = columns(finishedFileColumns, fileOf)

const kinds = ['missing', 'transferred', 'completed'] as const satisfies readonly JobFile['kind'][]

/** What a file has none of. */
const none: readonly never[] = []

/**
 * The values of {@link FILE_COLUMNS}.
 *
 * @param job the sequence of the job
 * @throws {RangeError} when a number in it is not finite
 */
export function encodeFile(job: number, file: JobFile): Value[] {
  const { version, size = null, identity, askedName = null } = file
  return [
    job,
    file.ordinal,
    file.localName,
    file.kind,
    file.remoteName,
    formatDigests(file.digests),
    version === undefined ? null : formatJson(version),
    size,
    formatRanges(file.ranges),
    file.tagRestarts,
    identity === undefined ? null : formatJson(identity),
    askedName,
  ]
}

/** The values of {@link NEW_FILE_COLUMNS}; what is not among them says that nothing is known. */
export function encodeNewFile(job: number, file: NewFile): Value[] {
  return [job, file.ordinal, file.localName, file.remoteName, formatDigests(file.digests)]
}

/** @throws {DamagedRow} when no version of ours wrote it */
export function decodeFile(row: RowList): JobFile {
  const file = {
    ordinal: at.ordinal.count(row),
    remoteName: at.remote_name.text(row),
    localName: at.local_name.text(row),
    digests: decodeDigests(row),
    kind: at.kind.word(row, kinds),
    ranges: decodeRanges(row),
    tagRestarts: at.tag_restarts.count(row),
  }
  const isNew =
    !at.size.isIn(row) &&
    !at.version.isIn(row) &&
    !at.identity.isIn(row) &&
    !at.asked_name.isIn(row)
  return isNew ? file : { ...file, ...decodeFacts(row) }
}

/** @throws {DamagedRow} when no version of ours wrote it */
export function decodeFinishedFile(row: RowList): FinishedFile {
  const ordinal = atFinished.ordinal.count(row)
  const localName = atFinished.local_name.text(row)
  if (!atFinished.identity.isIn(row)) return { ordinal, localName }
  return { ordinal, localName, identity: decodeIdentity(atFinished.identity, row) }
}

/** What is known of a file only once a server answered. */
function decodeFacts(row: RowList): Pick<JobFile, 'askedName' | 'version' | 'size' | 'identity'> {
  return {
    ...(at.asked_name.isIn(row) && { askedName: at.asked_name.text(row) }),
    ...(at.version.isIn(row) && { version: decodeVersion(at.version.object(row)) }),
    ...(at.size.isIn(row) && { size: at.size.count(row) }),
    ...(at.identity.isIn(row) && { identity: decodeIdentity(at.identity, row) }),
  }
}

/** The text of a list without anything in it. */
const EMPTY_LIST = '[]'

function formatDigests(digests: readonly ExpectedDigest[]): string {
  return digests.length === 0 ? EMPTY_LIST : formatJson(digests)
}

function decodeDigests(row: RowList): readonly ExpectedDigest[] {
  if (at.digests.text(row) === EMPTY_LIST) return none
  return at.digests.objects(row).map(decodeDigest)
}

/** A JSON list of pairs. @throws {RangeError} when an end of a range is no count */
function formatRanges(ranges: ByteRanges): string {
  if (ranges.length === 0) return EMPTY_LIST
  return `[${ranges.map(formatRange).join(',')}]`
}

function formatRange({ start, end }: ByteRange): string {
  if (isCount(start) && isCount(end)) return `[${start},${end}]`
  throw new RangeError(`Cannot store a range: it is ${start} to ${end}`)
}

/** Ranges decide which bytes are never asked for again, so their order is checked too. */
function decodeRanges(row: RowList): ByteRanges {
  if (at.ranges.text(row) === EMPTY_LIST) return none
  let from = -1
  return at.ranges.list(row).map((pair): ByteRange => {
    const [start, end]: unknown[] = Array.isArray(pair) ? pair : []
    if (!isCount(start) || !isCount(end) || start <= from || end <= start) {
      throw new DamagedRow(`${fileOf(row)}: its ranges are not in order`)
    }
    from = end
    return { start, end }
  })
}

function decodeDigest(fields: Fields): ExpectedDigest {
  return {
    algorithm: fields.word('algorithm', ['md5', 'sha-1', 'sha-256', 'sha-512']),
    hex: fields.text('hex'),
  }
}

function decodeVersion(fields: Fields): Version {
  return {
    ...(fields.has('etag') && { etag: fields.text('etag') }),
    ...(fields.has('lastModified') && { lastModified: fields.text('lastModified') }),
    ...(fields.has('date') && { date: fields.text('date') }),
    ...(fields.has('size') && { size: fields.count('size') }),
    ...(fields.has('digest') && { digest: fields.text('digest') }),
  }
}

/** The JSON text of an identity by numbers, as every platform has it. */
const plainIdentity = /^\{"device":"(\d+)","inode":"(\d+)","size":(\d+)\}$/u

function decodeIdentity(column: Column, row: RowList): FileIdentity {
  const [, device, inode, length] = plainIdentity.exec(column.text(row)) ?? []
  const size = Number(length)
  if (device !== undefined && inode !== undefined && isCount(size)) return { device, inode, size }
  const fields = column.object(row)
  return {
    device: fields.text('device'),
    inode: fields.text('inode'),
    size: fields.count('size'),
  }
}
