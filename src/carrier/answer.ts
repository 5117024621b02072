/**
 * What an answer means for a file that is asked for: whether its body belongs behind the bytes that are there. Pure
 * decision, no bytes moved: the place where a mixture of two versions is prevented.
 */

import type { Instant } from '../base/clock.ts'
import { failure, httpStatusFailure, type Failure } from '../job/failure.ts'
import { parseContentRange, type ContentRange } from '../wire/content-range.ts'
import { isOwnCoding } from '../wire/own-coding.ts'
import { parseRetryAfter } from '../wire/retry-after.ts'
import {
  compareVersions,
  differsOnlyInTag,
  policyAfter,
  readVersion,
  type Version,
} from '../wire/validator.ts'

/** What is asked for. */
export interface Asked {
  /** The first byte that is missing; 0 asks for the whole file, without Range. */
  readonly offset: number
  /** The version the bytes before `offset` belong to. */
  readonly version: Version | undefined
  readonly tagRestarts: number
}

/** What came. */
export interface Answered {
  readonly status: number
  readonly field: (name: string) => string | undefined
  /** Where it came from. */
  readonly url: string
  /** Length of the body, where the message says it. */
  readonly length: number | undefined
  /** Why a 401 or 407 was not answered, or a 403 came without a question: sentence case, no full stop. */
  readonly refusal?: string
}

/** What to do with the body. */
export type Verdict =
  /** Write it from `offset` on, up to `end` at most. `size` is the whole file's, where it is known. */
  | {
      readonly kind: 'take'
      readonly offset: number
      readonly end?: number
      readonly size: number | undefined
      readonly version: Version
    }
  /** Nothing is missing: the file ends where it was to go on. */
  | { readonly kind: 'whole'; readonly size: number }
  /** What is there is of another version, or cannot be proven to be of the same: it must go first. */
  | { readonly kind: 'restart'; readonly reason: string; readonly tagOnly: boolean }
  | { readonly kind: 'fail'; readonly failure: Failure }

/** Judges one final answer (RFC 9110 §15.3.1, §15.3.7, §15.5.17). */
export function judge(asked: Asked, answered: Answered, now: Instant): Verdict {
  const { status } = answered
  if (status === 200 || status === 203) return judgeWhole(asked, answered)
  if (status === 206) return judgePart(asked, answered)
  if (status === 416 && asked.offset > 0) return judgeMissed(asked, answered)
  if (status === 304 && asked.offset > 0) return mistaken
  return { kind: 'fail', failure: statusFailure(answered, now) }
}

/** Some servers (WEBrick) take If-Range for If-None-Match, which nobody has sent (RFC 9110 §13.1.5). */
const mistaken: Verdict = {
  kind: 'restart',
  reason: 'the server does not understand that the rest of the file is asked for',
  tagOnly: false,
}

/**
 * There is no byte where the file was to go on (RFC 9110 §15.5.17). So it is with a file whose length nobody knew, when
 * the service died between its last byte and the end of the answer.
 */
function judgeMissed(asked: Asked, answered: Answered): Verdict {
  const range = rangeOf(answered)
  const total = range?.kind === 'unsatisfied' ? range.total : undefined
  const version = versionOf(answered, total)
  const comparison = compareVersions(asked.version ?? {}, version, policyAfter(asked.tagRestarts))
  if (total === asked.offset && comparison === 'same') return { kind: 'whole', size: total }
  const reason = 'the server has no byte where the file goes on'
  return { kind: 'restart', reason, tagOnly: false }
}

function judgeWhole(asked: Asked, answered: Answered): Verdict {
  const coded = codingFailure(answered)
  if (coded !== undefined) return { kind: 'fail', failure: coded }
  const version = versionOf(answered, answered.length)
  if (asked.offset === 0) return { kind: 'take', offset: 0, size: answered.length, version }
  if (isPage(asked, answered, version)) return { kind: 'fail', failure: pageFailure }
  const tagOnly = asked.version !== undefined && differsOnlyInTag(asked.version, version)
  return { kind: 'restart', reason: wholeReason(asked, version), tagOnly }
}

/**
 * Whether somebody on the way answers in the place of a server that has always told the version of its file: such as
 * the page to sign in of a network. Taking it for a new version would throw away what is there.
 */
function isPage({ version: stored = {} }: Asked, { field }: Answered, received: Version): boolean {
  const isHtml = /^text\/html\b/iu.test(field('content-type') ?? '')
  return isHtml && isTold(stored) && !isTold(received)
}

function isTold({ etag, lastModified }: Version): boolean {
  return (etag ?? lastModified) !== undefined
}

