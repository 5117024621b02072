/**
 * What identifies a version of a remote file, and when two answers are about the same one.
 *
 * A file that is fetched in pieces, over hours and restarts, is only right when every piece is of one version. Three
 * facts tell: the entity tag, the time of the last modification, and the size. RFC 9110 §15.3.7.3 allows to join pieces
 * only when they share a *strong* validator, one that changes whenever a single byte does:
 *
 * - An entity tag is strong unless it begins with `W/` (§8.8.1). A weak one never goes into If-Range (§13.1.5), and
 *   that it is equal proves nothing; that it differs proves a change.
 * - Last-Modified counts seconds, so it is weak by itself. It is strong when the answer that brought it was made at
 *   least one second later, by its own Date field (§8.8.2.2): a second change in the same second would have left one
 *   answer with Date equal to Last-Modified. The clause also wants reason to believe that one clock made both; an
 *   origin server must not send a Last-Modified later than its own clock says (§8.8.2.1), so both being sent together
 *   is that reason here.
 * - The size proves a change when it differs and nothing when it is equal.
 *
 * §13.1.5 lets a client send a date in If-Range only when it has no entity tag at all. This goes further in two cases:
 * when the tag is weak, where the clause leaves no way to ask (a server that gives weak tags to everything it serves
 * could never be resumed), and when the tag is not trusted, next paragraph. Nothing is lost by it: a server compares
 * the date for exact equality (§13.1.5), and the answer is compared again here.
 *
 * *Tags that are not of the file.* The nodes of some content delivery networks, and servers of one name that make tags
 * of inode numbers, each give the same bytes another strong tag. By the letter each of them is another version, and a
 * large file would start again with every node that answers, for ever. So a file starts again from zero when only its
 * tag has changed, as it must, and the caller counts how often that happened ({@link differsOnlyInTag}). After
 * {@link TAG_RESTARTS} such restarts {@link policyAfter} no longer trusts the tag: from then on If-Range carries
 * Last-Modified when that is strong, and the size and Last-Modified together decide. Alternatives that are worse:
 * never to trust tags loses the only proof that many servers give; to trust a tag less from the first difference on
 * joins two versions when a file is replaced by one of the same size within the granularity of a time stamp that
 * somebody copied along.
 */

import { formatHttpDate, parseHttpDate } from './http-date.ts'

/** An entity tag, taken apart (RFC 9110 §8.8.3). */
export interface EntityTag {
  /** What stands between the quotes: visible characters except the quote, and those above 0x7f. */
  readonly tag: string
  readonly weak: boolean
}

/** What an answer says about the version of the file it brings; plain data, every field as received. */
export interface Version {
  /** The ETag field, quotes and `W/` included; at most 1024 characters. Not always a well-formed entity tag. */
  readonly etag?: string
  /** The Last-Modified field; at most 64 characters. Not always a well-formed date. */
  readonly lastModified?: string
  /** The Date field that `lastModified` was received with; at most 64 characters. */
  readonly date?: string
  /** Length of the whole file in bytes. */
  readonly size?: number
  /** The strongest digest of the whole file that the server told: `sha-256:HEX`. Not compared, but to be verified. */
  readonly digest?: string
}

/** Whether entity tags count; see the top of this file. */
export interface VersionPolicy {
  readonly trustEtag: boolean
}

/**
 * What comparing two versions found: `same` is proven by a strong validator, `changed` by any difference, and
 * `unproven` is neither.
 */
export type VersionComparison = 'same' | 'changed' | 'unproven'

/** Restarts because of nothing but the entity tag after which it is no longer trusted for that file. */
export const TAG_RESTARTS = 2

const LONGEST_ETAG = 1024
const LONGEST_DATE = 64
const ONE_SECOND_MS = 1000

const entityTag = /^(W\/)?"([\u0021\u0023-\u007e\u0080-\u00ff]*)"$/

/**
 * Reads an entity tag.
 *
 * @returns `undefined` when it is none; missing quotes are not forgiven
 * @see RFC 9110 §8.8.3
 */
export function parseEntityTag(value: string): EntityTag | undefined {
  const [, weak, tag] = entityTag.exec(value) ?? []
  return tag === undefined ? undefined : { tag, weak: weak !== undefined }
}

/**
 * Writes an entity tag.
 *
 * @throws {RangeError} when `tag` holds a quote, a space or a control character
 */
export function formatEntityTag({ tag, weak }: EntityTag): string {
  const text = `${weak ? 'W/' : ''}"${tag}"`
  if (!entityTag.test(text)) throw new RangeError(`Cannot write an entity tag: ${text}`)
  return text
}

/** Whether both tags are strong and equal: the bytes are the same (RFC 9110 §8.8.3.2). */
export function strongMatch(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.tag === b.tag
}

/** Whether the tags are equal, weak or not: one may stand for the other (RFC 9110 §8.8.3.2). */
export function weakMatch(a: EntityTag, b: EntityTag): boolean {
  return a.tag === b.tag
}

