/**
 * Every way in which one answer can be wrong, each as a command of its own: it ends in a whole right file, or in the
 * error that tells what was wrong, with nothing under the name and nothing left behind once the job is cancelled.
 */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { assertWhole, parseLastLine } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { LullHome } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

/** One way, and what becomes of it. */
interface Row {
  readonly name: string
  readonly fault: FaultName
  readonly options?: ResourceOptions
  readonly args?: readonly string[]
  /** `whole`, or the symbol and the context of the error. */
  readonly ends: string
  /** Requests for the URL; 1 when absent. */
  readonly requests?: number
}

const INVALID = 'BG_E_INVALID_SERVER_RESPONSE REMOTE_FILE'
const BROKEN_OFF = 'ERROR_WINHTTP_CONNECTION_ERROR REMOTE_FILE'
const RESET = 'ERROR_WINHTTP_CONNECTION_ERROR GENERAL_TRANSPORT'
const STALLED = 'ERROR_WINHTTP_TIMEOUT GENERAL_TRANSPORT'
const HEAD_TOO_LONG = 'ERROR_WINHTTP_HEADER_SIZE_OVERFLOW REMOTE_FILE'
const impatient = ['--stall-timeout', '1s']
const megabyte = 1_000_000

const bodies: readonly Row[] = [
  { name: 'a good answer', fault: 'good', options: { size: megabyte }, ends: 'whole' },
  { name: 'an empty file', fault: 'good', options: { size: 0 }, ends: 'whole' },
  { name: 'a file of one byte', fault: 'good', options: { size: 1 }, ends: 'whole' },
  { name: 'a body that ends early', fault: 'cut', ends: BROKEN_OFF },
  {
    name: 'a body without its last byte',
    fault: 'cut',
    options: { after: 99_999 },
    ends: BROKEN_OFF,
  },
  { name: 'a body of which nothing comes', fault: 'cut', options: { after: 0 }, ends: BROKEN_OFF },
  { name: 'a body cut by a reset', fault: 'cut', options: { how: 'reset' }, ends: RESET },
  {
    name: 'a body that stops coming',
    fault: 'cut',
    options: { how: 'hang' },
    args: impatient,
    ends: STALLED,
  },
  { name: 'a body longer than promised', fault: 'surplus', ends: 'whole' },
  {
    name: 'a body longer than promised, by another answer',
    fault: 'surplus',
    options: { forged: 'yes' },
    ends: 'whole',
  },
  { name: 'two lengths that differ', fault: 'two-lengths', ends: INVALID },
  { name: 'one length said twice', fault: 'two-lengths', options: { second: 0 }, ends: 'whole' },
  { name: 'a negative length', fault: 'length-says', ends: INVALID },
  {
    name: 'a length with a plus',
    fault: 'length-says',
    options: { says: '+100000' },
    ends: INVALID,
  },
  {
    name: 'a length in hexadecimal',
    fault: 'length-says',
    options: { says: '0x186A0' },
    ends: INVALID,
  },
  {
    name: 'an absurd length',
    fault: 'length-says',
    options: { says: '9'.repeat(30) },
    ends: INVALID,
  },
  { name: 'an empty length', fault: 'length-says', options: { says: '' }, ends: INVALID },
  { name: 'chunks', fault: 'chunked', options: { size: megabyte }, ends: 'whole' },
  { name: 'chunks of an empty file', fault: 'chunked', options: { size: 0 }, ends: 'whole' },
  { name: 'chunks and a length', fault: 'chunked', options: { length: 'too' }, ends: INVALID },
  {
    name: 'chunks within gzip',
    fault: 'chunked',
    options: { coding: 'gzip, chunked' },
    ends: INVALID,
  },
  {
    name: 'chunks that are not last',
    fault: 'chunked',
    options: { coding: 'chunked, gzip' },
    ends: INVALID,
  },
  {
    name: 'chunks under another name',
    fault: 'chunked',
    options: { coding: 'xchunked' },
    ends: INVALID,
  },
  { name: 'chunks without an end', fault: 'chunked-unended', ends: BROKEN_OFF },
  {
    name: 'chunks cut by a reset',
    fault: 'chunked-unended',
    options: { how: 'reset' },
    ends: RESET,
  },
  { name: 'chunks cut within one', fault: 'chunked-cut', ends: BROKEN_OFF },
  { name: 'garbage between chunks', fault: 'chunked-garbage', ends: INVALID },
  {
    name: 'a chunk of negative size',
    fault: 'chunked-garbage',
    options: { line: '-1' },
    ends: INVALID,
  },
  {
    name: 'a chunk of absurd size',
    fault: 'chunked-garbage',
    options: { line: 'f'.repeat(40) },
    ends: 'ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW REMOTE_FILE',
  },
  {
    name: 'a chunk extension without an end',
    fault: 'chunked-garbage',
    options: { line: '5;x', flood: 8000 },
    ends: 'ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW REMOTE_FILE',
  },
  {
    name: 'chunks with a trailer',
    fault: 'chunked',
    options: { trailer: 'X-More: yes' },
    ends: 'whole',
  },
  {
    name: 'a trailer without an end',
    fault: 'chunked',
    options: { trailer: 'X-More: ', flood: 100_000 },
    ends: HEAD_TOO_LONG,
  },
  { name: 'a body that ends with its connection', fault: 'close-delimited', ends: 'whole' },
  {
    name: 'HTTP/1.1 without any length',
    fault: 'close-delimited',
    options: { version: 'HTTP/1.1' },
    ends: 'whole',
  },
  {
    name: 'a body that ends with a reset',
    fault: 'close-delimited',
    options: { how: 'reset', after: 50_000 },
    ends: RESET,
  },
  {
    name: 'a body without a length that stops coming',
    fault: 'close-delimited',
    options: { how: 'hang' },
    args: impatient,
    ends: STALLED,
  },
  { name: 'gzip that nobody asked for', fault: 'coded', ends: INVALID },
  { name: 'a coding nobody knows', fault: 'coded', options: { coding: 'x-lab' }, ends: INVALID },
  { name: 'the coding identity', fault: 'coded', options: { coding: 'identity' }, ends: 'whole' },
  { name: 'a connection closed after the answer', fault: 'closes', ends: 'whole' },
  { name: 'a body in drops', fault: 'drip', options: { size: 20_000, piece: 500 }, ends: 'whole' },
]

