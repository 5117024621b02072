/**
 * Every way in which the answer to the request for the rest of a file can be wrong or another than expected: the file
 * is never a mixture, and no server makes Lull ask for ever.
 */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { assertWhole } from '../lab/expect.ts'
import { FaultServer, type FaultName } from '../lab/fault-server.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const CUT = 40_000

/** One way, and what becomes of it. */
interface Row {
  readonly name: string
  readonly fault: FaultName
  readonly options?: ResourceOptions
  /** The last segment of its URL, where that matters. */
  readonly file?: string
  /** `whole`, or the symbol and the context of the error. */
  readonly ends?: string
  /** Where each request begins, in bytes; and whether it names a version: `tag`, `date`. */
  readonly asks: readonly string[]
}

const INVALID = 'BG_E_INVALID_SERVER_RESPONSE REMOTE_FILE'
const REST_BY_TAG = `${CUT} tag`
const REST_BY_DATE = `${CUT} date`

const validators: readonly Row[] = [
  { name: 'a strong tag', fault: 'good', asks: ['0', REST_BY_TAG] },
  {
    name: 'a strong tag without a date',
    fault: 'good',
    options: { date: 'no', modified: 'none' },
    asks: ['0', REST_BY_TAG],
  },
  {
    name: 'an old Last-Modified',
    fault: 'good',
    options: { etag: 'none' },
    asks: ['0', REST_BY_DATE],
  },
  {
    name: 'a weak tag and an old Last-Modified',
    fault: 'good',
    options: { etag: 'weak' },
    asks: ['0', REST_BY_DATE],
  },
  {
    name: 'a tag without quotes and an old Last-Modified',
    fault: 'good',
    options: { etag: 'bare' },
    asks: ['0', REST_BY_DATE],
  },
  {
    name: 'a weak tag alone',
    fault: 'good',
    options: { etag: 'weak', modified: 'none' },
    asks: ['0', '0'],
  },
  {
    name: 'a Last-Modified of just now',
    fault: 'good',
    options: { etag: 'none', modified: 'fresh' },
    asks: ['0', '0'],
  },
  {
    name: 'a Last-Modified without a Date',
    fault: 'good',
    options: { etag: 'none', date: 'no' },
    asks: ['0', '0'],
  },
  {
    name: 'no validator',
    fault: 'good',
    options: { etag: 'none', modified: 'none' },
    asks: ['0', '0'],
  },
]

const changes: readonly Row[] = [
  {
    name: 'another version with another tag',
    fault: 'good',
    options: { changes: 1 },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'another version with another Last-Modified',
    fault: 'good',
    options: { changes: 1, etag: 'none' },
    asks: ['0', REST_BY_DATE, '0'],
  },
  {
    name: 'another version that nothing tells of',
    fault: 'good',
    options: { changes: 1, etag: 'none', modified: 'none' },
    asks: ['0', '0'],
  },
  {
    name: 'another version, from a server that ignores If-Range',
    fault: 'good',
    options: { ignores: 'conditions', changes: 1 },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'another version with the same tag, from a server that ignores If-Range',
    fault: 'good',
    options: { ignores: 'conditions', changes: 1, tells: 'modified' },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'another version at every answer, cut off three times',
    fault: 'good',
    options: { changes: 100, cuts: 5 },
    // 1 cut; 2 other version, 3 cut; 4 other version, 5 cut; 6 other version, 7 whole.
    asks: ['0', REST_BY_TAG, '0', REST_BY_TAG, '0', REST_BY_TAG, '0'],
  },
]

