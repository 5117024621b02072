/** Bodies that are not what their head says. */

import { hash } from 'node:crypto'
import { give, length, versionFields, withFields } from './answer.ts'
import type { Exchange } from './exchange.ts'
import type { Fault, Situation } from './situation.ts'

const CRLF = '\r\n'

/** Ends a connection the way the option `how` says: `fin` (default), `reset`, or `hang`, not at all. */
async function breakOff({ exchange, options }: Situation): Promise<void> {
  const how = options.text('how', 'fin')
  if (how === 'hang') await exchange.hang()
  // What was sent before is to arrive: a reset overtakes it.
  if (how === 'reset') await exchange.wait(20)
  if (how === 'reset') exchange.reset()
  else exchange.end()
}

/** How many bytes of the answer are sent before it breaks off. */
function upTo({ answer, options }: Situation): number {
  return Math.min(answer.end, answer.start + options.number('after', 30_000))
}

/** The head, `after` bytes, and then the end, a reset, or nothing for ever. */
const cut: Fault = async (situation) => {
  const { exchange, answer } = situation
  await exchange.head(answer.status, answer.fields)
  await exchange.send(answer.content, answer.start, upTo(situation))
  await breakOff(situation)
}

/** A good answer that breaks off early, where the options of a resource say so. */
export async function cutOff({ exchange, answer, options }: Situation): Promise<void> {
  await exchange.head(answer.status, answer.fields)
  const end = Math.min(answer.end, answer.start + options.number('cut', 0))
  await exchange.send(answer.content, answer.start, end)
  exchange.end()
}

/** `extra` bytes more than Content-Length promised, or the answer to another request; the connection stays open. */
const surplus: Fault = async ({ exchange, answer, options }) => {
  await give(exchange, answer)
  const forged = 'HTTP/1.1 200 Lab\r\nContent-Length: 6\r\nETag: "forged"\r\n\r\nforged'
  const isForged = options.text('forged', 'no') === 'yes'
  await exchange.write(isForged ? forged : 'x'.repeat(options.number('extra', 1000)))
}

/** An answer with these fields instead of its own, and the body as it is. */
function lying(
  changes: (situation: Situation) => Readonly<Record<string, string | undefined>>,
): Fault {
  return async (situation) => {
    const { exchange, answer } = situation
    const { status, fields, content, start, end } = withFields(answer, changes(situation))
    await exchange.head(status, fields)
    await exchange.send(content, start, end)
    exchange.end()
  }
}

/** Two Content-Length fields: `second` bytes more in the second. */
const twoLengths: Fault = async ({ exchange, answer, options }) => {
  const second = length(answer.end - answer.start + options.number('second', 10))
  await exchange.head(answer.status, [...answer.fields, second])
  await exchange.send(answer.content, answer.start, answer.end)
  exchange.end()
}

/** The head of a chunked answer. */
async function chunkedHead({ exchange, answer, options }: Situation): Promise<void> {
  const coding = options.text('coding', 'chunked')
  const { fields } = withFields(answer, {
    'Content-Length': options.text('length', '') === 'too' ? String(answer.end) : undefined,
    'Transfer-Encoding': coding,
    ...(options.text('trailer', '') === '' ? {} : { Trailer: 'Repr-Digest' }),
  })
  await exchange.head(answer.status, fields)
}

async function chunk(exchange: Exchange, bytes: Uint8Array): Promise<void> {
  await exchange.write(bytes.length.toString(16) + CRLF)
  await exchange.body(bytes)
  await exchange.write(CRLF)
}

async function chunksUpTo(situation: Situation, end: number): Promise<void> {
  const { exchange, answer } = situation
  await chunkedHead(situation)
  exchange.record.from = answer.start
  for (const piece of answer.content.pieces(answer.start, end)) await chunk(exchange, piece)
}

/**
 * Chunks as they should be. `trailer`: a trailer section that says this, with `flood` letters more; `length=too`: a Content-Length as well;
 * `coding`: another Transfer-Encoding.
 */
const chunked: Fault = async (situation) => {
  const { exchange, answer, options } = situation
  await chunksUpTo(situation, answer.end)
  const trailer = options.text('trailer', '') + 'x'.repeat(options.number('flood', 0))
  await exchange.write(`0${CRLF}${trailer === '' ? '' : trailer + CRLF}${CRLF}`)
}