const heads: readonly Row[] = [
  {
    name: 'thousands of fields',
    fault: 'many-fields',
    ends: 'ERROR_WINHTTP_HEADER_COUNT_EXCEEDED REMOTE_FILE',
  },
  { name: 'one field of a megabyte', fault: 'long-field', ends: HEAD_TOO_LONG },
  { name: 'fields without an end', fault: 'endless-head', ends: HEAD_TOO_LONG },
  {
    name: 'one field without an end',
    fault: 'endless-head',
    options: { one: 'yes' },
    ends: HEAD_TOO_LONG,
  },
  { name: 'a field without a colon', fault: 'head-line', ends: INVALID },
  { name: 'a field with NUL', fault: 'head-line', options: { line: 'X-Nul: a\0b' }, ends: INVALID },
  { name: 'a name with NUL', fault: 'head-line', options: { line: 'X\0Nul: a' }, ends: INVALID },
  {
    name: 'a folded field',
    fault: 'head-line',
    options: { line: 'X-Fold: a\r\n b' },
    ends: INVALID,
  },
  {
    name: 'white space before the colon',
    fault: 'head-line',
    options: { line: 'Content-Length : 5' },
    ends: INVALID,
  },
  { name: 'a bare CR', fault: 'head-line', options: { line: 'X-Cr: a\rb' }, ends: INVALID },
  { name: 'another protocol', fault: 'garbage', ends: INVALID },
  {
    name: 'a page without a head',
    fault: 'garbage',
    options: { text: '<html>Welcome</html>' },
    ends: INVALID,
  },
  { name: 'noise', fault: 'noise', ends: INVALID },
  { name: 'HTTP/2 unasked', fault: 'status-line', options: { line: 'HTTP/2 200' }, ends: INVALID },
  { name: 'a status of two digits', fault: 'status-line', ends: INVALID },
  {
    name: 'a status of 99',
    fault: 'status-line',
    options: { line: 'HTTP/1.1 099 Lab' },
    ends: INVALID,
  },
  {
    name: 'a status line without a reason',
    fault: 'status-line',
    options: { line: 'HTTP/1.1 200' },
    ends: 'whole',
  },
  { name: 'no answer', fault: 'no-answer', ends: RESET, requests: 1 },
  {
    name: 'a reset instead of an answer',
    fault: 'no-answer',
    options: { how: 'reset' },
    ends: RESET,
  },
  {
    name: 'a head cut short',
    fault: 'garbage',
    options: { text: 'HTTP/1.1 200 Lab\r\nCon' },
    ends: BROKEN_OFF,
  },
  { name: 'no byte at all', fault: 'stalled-head', args: impatient, ends: STALLED },
  {
    name: 'a head that stops coming',
    fault: 'stalled-head',
    options: { after: 20 },
    args: impatient,
    ends: STALLED,
  },
  { name: 'early hints', fault: 'interim', ends: 'whole' },
  { name: 'several early hints', fault: 'interim', options: { count: 5 }, ends: 'whole' },
  { name: 'early hints without an end', fault: 'interim', options: { count: 1000 }, ends: INVALID },
  {
    name: '101 unasked',
    fault: 'interim',
    options: { status: 101 },
    ends: 'BG_E_HTTP_ERROR_101 REMOTE_FILE',
  },
]