const pageFailure = failure(
  'BG_E_INVALID_SERVER_RESPONSE',
  'REMOTE_FILE',
  'A page came instead of the rest of the file: perhaps this network wants a sign-in first',
  { severity: 'transient' },
)

function wholeReason({ version: stored, tagRestarts }: Asked, received: Version): string {
  const isChanged =
    stored !== undefined &&
    compareVersions(stored, received, policyAfter(tagRestarts)) === 'changed'
  return isChanged
    ? 'the file on the server is another one now'
    : 'the server sends the whole file instead of the rest'
}

function judgePart(asked: Asked, answered: Answered): Verdict {
  const coded = codingFailure(answered)
  if (coded !== undefined) return { kind: 'fail', failure: coded }
  const range = rangeOf(answered)
  if (range?.kind !== 'range') {
    return invalid('The server sent a part without saying which one')
  }
  if (asked.offset === 0)
    return invalid('The server sent a part where the whole file was asked for')
  if (/^multipart\/byteranges\b/iu.test(answered.field('content-type') ?? '')) {
    return invalid('The server sent several parts where one was asked for')
  }
  const version = versionOf(answered, range.total)
  // A part of another version is judged by its version first: that its range is another too is no wonder.
  const comparison = compareVersions(asked.version ?? {}, version, policyAfter(asked.tagRestarts))
  if (comparison !== 'same') {
    const reason =
      comparison === 'changed'
        ? 'the file on the server is another one now'
        : 'nothing proves that the rest is of the same version'
    const tagOnly = asked.version !== undefined && differsOnlyInTag(asked.version, version)
    return { kind: 'restart', reason, tagOnly }
  }
  if (range.start !== asked.offset) {
    return invalid(
      `The server sent bytes from ${range.start} on where ${asked.offset} was asked for`,
    )
  }
  const promised = range.end - range.start
  if (answered.length !== undefined && answered.length !== promised) {
    return invalid(`The server sent ${answered.length} bytes and calls them ${promised}`)
  }
  const size = range.total ?? asked.version?.size
  if (size !== undefined && range.end > size)
    return invalid('The server sent a part that ends behind the file')
  return { kind: 'take', offset: range.start, end: range.end, size, version }
}

function rangeOf(answered: Answered): ContentRange | undefined {
  try {
    return parseContentRange(answered.field('content-range'))
  } catch {
    return undefined
  }
}

function versionOf({ field }: Answered, total: number | undefined): Version {
  return readVersion({
    etag: field('etag'),
    lastModified: field('last-modified'),
    date: field('date'),
    total,
  })
}

/**
 * Nobody asked for a coding (`Accept-Encoding: identity`); the bytes would not be the file's, unless it is made in that
 * coding.
 */
function codingFailure({ field, url }: Answered): Failure | undefined {
  const coding = field('content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity') return undefined
  if (isOwnCoding(coding, url)) return undefined
  return invalidFailure(
    `The server sent the file with the content coding ${coding.slice(0, 40)}, which nobody asked for`,
  )
}

function statusFailure({ status, field, refusal }: Answered, now: Instant): Failure {
  if (status >= 200 && status < 300) {
    return httpStatusFailure(status, `The server answered ${status} where a file was asked for`)
  }
  const retryAfterMs = parseRetryAfter(field('retry-after'), now)
  return httpStatusFailure(status, statusSentence(status, refusal), { retryAfterMs })
}

function statusSentence(status: number, refusal: string | undefined): string {
  if (refusal !== undefined) return `${refusal} (${status})`
  const meaning = statusMeanings.get(status)
  return `The server answered ${status}${meaning === undefined ? '' : `: ${meaning}`}`
}

/** What people need to know about the statuses they meet. */
const statusMeanings: ReadonlyMap<number, string> = new Map([
  [400, 'it does not understand the request'],
  [401, 'it wants to know who is asking'],
  [403, 'this is not allowed'],
  [404, 'there is no such file'],
  [405, 'this cannot be fetched with GET'],
  [407, 'the proxy wants to know who is asking'],
  [408, 'it waited too long for the request'],
  [410, 'the file is gone'],
  [416, 'it has no such bytes'],
  [429, 'too many requests'],
  [451, 'this is withheld for legal reasons'],
  [500, 'it failed'],
  [502, 'a server behind it failed'],
  [503, 'it is overloaded or being mended'],
  [504, 'a server behind it did not answer'],
  [511, 'this network wants a sign-in first'],
])

function invalid(sentence: string): Verdict {
  return { kind: 'fail', failure: invalidFailure(sentence) }
}

function invalidFailure(sentence: string): Failure {
  return failure('BG_E_INVALID_SERVER_RESPONSE', 'REMOTE_FILE', sentence)
}
