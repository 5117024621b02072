/** The times of certificates (RFC 5280 §4.1.2.5): of a calendar, in UTC, with seconds. */

import type { DerReader } from '../../auth/spnego/der.ts'
import { ProtocolError } from '../../base/error.ts'
import { certificateTags } from './extensions.ts'

/** Two digits of a year from here on are of the last century. */
const PIVOT_YEAR = 50

/**
 * Reads a UTCTime or a GeneralizedTime.
 *
 * @returns milliseconds since 1970
 * @throws {ProtocolError} `ERR_DER_TIME` when it is neither, and as `DerReader.content`
 */
export function parseTime(reader: DerReader): number {
  const isShort = reader.nextTag === certificateTags.utcTime
  const octets = reader.content(isShort ? certificateTags.utcTime : certificateTags.generalizedTime)
  const text = String.fromCharCode(...octets.subarray(0, MAX_LENGTH))
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    (isShort ? shortTime : longTime).exec(text) ?? []
  const century = isShort ? (Number(year) < PIVOT_YEAR ? '20' : '19') : ''
  const instant = Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!Number.isNaN(instant)) return instant
  throw new ProtocolError('ERR_DER_TIME', `Cannot read a time: ${JSON.stringify(text)}`)
}

/** Longer than any that is right. */
const MAX_LENGTH = 24

const shortTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u
const longTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u
