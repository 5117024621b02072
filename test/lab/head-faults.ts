/** Heads that are wrong, that never end, or that are none; and parts that are others than asked for. */

import { give, length, withFields } from './answer.ts'
import type { Fault, Situation } from './situation.ts'

const CRLF = '\r\n'

/** These bytes and the end of the connection. */
function raw(bytes: (situation: Situation) => string | Uint8Array): Fault {
  return async (situation) => {
    await situation.exchange.write(bytes(situation))
    situation.exchange.end()
  }
}

/** A head of 200 with these lines in it, and the body. */
function withLines(lines: (situation: Situation) => string): Fault {
  return async (situation) => {
    const { exchange, answer } = situation
    exchange.record.status = answer.status
    const fields = answer.fields.map(([name, value]) => `${name}: ${value}${CRLF}`).join('')
    await exchange.write(`HTTP/1.1 ${answer.status} Lab${CRLF}${fields}${lines(situation)}${CRLF}`)
    await exchange.send(answer.content, answer.start, answer.end)
    exchange.end()
  }
}

/** `count` fields, or one of `bytes` bytes. */
const manyFields: Fault = withLines(({ options }) =>
  Array.from({ length: options.number('count', 2000) }, (_, at) => `X-${at}: y${CRLF}`).join(''),
)
const longField: Fault = withLines(
  ({ options }) => `X-Long: ${'y'.repeat(options.number('bytes', 1_000_000))}${CRLF}`,
)

/** Fields of 1000 bytes without an end, as long as somebody listens; or one field without an end. */
const endlessHead: Fault = async ({ exchange, options }) => {
  await exchange.write(`HTTP/1.1 200 Lab${CRLF}`)
  const isOneField = options.text('one', 'no') === 'yes'
  if (isOneField) await exchange.write('X-Endless: ')
  for (let at = 0; ; at++) {
    await exchange.write(isOneField ? 'y'.repeat(1000) : `X-${at}: ${'y'.repeat(1000)}${CRLF}`)
  }
}

/** A line in the head as `line` has it. */
const headLine: Fault = withLines(({ options }) => options.text('line', 'no colon') + CRLF)

/** Instead of an answer: `text`, and the end. */
const garbage: Fault = raw(({ options }) => options.text('text', 'SSH-2.0-OpenSSH_9.7\r\n'))

/** Bytes that mean nothing, many of them. */
const noise: Fault = raw(({ file, options }) => {
  const bytes = file.content.bytes()
  return bytes.subarray(0, options.number('bytes', bytes.length))
})

/** A status line as `line` has it, and a head and a body that would be right. */
const statusLine: Fault = async ({ exchange, answer, options }) => {
  const fields = answer.fields.map(([name, value]) => `${name}: ${value}${CRLF}`).join('')
  await exchange.write(`${options.text('line', 'HTTP/1.1 20 Lab')}${CRLF}${fields}${CRLF}`)
  await exchange.send(answer.content, answer.start, answer.end)
  exchange.end()
}

/** The end of the connection, or a reset, and no answer. */
const noAnswer: Fault = async ({ exchange, options }) => {
  if (options.text('how', 'fin') === 'reset') exchange.reset()
  else exchange.end()
}

/** Nothing at all, and the connection stays open. */
const stalledHead: Fault = async ({ exchange, options }) => {
  await exchange.write('HTTP/1.1 200 Lab\r\nContent-Le'.slice(0, options.number('after', 0)))
  await exchange.hang()
}

/** `count` interim answers with `status`, then the answer. */
const interim: Fault = async ({ exchange, answer, options }) => {
  for (let at = 0; at < options.number('count', 1); at++) {
    const status = options.number('status', 103)
    await exchange.head(status, [['Link', '</style.css>; rel=preload']])
  }
  await give(exchange, answer)
}

/** A status with a little page. */
const status: Fault = async ({ exchange, options }) => {
  const page = Buffer.from('<h1>This is not the file</h1>')
  const retryAfter = options.text('retry-after', '')
  await exchange.head(options.number('code', 500), [
    length(page.length),
    ['Content-Type', 'text/html'],
    ...(retryAfter === '' ? [] : [['Retry-After', retryAfter] as const]),
  ])
  if (options.number('code', 500) !== 204 && options.number('code', 500) !== 304) {
    await exchange.write(page)
  }
}

/** Elsewhere: `to` is a URL or a reference; `code` the status. */
const redirect: Fault = async ({ exchange, options }) => {
  const to = options.text('to', '')
  const location = to === '' ? [] : [['Location', to] as const]
  await exchange.head(options.number('code', 302), [...location, length(0)])
}

/** To itself. */
const redirectLoop: Fault = async ({ exchange }) => {
  await exchange.head(302, [['Location', exchange.request.target], length(0)])
}

