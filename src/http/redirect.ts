/** Whether a response points elsewhere, and where to (RFC 9110 §15.4, bits-jobs.md §22.7). */

import { failure, FailureError, httpStatusFailure } from '../job/failure.ts'
import type { RedirectPolicy } from '../job/job.ts'
import type { Fields } from '../wire/fields.ts'
import { describeTarget, parseTarget, type Target } from './target.ts'

/** Hops that one exchange follows. */
export const MAXIMUM_REDIRECTS = 20

const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** Whether a response is followed instead of given to the sink: only what has no body may be asked for again. */
export function isRedirect(method: string, status: number): boolean {
  return redirectStatuses.has(status) && (method === 'GET' || method === 'HEAD')
}

/** A redirect that nobody was to follow. */
export class DisallowedRedirectError extends FailureError {
  /** Where it leads, without a fragment; `undefined` when it does not say. */
  readonly location: string | undefined

  constructor(status: number, location: string | undefined) {
    const sentence = `The server answered ${status}: the file is elsewhere, and following is not allowed`
    super(httpStatusFailure(status, sentence, { severity: 'fatal' }))
    this.location = location
  }
}

/** The way of one exchange: where it began and every place it was sent on to. */
export class Hops {
  readonly #policy: RedirectPolicy
  /** Made with the first hop: most exchanges have none. */
  #visited: Set<string> | undefined
  /** Where the exchange began. */
  readonly first: Target

  constructor(first: Target, policy: RedirectPolicy) {
    this.first = first
    this.#policy = policy
  }

  /**
   * The next place.
   *
   * @param from what answered
   * @throws {FailureError} `BG_E_HTTP_ERROR_3xx` when redirects are not allowed, `BG_E_INVALID_SERVER_RESPONSE`
   *   without one valid Location, `ERROR_WINHTTP_REDIRECT_FAILED` for a loop, too many hops, from https to http unless
   *   allowed, or to another scheme; all fatal
   */
  next(from: Target, status: number, fields: Fields): Target {
    if (this.#policy.follow === 'disallow') {
      throw new DisallowedRedirectError(status, placeOf(from, fields))
    }
    const to = location(from, fields)
    if (from.scheme === 'https' && to.scheme === 'http' && !this.#policy.allowHttpsToHttp) {
      throw refused(from, 'it leads from https to http')
    }
    this.#visited ??= new Set([this.first.url])
    if (this.#visited.has(to.url)) throw refused(from, 'it leads round in a circle')
    if (this.#visited.size > MAXIMUM_REDIRECTS) {
      throw refused(from, `there have been ${MAXIMUM_REDIRECTS} already`)
    }
    this.#visited.add(to.url)
    return to
  }
}

/** Nobody goes there: whatever is wrong with it is of no interest. */
function placeOf(from: Target, fields: Fields): string | undefined {
  try {
    return location(from, fields).url
  } catch (error) {
    if (error instanceof FailureError) return undefined
    throw error
  }
}

function location(from: Target, fields: Fields): Target {
  const values = new Set(fields.all('location'))
  const [value = ''] = values
  if (values.size !== 1 || value === '') throw invalidLocation(from)
  // RFC 9110 §10.2.2 allows ASCII; where servers send other octets, they mean the octets of the path.
  const ascii = value.replaceAll(/[\x80-\xff]/gu, (character) => encodeURIOctet(character))
  if (!URL.canParse(ascii, from.url)) throw invalidLocation(from)
  const { protocol } = new URL(ascii, from.url)
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw refused(from, `it leads to a ${protocol.slice(0, -1)} URL`)
  }
  return parseTarget(ascii, from.url)
}

function encodeURIOctet(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function invalidLocation(from: Target): FailureError {
  return new FailureError(
    failure(
      'BG_E_INVALID_SERVER_RESPONSE',
      'REMOTE_FILE',
      `Cannot follow the redirect of ${describeTarget(from)}: it does not say where to`,
    ),
  )
}

function refused(from: Target, why: string): FailureError {
  return new FailureError(
    failure(
      'ERROR_WINHTTP_REDIRECT_FAILED',
      'REMOTE_FILE',
      `Cannot follow the redirect of ${describeTarget(from)}: ${why}`,
    ),
  )
}