/** Chunks without the last one. */
const chunkedUnended: Fault = async (situation) => {
  await chunksUpTo(situation, situation.answer.end)
  await breakOff(situation)
}

/** Chunks that break off within one. */
const chunkedCut: Fault = async (situation) => {
  const { exchange, answer } = situation
  await chunksUpTo(situation, upTo(situation))
  await exchange.write(`1000${CRLF}`)
  await exchange.body(answer.content.bytes().subarray(0, 100))
  await breakOff(situation)
}

/** A chunk, and then `line` where the size of the next should be, with `flood` letters more. */
const chunkedGarbage: Fault = async (situation) => {
  const { exchange, options } = situation
  await chunksUpTo(situation, upTo(situation))
  await exchange.write(options.text('line', 'not hexadecimal'))
  await exchange.write('x'.repeat(options.number('flood', 0)) + CRLF)
  await breakOff(situation)
}

/** HTTP/1.0: no length, the end of the connection is the end of the body. */
const closeDelimited: Fault = async (situation) => {
  const { exchange, answer, file, options } = situation
  const version = options.text('version', 'HTTP/1.0')
  const fields = [...versionFields(file), ['Content-Type', 'application/octet-stream']] as const
  await exchange.head(200, fields, { version })
  const after = options.number('after', answer.content.size)
  await exchange.send(answer.content, 0, Math.min(after, answer.content.size))
  await breakOff(situation)
}

/** Nothing that the server says is a length: what the answer is worth stands in `field`. */
const lengthSays: Fault = lying(({ options }) => ({
  'Content-Length': options.text('says', '-1'),
}))

/** A coding that nobody asked for. */
const coded: Fault = lying(({ options }) => ({
  'Content-Encoding': options.text('coding', 'gzip'),
}))

/** A field with a digest; `after`: the answer breaks off after so many bytes. */
const digest: Fault = async (situation) => {
  const { answer, options } = situation
  const told = { ...situation, answer: withFields(answer, digestField(situation)) }
  await (options.number('after', 0) > 0 ? cut(told) : give(told.exchange, told.answer))
}

function digestField({ answer, options }: Situation): Readonly<Record<string, string>> {
  const content = options.text('of', 'this') === 'this' ? answer.content.bytes() : Buffer.from('x')
  const algorithm = options.text('algorithm', 'sha-256')
  const hash = digestOf(algorithm, content)
  const field = options.text('field', 'Repr-Digest')
  const structured = `${algorithm}=:${hash}:`
  const values: Readonly<Record<string, string>> = {
    Digest: `${algorithm.toUpperCase()}=${hash}`,
    'Content-MD5': hash,
  }
  return { [field]: values[field] ?? structured }
}

function digestOf(algorithm: string, bytes: Uint8Array): string {
  return hash(algorithm.replace('-', ''), bytes, 'base64')
}

/** Content-Disposition with `value`, percent-decoded by the query. */
const disposition: Fault = lying(({ options }) => ({
  'Content-Disposition': options.text('value', 'attachment'),
}))

/** The connection ends after every answer. */
const closes: Fault = lying(() => ({ Connection: 'close' }))

/** Without a word about it. */
const closesSilently: Fault = lying(() => ({}))

/** Answers HTTP/1.1 200 with a field that is left out. */
const without: Fault = lying(({ options }) => ({ [options.text('field', 'Date')]: undefined }))

/** Serves a body slowly: pieces of `piece` bytes, `every` milliseconds. */
const drip: Fault = async ({ exchange, answer, options }) => {
  await exchange.head(answer.status, answer.fields)
  const step = options.number('piece', 1000)
  exchange.record.from = answer.start
  for (let at = answer.start; at < answer.end; at += step) {
    await exchange.send(answer.content, at, Math.min(answer.end, at + step))
    await exchange.wait(options.number('every', 10))
  }
  exchange.record.from = answer.start
}

/** Faults of bodies, by the name that stands in a URL. */
export const bodyFaults = {
  cut,
  surplus,
  'two-lengths': twoLengths,
  'length-says': lengthSays,
  chunked,
  'chunked-unended': chunkedUnended,
  'chunked-cut': chunkedCut,
  'chunked-garbage': chunkedGarbage,
  'close-delimited': closeDelimited,
  coded,
  digest,
  disposition,
  closes,
  'closes-silently': closesSilently,
  without,
  drip,
} as const satisfies Readonly<Record<string, Fault>>