/** `hops` more times elsewhere, then the file. */
const redirectChain: Fault = async ({ exchange, answer, options }) => {
  const hops = options.number('hops', 5)
  if (hops === 0) return give(exchange, answer)
  const { target } = exchange.request
  const next = target.replace(/([?&])hops=\d+/u, `$1hops=${hops - 1}`)
  await exchange.head(302, [['Location', next], length(0)])
}

/** A part whose Content-Range is as `range` has it; `only=parts` leaves whole answers alone. */
const wrongRange: Fault = async ({ exchange, answer, options }) => {
  if (answer.status !== 206) return give(exchange, answer)
  const { start, end, content } = answer
  const says = options.text('range', '')
  const shift = options.number('shift', 0)
  const last = end - 1 + options.number('longer', 0)
  const total = content.size + options.number('grown', 0)
  const range = says === '' ? `bytes ${start + shift}-${last + shift}/${total}` : says
  const value = range === 'none' ? undefined : range
  await give(exchange, withFields(answer, { 'Content-Range': value }))
}

/** Parts without a validator. */
const partUnproven: Fault = async ({ exchange, answer }) => {
  if (answer.status !== 206) return give(exchange, answer)
  await give(exchange, withFields(answer, { ETag: undefined, 'Last-Modified': undefined }))
}

/** A part of `size` bytes at the most, where more was asked for: allowed. */
const lessThanAsked: Fault = async ({ exchange, answer, options }) => {
  if (answer.status !== 206) return give(exchange, answer)
  const { start, content } = answer
  const end = Math.min(content.size, start + options.number('part', 10_000))
  const total = options.text('total', String(content.size))
  const range = `bytes ${start}-${end - 1}/${total}`
  const changes = { 'Content-Range': range, 'Content-Length': String(end - start) }
  await give(exchange, { ...withFields(answer, changes), end })
}

/** A part of `part` bytes in chunks, with `extra` bytes behind it that do not belong to the file. */
const partTooLong: Fault = async ({ exchange, answer, options }) => {
  if (answer.status !== 206) return give(exchange, answer)
  const { start, content } = answer
  const end = Math.min(content.size, start + options.number('part', 10_000))
  const changes = {
    'Content-Range': `bytes ${start}-${end - 1}/${content.size}`,
    'Content-Length': undefined,
    'Transfer-Encoding': 'chunked',
  }
  await exchange.head(206, withFields(answer, changes).fields)
  exchange.record.from = start
  const extra = Buffer.alloc(options.number('extra', 10))
  for (const piece of [...content.pieces(start, end), extra]) {
    await exchange.write(piece.length.toString(16) + CRLF)
    await exchange.body(piece)
    await exchange.write(CRLF)
  }
  await exchange.write(`0${CRLF}${CRLF}`)
}

/** 206 with the whole file (`all`) or a part where the whole was asked for. */
const partUnasked: Fault = async ({ exchange, answer, options }) => {
  const { content } = answer
  const end = options.text('part', 'all') === 'all' ? content.size : Math.ceil(content.size / 2)
  const range = `bytes 0-${end - 1}/${content.size}`
  const changes = { 'Content-Range': range, 'Content-Length': String(end) }
  await give(exchange, { ...withFields(answer, changes), status: 206, start: 0, end })
}

/** multipart/byteranges, whatever was asked for; `range`: with the range that was, as if it were one part. */
const multipart: Fault = async ({ exchange, answer, options }) => {
  const { content } = answer
  if (answer.status === 206 && options.text('range', '') === 'too') {
    const changes = { 'Content-Type': 'multipart/byteranges; boundary=lab' }
    // What parts have before them moves their bytes.
    return give(
      exchange,
      withFields({ ...answer, start: answer.start - 7, end: answer.end - 7 }, changes),
    )
  }
  const half = Math.ceil(content.size / 2)
  const part = (start: number, end: number): Buffer =>
    Buffer.concat([
      Buffer.from(`--lab\r\nContent-Range: bytes ${start}-${end - 1}/${content.size}\r\n\r\n`),
      ...content.pieces(start, end),
      Buffer.from(CRLF),
    ])
  const body = Buffer.concat([part(0, half), part(half, content.size), Buffer.from('--lab--\r\n')])
  await exchange.head(206, [
    ['Content-Type', 'multipart/byteranges; boundary=lab'],
    length(body.length),
  ])
  await exchange.body(body)
}

/** Faults of heads, by the name that stands in a URL. */
export const headFaults = {
  'many-fields': manyFields,
  'long-field': longField,
  'endless-head': endlessHead,
  'head-line': headLine,
  garbage,
  noise,
  'status-line': statusLine,
  'no-answer': noAnswer,
  'stalled-head': stalledHead,
  interim,
  status,
  redirect,
  'redirect-loop': redirectLoop,
  'redirect-chain': redirectChain,
  'wrong-range': wrongRange,
  'part-unproven': partUnproven,
  'less-than-asked': lessThanAsked,
  'part-too-long': partTooLong,
  'part-unasked': partUnasked,
  multipart,
} as const satisfies Readonly<Record<string, Fault>>
