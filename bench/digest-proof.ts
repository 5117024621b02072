/**
 * `node bench/digest-proof.ts`: what one proof by Digest costs on our side, in time of the processor: wording what the
 * request says, and verifying what the server says of itself in its answer. Prints a Markdown table. The goal: 8 µs with
 * MD5, of which one hash, of which it takes four, is a good half µs.
 *
 *   --rounds N    proofs per row (default 50000)
 */

import { hash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Authenticator } from '../src/auth/authenticator.ts'
import type { Field } from '../src/auth/auth.ts'
import { digestResponse, formatCount, userKey } from '../src/auth/digest/response.ts'
import { parseParameters } from '../src/auth/parameters.ts'
import type { RequestFacts, ResponseFacts } from '../src/auth/scheme.ts'
import { Secret } from '../src/auth/secret.ts'
import { defaultAuthSettings } from '../src/auth/settings.ts'
import { systemClock } from '../src/carrier/system-clock.ts'
import { systemRandom } from '../src/carrier/system-random.ts'
import { nodeHashes } from '../src/http/node-hashes.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50000' } } })
const rounds = Number(values.rounds)

const peer = new URL('http://server.example:8080')
const nonce = 'nXyZabcdBQA=7e1a6c2d8f1f3c5e7a9b0d2c4e6f80a1b3c5d7e9'
const userName = 'somebody'
const password = Secret.fromText('a password')
const facts: RequestFacts = {
  method: 'GET',
  requestTarget: '/some/folder/file-1234.bin',
  url: new URL('/some/folder/file-1234.bin', peer),
  connection: {},
}
const mechanisms = {
  unavailable: () => 'There are none here',
  open: () => Promise.reject(new Error('There are none here')),
}

const kinds = [
  { algorithm: 'MD5', port: 'md5', node: 'md5' },
  { algorithm: 'SHA-256', port: 'sha-256', node: 'sha256' },
  { algorithm: 'SHA-512-256', port: 'sha-512-256', node: 'sha512-256' },
] as const

process.stdout.write('| algorithm | a proof, µs | a hash alone, µs |\n|---|---|---|\n')
for (const kind of kinds) {
  const authenticator = beginAuthenticator()
  const cnonce = await beAsked(authenticator, kind.algorithm)
  let count = 1
  // The engine compiles what it sees often: only the last of several rows is printed.
  let proof = Number.NaN
  for (let row = 0; row < 4; row++) {
    const answers = answersOf(kind, cnonce, count + 1)
    count += rounds
    proof = await microseconds(() => prove(authenticator, answers))
  }
  const text = 'x'.repeat(170)
  const alone = await microseconds(() => {
    for (let round = 0; round < rounds; round++) hash(kind.node, text)
  })
  process.stdout.write(`| ${kind.algorithm} | ${proof.toFixed(2)} | ${alone.toFixed(2)} |\n`)
}

function beginAuthenticator(): Authenticator {
  const credentials = { kind: 'password', userName, password } as const
  const world = { hashes: nodeHashes, random: systemRandom, clock: systemClock, mechanisms }
  return new Authenticator({
    situation: { target: 'server', peer, isForeign: false },
    wallet: { pairs: [{ target: 'server', scheme: 'digest', credentials }] },
    world: { ...world, settings: defaultAuthSettings },
  })
}

/** The first request of all. @returns the cnonce of all others */
async function beAsked(authenticator: Authenticator, algorithm: string): Promise<string> {
  using exchange = authenticator.begin()
  await exchange.prepare(facts)
  const challenge = `Digest realm="r", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`
  const asked = { status: 401, fields: [['WWW-Authenticate', challenge]] as const }
  const step = await exchange.challenged(asked, facts)
  if (step.kind !== 'send') throw new Error('The challenge is not answered')
  await exchange.accepted({ status: 200, fields: [] })
  return parseParameters([step.header?.slice('Digest '.length) ?? '']).get('cnonce') ?? ''
}

/** What the server says to the requests that follow, as Apache does. */
function answersOf(
  { port }: (typeof kinds)[number],
  cnonce: string,
  from: number,
): readonly ResponseFacts[] {
  const user = new TextEncoder().encode(userName)
  const key = password.use((bytes) => userKey(nodeHashes, port, user, 'r', bytes))
  return Array.from({ length: rounds }, (_, index) => {
    const nc = formatCount(from + index)
    const rspauth = digestResponse(nodeHashes, key, {
      algorithm: { hash: port, isSession: false },
      nonce,
      quality: { qop: 'auth', nc, cnonce },
      method: '',
      uri: facts.requestTarget,
    })
    const info = `rspauth="${rspauth}", cnonce="${cnonce}", nc=${nc}, qop=auth`
    const fields: readonly Field[] = [
      ['Date', 'Mon, 01 Jan 2024 00:00:00 GMT'],
      ['Server', 'Apache'],
      ['Authentication-Info', info],
      ['Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT'],
      ['ETag', '"5000-60da1b2c3d4e5"'],
      ['Accept-Ranges', 'bytes'],
      ['Content-Length', '20480'],
    ]
    return { status: 200, fields }
  })
}

async function prove(
  authenticator: Authenticator,
  answers: readonly ResponseFacts[],
): Promise<void> {
  for (const answer of answers) {
    using exchange = authenticator.begin()
    const send = await exchange.prepare(facts)
    const verdict = await exchange.accepted(answer)
    if (send === undefined || verdict.kind !== 'done') throw new Error('A proof was not taken')
  }
}

/** Per round, of this thread alone: what else goes on here does not count. */
async function microseconds(work: () => Promise<void> | void): Promise<number> {
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / rounds
}
