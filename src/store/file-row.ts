/** A file as a row. Only lists and what a server said are JSON texts. */

import type { ByteRange, ByteRanges } from '../base/byte-range.ts'
import type { ExpectedDigest, FileIdentity, JobFile } from '../job/job.ts'
import type { Version } from '../wire/validator.ts'
import { Fields, formatJson, isCount } from './fields.ts'
import type { Row, Value } from './job-row.ts'
import { DamagedRow } from './store-error.ts'

/** The columns that {@link decodeFile} reads. */
export const FILE_COLUMNS =
  'job, ordinal, local_name, kind, remote_name, digests, version, size, ranges, tag_restarts, identity, asked_name'

/**
 * The values of a file's columns from `local_name` on, in the order of {@link FILE_COLUMNS}.
 *
 * @throws {RangeError} when a number in it is not finite
 */
export function encodeFile(file: Omit<JobFile, 'ordinal'>): Value[] {
  const { version, size = null, identity, askedName = null } = file
  return [
    file.localName,
    file.kind,
    file.remoteName,
    formatList(file.digests),
    version === undefined ? null : formatJson(version),
    size,
    formatList(file.ranges.map(({ start, end }) => [start, end])),
    file.tagRestarts,
    identity === undefined ? null : formatJson(identity),
    askedName,
  ]
}

/** @throws {DamagedRow} when no version of ours wrote it */
export function decodeFile(row: Row): JobFile {
  const columns = new Fields(
    `file ${String(row['ordinal'])} of the job numbered ${String(row['job'])}`,
    row,
  )
  return {
    ordinal: columns.count('ordinal'),
    remoteName: columns.text('remote_name'),
    ...(columns.has('asked_name') && { askedName: columns.text('asked_name') }),
    localName: columns.text('local_name'),
    digests: isEmptyList(row['digests']) ? [] : decodeDigests(columns),
    kind: columns.word('kind', ['missing', 'transferred', 'completed']),
    ...(columns.has('version') && {
      version: decodeVersion(columns.json('version').object('version')),
    }),
    ...(columns.has('size') && { size: columns.count('size') }),
    ranges: isEmptyList(row['ranges']) ? [] : decodeRanges(columns),
    tagRestarts: columns.count('tag_restarts'),
    ...(columns.has('identity') && {
      identity: decodeIdentity(columns.json('identity').object('identity')),
    }),
  }
}

/** The text of a list without anything in it: that of most files, and not worth a parser. */
const EMPTY_LIST = '[]'

function isEmptyList(text: unknown): boolean {
  return text === EMPTY_LIST
}

function formatList(list: readonly unknown[]): string {
  return list.length === 0 ? EMPTY_LIST : formatJson(list)
}

function decodeDigests(columns: Fields): readonly ExpectedDigest[] {
  return columns.json('digests').objects('digests').map(decodeDigest)
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
  }
}

/** Ranges decide which bytes are never asked for again, so their order is checked too. */
function decodeRanges(columns: Fields): ByteRanges {
  let from = -1
  return columns
    .json('ranges')
    .list('ranges')
    .map((pair): ByteRange => {
      const [start, end]: unknown[] = Array.isArray(pair) ? pair : []
      if (!isCount(start) || !isCount(end) || start <= from || end <= start) {
        throw new DamagedRow('the ranges of a file are not in order')
      }
      from = end
      return { start, end }
    })
}

function decodeIdentity(fields: Fields): FileIdentity {
  return {
    device: fields.text('device'),
    inode: fields.text('inode'),
    size: fields.count('size'),
  }
}
