/** Challenges as targets send them: RFC 9110 §11.6.1, and Passport's own form. */

import { ProtocolError } from '../base/error.ts'
import { FieldScanner } from './field-scanner.ts'

/** One way of proof, as a target offered it. Credentials have the same form (RFC 9110 §11.4). */
export interface Challenge {
  /** The `auth-scheme` token, lower case: `basic`, `ntlm`, `passport1.4`. */
  readonly scheme: string
  /** The `token68`, as received; absent when there is none. */
  readonly token68?: string
  /** The parameters by lower-case name, values without their quotes and escapes; empty when there are none. */
  readonly parameters: ReadonlyMap<string, string>
  /** Passport1.4 only: everything after the scheme and its blanks, as received (A174). */
  readonly text?: string
}

/** How much of a target's talk is read. */
export interface ChallengeLimits {
  /** Octets of all field values together. */
  readonly octets: number
  /** Challenges in all field values together. */
  readonly challenges: number
  /** Parameters of one challenge, repeated ones counted. */
  readonly parameters: number
}

/** More than any honest target needs: a Kerberos ticket with a large authorisation record has up to 48,000 octets. */
export const defaultChallengeLimits: ChallengeLimits = {
  octets: 65_536,
  challenges: 64,
  parameters: 64,
}

const passport = 'passport1.4'

/**
 * Reads every challenge of one response, in the order of the target.
 *
 * Liberal where servers are known to be careless: values with or without quotes (A172), blanks around `=`, empty list
 * elements, parameters after a comma that follows the scheme. A parameter that comes twice in one challenge keeps its
 * first value. What cannot be read costs the challenge it stands in and the rest of its line; what was read before it
 * and the other lines count (A175). Takes time linear in the octets.
 *
 * @param fieldValues the values of every line of `WWW-Authenticate` or `Proxy-Authenticate`, never joined (A174)
 * @throws {ProtocolError} `ERR_AUTH_CHALLENGE_OCTETS`, `ERR_AUTH_CHALLENGE_COUNT` or `ERR_AUTH_CHALLENGE_PARAMETERS`
 *   when a limit is exceeded
 * @see RFC 9110 §11.6.1
 */
export function parseChallenges(
  fieldValues: readonly string[],
  limits: ChallengeLimits = defaultChallengeLimits,
): readonly Challenge[] {
  const octets = fieldValues.reduce((sum, value) => sum + value.length, 0)
  if (octets > limits.octets) {
    throw exceeded('ERR_AUTH_CHALLENGE_OCTETS', 'octets', limits.octets)
  }
  const challenges: Challenge[] = []
  for (const value of fieldValues) {
    for (const challenge of readLine(new FieldScanner(value), limits)) {
      challenges.push(challenge)
      if (challenges.length > limits.challenges) {
        throw exceeded('ERR_AUTH_CHALLENGE_COUNT', 'challenges', limits.challenges)
      }
    }
  }
  return challenges
}

/**
 * Reads the value of an `Authorization` or `Proxy-Authorization` field.
 *
 * @returns `undefined` when it is not exactly one set of credentials
 * @throws {ProtocolError} as {@link parseChallenges}
 */
export function parseCredentials(fieldValue: string): Challenge | undefined {
  const [credentials, ...others] = parseChallenges([fieldValue])
  return others.length === 0 ? credentials : undefined
}

/** A challenge while its parameters are still being read. */
interface Draft extends Challenge {
  readonly parameters: Map<string, string>
  count: number
}

function* readLine(line: FieldScanner, limits: ChallengeLimits): Iterable<Challenge> {
  let draft: Draft | undefined
  for (line.skipEmptyElements(); !line.atEnd; line.skipEmptyElements()) {
    const word = line.token()
    if (word === undefined) return
    if (line.beforeEquals) {
      // A parameter of the challenge before; without one, or after a token68, nobody can say what it means.
      if (draft === undefined || draft.token68 !== undefined) return
      if (!readParameter(line, draft, word, limits)) return
      continue
    }
    if (draft !== undefined) yield finish(draft)
    draft = readScheme(line, word.toLowerCase(), limits)
    if (draft === undefined) return
  }
  if (draft !== undefined) yield finish(draft)
}

/** What follows a scheme in its own list element: nothing, a token68, a first parameter, or Passport's text. */
function readScheme(
  line: FieldScanner,
  scheme: string,
  limits: ChallengeLimits,
): Draft | undefined {
  const separated = line.skipBlank()
  if (scheme === passport) return { ...newDraft(scheme), text: line.rest() }
  const draft = newDraft(scheme)
  if (line.atElementEnd) return draft
  if (!separated) return undefined
  const token68 = line.token68()
  if (token68 !== undefined) return { ...draft, token68 }
  const name = line.token()
  return name !== undefined && readParameter(line, draft, name, limits) ? draft : undefined
}

function readParameter(
  line: FieldScanner,
  draft: Draft,
  name: string,
  limits: ChallengeLimits,
): boolean {
  const value = line.assignment()
  if (value === undefined) return false
  if (++draft.count > limits.parameters) {
    throw exceeded('ERR_AUTH_CHALLENGE_PARAMETERS', 'parameters', limits.parameters)
  }
  const key = name.toLowerCase()
  if (!draft.parameters.has(key)) draft.parameters.set(key, value)
  return true
}

function newDraft(scheme: string): Draft {
  return { scheme, parameters: new Map(), count: 0 }
}

function finish({ scheme, token68, parameters, text }: Draft): Challenge {
  return {
    scheme,
    parameters,
    ...(token68 === undefined ? {} : { token68 }),
    ...(text === undefined ? {} : { text }),
  }
}

function exceeded(code: string, what: string, limit: number): ProtocolError {
  return new ProtocolError(code, `Cannot read challenges: more than ${limit} ${what}`)
}
