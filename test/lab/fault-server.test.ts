/** The lab itself: what it calls right is right, as another client sees it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Content } from './content.ts'
import { FaultServer } from './fault-server.ts'

test('Content is the same from every offset, and another with every seed', () => {
  const content = new Content(7, 200_000)
  const whole = content.bytes()
  assert.equal(whole.length, 200_000)
  for (const [start, end] of [
    [0, 1],
    [65_535, 65_537],
    [131_072, 200_000],
  ] as const) {
    assert.deepEqual(Buffer.concat([...content.pieces(start, end)]), whole.subarray(start, end))
  }
  assert.notDeepEqual(new Content(8, 200_000).bytes(), whole)
  assert.notDeepEqual(whole.subarray(0, 65_536), whole.subarray(65_536, 131_072))
})

test('FaultServer answers fetch() with the whole file and its validators', async () => {
  await using server = await FaultServer.start()
  const url = server.url('good', { size: 300_000, seed: 3 })
  const response = await fetch(url)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('etag') ?? '', /^"/u)
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), server.resource(url).content.bytes())
  assert.equal(server.log.length, 1)
  assert.equal(server.log[0]?.sent, 300_000)
})

test('FaultServer sends a part only of the version that If-Range names', async () => {
  await using server = await FaultServer.start()
  const url = server.url('good', { size: 1000 })
  const first = await fetch(url)
  await first.arrayBuffer()
  const etag = first.headers.get('etag') ?? ''
  const modified = first.headers.get('last-modified') ?? ''
  const ask = async (condition: string): Promise<Response> => {
    const response = await fetch(url, { headers: { Range: 'bytes=990-', 'If-Range': condition } })
    await response.arrayBuffer()
    return response
  }
  const part = await ask(etag)
  assert.equal(part.status, 206)
  assert.equal(part.headers.get('content-range'), 'bytes 990-999/1000')
  assert.equal((await ask(modified)).status, 206)
  assert.equal((await ask('"other"')).status, 200)
  server.resource(url).change()
  assert.equal((await ask(etag)).status, 200)
  const missed = await fetch(url, { headers: { Range: 'bytes=1000-' } })
  assert.equal(missed.status, 416)
})

test('FaultServer does a fault as often as it is told, and then well', async () => {
  await using server = await FaultServer.start()
  const url = server.url('status', { code: 503, times: 2 })
  const statuses: number[] = []
  for (let at = 0; at < 3; at++) {
    const response = await fetch(url)
    await response.arrayBuffer()
    statuses.push(response.status)
  }
  assert.deepEqual(statuses, [503, 503, 200])
})

test('FaultServer cuts a body where it was told', async () => {
  await using server = await FaultServer.start()
  const url = server.url('cut', { size: 100_000, after: 40_000 })
  const response = await fetch(url)
  await assert.rejects(response.arrayBuffer())
  assert.equal(server.requests(url)[0]?.sent, 40_000)
})

test('FaultServer notices a client that goes away while nothing is sent', async () => {
  await using server = await FaultServer.start()
  const abort = new AbortController()
  const url = server.url('cut', { how: 'hang', after: 10 })
  const response = await fetch(url, { signal: abort.signal })
  abort.abort()
  await assert.rejects(response.arrayBuffer())
  assert.equal(server.requests(url)[0]?.isAnswered, false)
})