/**
 * Collects what an answer says about its version.
 *
 * @param facts the fields ETag, Last-Modified and Date as received, and the length of the whole file in bytes:
 *   Content-Length of a 200, the total in Content-Range of a 206. What is empty or longer than {@link Version} allows,
 *   and a total that is no exact integer from 0, is left out
 */
export function readVersion(facts: {
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
  readonly date?: string | undefined
  readonly total?: number | undefined
}): Version {
  const version: { -readonly [Fact in keyof Version]: Version[Fact] } = {}
  const { etag, lastModified, date, total } = facts
  if (isWithin(etag, LONGEST_ETAG)) version.etag = etag
  if (isWithin(lastModified, LONGEST_DATE)) version.lastModified = lastModified
  if (isWithin(date, LONGEST_DATE)) version.date = date
  if (total !== undefined && Number.isSafeInteger(total) && total >= 0) version.size = total
  return version
}

/** The policy for a file that has started again `tagRestarts` times because only its entity tag had changed. */
export function policyAfter(tagRestarts: number): VersionPolicy {
  return { trustEtag: tagRestarts < TAG_RESTARTS }
}

/**
 * What to send in If-Range so that the server sends a part only of this version.
 *
 * @returns the strong entity tag; else Last-Modified as IMF-fixdate when it is strong; else `undefined`: a part can be
 *   asked for without, and must then be proven by {@link compareVersions}
 * @see RFC 9110 §13.1.5, and the top of this file for where it is left
 */
export function ifRange(
  version: Version,
  policy: VersionPolicy = policyAfter(0),
): string | undefined {
  const tag = policy.trustEtag ? readTag(version) : undefined
  if (tag !== undefined && !tag.weak) return formatEntityTag(tag)
  const modified = strongLastModified(version)
  return modified === undefined ? undefined : formatHttpDate(modified)
}

/**
 * Compares what is stored with what an answer says; to be done with every 206, whatever If-Range it answers, because
 * there are servers that ignore If-Range.
 *
 * A size, a time or (when trusted) a tag that differs is `changed`, whatever else agrees. Equal strong tags are `same`,
 * and so is an equal Last-Modified that was strong when it was stored; where the tag is not trusted, the size must be
 * known and equal too. A validator that only one side has says nothing: a 206 to If-Range may leave out Last-Modified
 * (RFC 9110 §15.3.7).
 */
export function compareVersions(
  stored: Version,
  received: Version,
  policy: VersionPolicy = policyAfter(0),
): VersionComparison {
  if (compareSizes(stored, received) === 'different') return 'changed'
  const times = compareTimes(stored, received)
  if (times === 'different') return 'changed'
  if (policy.trustEtag) {
    const tags = compareTags(stored, received)
    if (tags === 'different') return 'changed'
    if (tags === 'equal') return 'same'
  }
  if (times !== 'equal' || strongLastModified(stored) === undefined) return 'unproven'
  return policy.trustEtag || compareSizes(stored, received) === 'equal' ? 'same' : 'unproven'
}

/**
 * Whether two versions differ in nothing but the entity tag, while size and a strong Last-Modified agree: the kind of
 * change that is counted for {@link policyAfter}.
 */
export function differsOnlyInTag(stored: Version, received: Version): boolean {
  return (
    compareTags(stored, received) === 'different' &&
    compareVersions(stored, received, { trustEtag: false }) === 'same'
  )
}

/** `unknown` when a side is missing, or when being equal would prove nothing. */
type Facts = 'equal' | 'different' | 'unknown'

function compareSizes({ size: a }: Version, { size: b }: Version): Facts {
  if (a === undefined || b === undefined) return 'unknown'
  return a === b ? 'equal' : 'different'
}

function compareTimes({ lastModified: a }: Version, { lastModified: b }: Version): Facts {
  if (a === undefined || b === undefined) return 'unknown'
  // The same time may come in two forms; what is no date can still be seen to change.
  const isEqual = a === b || (parseHttpDate(a) ?? a) === (parseHttpDate(b) ?? b)
  return isEqual ? 'equal' : 'different'
}

function compareTags(stored: Version, received: Version): Facts {
  if (stored.etag === undefined || received.etag === undefined) return 'unknown'
  const a = readTag(stored)
  const b = readTag(received)
  // What is no entity tag can still be seen to change, and is no proof when it does not.
  if (a === undefined || b === undefined) {
    return stored.etag === received.etag ? 'unknown' : 'different'
  }
  if (!weakMatch(a, b)) return 'different'
  return strongMatch(a, b) ? 'equal' : 'unknown'
}

function readTag({ etag }: Version): EntityTag | undefined {
  return etag === undefined ? undefined : parseEntityTag(etag)
}

/** Last-Modified, when RFC 9110 §8.8.2.2 makes it a strong validator: one second or more before Date. */
function strongLastModified({ lastModified, date }: Version): number | undefined {
  if (lastModified === undefined || date === undefined) return undefined
  const modified = parseHttpDate(lastModified)
  const answered = parseHttpDate(date)
  if (modified === undefined || answered === undefined) return undefined
  return answered - modified >= ONE_SECOND_MS ? modified : undefined
}

function isWithin(value: string | undefined, longest: number): value is string {
  return value !== undefined && value !== '' && value.length <= longest
}