const parts: readonly Row[] = [
  { name: 'the whole file as a part', fault: 'part-unasked', ends: INVALID },
  {
    name: 'half the file as a part',
    fault: 'part-unasked',
    options: { part: 'half' },
    ends: INVALID,
  },
  { name: 'several parts in one body', fault: 'multipart', ends: INVALID },
]

const statuses: readonly Row[] = [
  ...[204, 205, 304].map(unwanted),
  ...[400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 416, 417].map(
    unwanted,
  ),
  ...[421, 425, 429, 431, 451].map(unwanted),
  ...[500, 501, 502, 503, 504, 505, 507, 511].map(unwanted),
  {
    name: 'a status that nobody knows',
    fault: 'status',
    options: { code: 299 },
    ends: 'BG_E_HTTP_ERROR_299 REMOTE_FILE',
  },
  {
    name: '203 with the file',
    fault: 'status-line',
    options: { line: 'HTTP/1.1 203 Lab' },
    ends: 'whole',
  },
]

function unwanted(code: number): Row {
  const ends = `BG_E_HTTP_ERROR_${code} REMOTE_FILE`
  return { name: `status ${code}`, fault: 'status', options: { code }, ends }
}

const redirects: readonly Row[] = [
  {
    name: 'a redirect to itself',
    fault: 'redirect-loop',
    ends: 'ERROR_WINHTTP_REDIRECT_FAILED REMOTE_FILE',
  },
  { name: 'ten redirects', fault: 'redirect-chain', options: { hops: 10 }, ends: 'whole' },
  {
    name: 'more redirects than anybody needs',
    fault: 'redirect-chain',
    options: { hops: 1000 },
    ends: 'ERROR_WINHTTP_REDIRECT_FAILED REMOTE_FILE',
  },
  ...['file:///etc/passwd', 'ftp://127.0.0.1/x', 'data:,x', 'javascript:1'].map(leading),
  { name: 'a redirect to nowhere', fault: 'redirect', ends: INVALID },
  {
    name: 'a redirect to what is no URL',
    fault: 'redirect',
    options: { to: 'http://[' },
    ends: INVALID,
  },
]

function leading(to: string): Row {
  const ends = 'ERROR_WINHTTP_REDIRECT_FAILED REMOTE_FILE'
  return { name: `a redirect to ${to}`, fault: 'redirect', options: { to }, ends }
}

const home = new LullHome()
after(() => home[Symbol.asyncDispose]())

const tables = { bodies, heads, parts, statuses, redirects }
for (const [title, rows] of Object.entries(tables)) {
  suite(title, { concurrency: 4 }, () => {
    for (const row of rows) {
      test(`lull get meets ${row.name} and ends with ${row.ends}`, () => check(row))
    }
  })
}

let folders = 0

async function check({ fault, options = {}, args = [], ends, requests = 1 }: Row): Promise<void> {
  const folder = home.path(`case-${folders++}`)
  mkdirSync(folder)
  const target = join(folder, 'file')
  // A server of its own: a connection that was good before would excuse a request too many.
  await using server = await FaultServer.start()
  const url = server.url(fault, options)
  const patience = ['--no-progress-timeout', '0', '--priority', 'foreground', '--quiet']
  const { status, lastLine } = await home.run(['get', url, '-o', target, ...patience, ...args])
  assert.equal(server.requests(url).length, requests)
  if (ends === 'whole') {
    assert.equal(status, 0, lastLine)
    assert.equal(lastLine, '')
    assertWhole(target, server.resource(url))
  } else {
    const { symbol, context, sentence } = parseLastLine(lastLine)
    assert.equal(`${symbol} ${context}`, ends, sentence)
    assert.equal(status, 1)
    await cancelJobFor(target)
  }
  assert.deepEqual(readdirSync(folder), ends === 'whole' ? ['file'] : [])
}

/** Ends the job that stays in the queue after its failure, which deletes what is partial. */
async function cancelJobFor(target: string): Promise<void> {
  const manager = await home.manager()
  for (const job of await home.jobs()) {
    const found = await manager.getJob(job.id)
    for await (const { localName } of found.enumFiles()) {
      if (localName === target) await found.cancel()
    }
  }
}