const others: readonly Row[] = [
  {
    name: 'the whole file instead of the rest',
    fault: 'good',
    options: { ignores: 'ranges' },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'the whole file instead of the rest, without validators',
    fault: 'good',
    options: { ignores: 'ranges', etag: 'none', modified: 'none' },
    asks: ['0', '0'],
  },
  {
    name: 'the whole file instead of the rest, cut off again and again',
    fault: 'good',
    options: { ignores: 'ranges', cuts: 3 },
    // Each time it is asked for the rest and sends the whole file, of which the whole is asked for then.
    asks: ['0', REST_BY_TAG, '0', REST_BY_TAG, '0'],
  },
  {
    name: '416',
    fault: 'status',
    options: { code: 416, from: 2, times: 1 },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: '416 because nothing is missing',
    fault: 'chunked-unended',
    options: { cut: 0, times: 1 },
    asks: ['0', '100000 tag'],
  },
  {
    name: '416 because nothing is missing, without a validator',
    fault: 'chunked-unended',
    options: { cut: 0, times: 1, etag: 'none', modified: 'none' },
    asks: ['0', '0'],
  },
  {
    name: '416 because another version has fewer bytes',
    fault: 'chunked-unended',
    options: { cut: 0, times: 1, changes: 1, ignores: 'conditions' },
    asks: ['0', '100000 tag', '0'],
  },
  {
    name: '416 for ever',
    fault: 'status',
    options: { code: 416 },
    asks: ['0', REST_BY_TAG, '0'],
    ends: 'BG_E_HTTP_ERROR_416 REMOTE_FILE',
  },
  {
    name: '304, from a server that takes If-Range for something else',
    fault: 'status',
    options: { code: 304, from: 2, times: 1 },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: '304 for ever',
    fault: 'status',
    options: { code: 304 },
    asks: ['0', REST_BY_TAG, '0'],
    ends: 'BG_E_HTTP_ERROR_304 REMOTE_FILE',
  },
  { name: 'a part without a validator', fault: 'part-unproven', asks: ['0', REST_BY_TAG, '0'] },
  {
    name: 'a part that begins too late',
    fault: 'wrong-range',
    options: { shift: 10 },
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  {
    name: 'a part that begins too early',
    fault: 'wrong-range',
    options: { shift: -10 },
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  {
    name: 'a part of a longer file',
    fault: 'wrong-range',
    options: { grown: 10 },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'a part that ends behind the file',
    fault: 'wrong-range',
    options: { longer: 10 },
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  ...[
    'none',
    'bytes',
    'bytes 5',
    'bytes 9-5/100000',
    'items 40000-99999/100000',
    'bytes */100000',
  ].map((range): Row => ({
    name: `a part that calls itself ${range}`,
    fault: 'wrong-range',
    options: { range },
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  })),
  {
    name: 'several parts in one body',
    fault: 'multipart',
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  {
    name: 'several parts that are called one',
    fault: 'multipart',
    options: { range: 'too', from: 2 },
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  {
    name: 'a part in chunks that is longer than it says',
    fault: 'part-too-long',
    asks: ['0', REST_BY_TAG],
    ends: INVALID,
  },
  { name: 'a coded part', fault: 'coded', asks: ['0', REST_BY_TAG], ends: INVALID },
  {
    name: 'the coding that it is made in',
    fault: 'coded',
    file: 'file.tar.gz',
    asks: ['0', REST_BY_TAG],
  },
  {
    name: 'parts that are shorter than asked for',
    fault: 'less-than-asked',
    options: { part: 25_000 },
    asks: ['0', REST_BY_TAG, '65000 tag', '90000 tag'],
  },
  {
    name: 'short parts of a file of unknown length',
    fault: 'less-than-asked',
    options: { part: 25_000, total: '*' },
    asks: ['0', REST_BY_TAG, '65000 tag', '90000 tag'],
  },
  {
    name: 'a part in chunks',
    fault: 'chunked',
    asks: ['0', REST_BY_TAG],
  },
  {
    name: 'the rest behind a redirect',
    fault: 'redirect-chain',
    options: { hops: 0 },
    asks: ['0', REST_BY_TAG],
  },
]

const nodes: readonly Row[] = [
  {
    name: 'another tag from every node, cut off once',
    fault: 'good',
    options: { etag: 'edge' },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'another tag from every node, cut off again and again',
    fault: 'good',
    options: { etag: 'edge', cuts: 20 },
    // Twice from zero; then the tag is trusted no more.
    asks: ['0', REST_BY_TAG, '0', REST_BY_TAG, '0', REST_BY_DATE, '80000 date'],
  },
  {
    name: 'another tag from every node of a server that ignores If-Range',
    fault: 'good',
    options: { ignores: 'conditions', etag: 'edge' },
    asks: ['0', REST_BY_TAG, '0'],
  },
  {
    name: 'another tag from every node and nothing else, cut off twice',
    fault: 'good',
    options: { etag: 'edge', modified: 'none', cuts: 3 },
    asks: ['0', REST_BY_TAG, '0', REST_BY_TAG, '0'],
  },
]

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const tables = { validators, changes, others, nodes }
for (const [title, rows] of Object.entries(tables)) {
  suite(title, { concurrency: 4 }, () => {
    for (const row of rows) {
      test(`a file that was cut off meets ${row.name} and ends ${row.ends ?? 'whole'}`, () =>
        check(row))
    }
  })
}

let folders = 0

async function check({
  name,
  fault,
  options = {},
  file,
  ends = 'whole',
  asks,
}: Row): Promise<void> {
  const folder = home.path(`case-${folders++}`)
  mkdirSync(folder)
  const target = join(folder, 'file')
  const url = server.url(fault, { cut: CUT, ...options, row: folders }, file)
  const manager = await home.manager()
  const job = await manager.createJob(name, {
    files: [{ remoteName: url, localName: target }],
    priority: 'foreground',
    completesItself: true,
    resume: true,
  })
  const { state, error } = await settle(job, { nudges: 20 })
  assert.deepEqual(
    { ends: error === null ? 'whole' : `${error.symbol} ${error.context}`, asks: asked(url) },
    { ends, asks },
    error?.message,
  )
  if (ends === 'whole') assertWhole(target, server.resource(url))
  else await job.cancel()
  const { lastModified = '' } = server.resource(url).file(Date.now())
  if (ends === 'whole' && options.modified === undefined) {
    assert.equal(statSync(target).mtimeMs, Date.parse(lastModified))
  }
  assert.equal(state, ends === 'whole' ? 'ACKNOWLEDGED' : 'ERROR')
  assert.deepEqual(readdirSync(folder), ends === 'whole' ? ['file'] : [])
}

/** What the requests for a URL asked for. */
function asked(url: string): readonly string[] {
  return server.requests(url).map(({ headers }) => {
    const [, start = '0'] = /^bytes=(\d+)-$/u.exec(headers.get('range') ?? '') ?? []
    const condition = headers.get('if-range')
    if (condition === undefined) return start
    return `${start} ${condition.startsWith('"') ? 'tag' : 'date'}`
  })
}
