/** What the tests of Digest have in common: the inputs of RFC 7616 §3.9.1, and ways to read headers. */

import assert from 'node:assert/strict'

import { parseChallenges, type Challenge } from '../challenge.ts'
import { request } from '../conversation.suite.ts'
import type { PasswordCredentials } from '../credentials.ts'
import { parseParameters } from '../parameters.ts'
import type { Answer } from '../scheme.ts'
import { Secret } from '../secret.ts'
import { testWorld } from '../world.suite.ts'

/** The inputs of V10. */
export const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
export const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'
export const opaque = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS'
export const mufasa = password('Mufasa', 'Circle of Life')
export const index = request('GET', 'http://server.example.com/dir/index.html')

/** The challenges of V10 as printed, SHA-256 first. */
export const [printedSha256, printedMd5] = [printed('SHA-256'), printed('MD5')]

/** A world whose generator gives what makes the cnonce of V10. */
export const world = testWorld({ randomBytes: [Buffer.from(cnonce, 'base64')] })

/** The challenge of V10 with any algorithm. */
export function printed(algorithm: string): string {
  return `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="${opaque}"`
}

/** A name and a password. */
export function password(userName: string, word: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText(word) }
}

/** A challenge out of a field value that has exactly one. */
export function challengeOf(value: string): Challenge {
  const [challenge, ...others] = parseChallenges([value])
  assert.ok(challenge !== undefined && others.length === 0, value)
  return challenge
}

/** A challenge with this nonce and little else. */
export function ask(nonce: string, extra = ''): Challenge {
  return challengeOf(`Digest realm="r", qop="auth", nonce="${nonce}"${extra}`)
}

/** The header of an answer that has to have one. */
export function headerOf(answer: Answer | undefined): string {
  assert.ok(answer?.kind === 'send' && answer.header !== undefined, JSON.stringify(answer))
  return answer.header
}

/** One parameter of a header. */
export function parameter(header: string, name: string): string | undefined {
  return parseParameters([header.slice('Digest '.length)]).get(name)
}
