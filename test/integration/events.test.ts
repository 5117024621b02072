/** What a stream of events promises about its kinds: a change is a change, and bytes alone are progress. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { BackgroundCopyManager, JobEventView, JobView } from 'lull'
import { LullHome } from '../lab/lull.ts'

const PIECE = Buffer.alloc(20_000, 'x')
const PIECES = 12

/** Sends a piece for every event that is heard, and so as slowly as the watcher hears of it. */
class HeardOrigin implements AsyncDisposable {
  #response: ServerResponse | undefined
  #sent = 0
  readonly #server = createServer((_, response) => {
    this.#response = response
    response.writeHead(200, { etag: '"heard"', 'content-length': PIECES * PIECE.length })
    this.heard()
  })

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    // A server that listens on TCP has a port.
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/x`
  }

  heard(): void {
    if (this.#response === undefined || this.#sent === PIECES) return
    this.#sent += 1
    this.#response.write(PIECE)
    if (this.#sent === PIECES) this.#response.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** What stays of a job when bytes alone move. */
function withoutBytes(job: JobView): unknown {
  return { ...job, bytesTransferred: 0 }
}

test('a watcher is told of bytes alone as progress, and of every change as a job', async () => {
  await using home = new LullHome()
  await using origin = new HeardOrigin()
  const url = await origin.start()
  const manager: BackgroundCopyManager = await home.manager()
  const job = await manager.createJob('heard', { completesItself: true, priority: 'foreground' })
  await job.addFile(url, home.path('heard'))
  const heard: Exclude<JobEventView, { kind: 'gone' }>[] = []
  for await (const event of job.watch()) {
    if (event.kind === 'gone') break
    if (heard.length === 0) await job.resume()
    heard.push(event)
    origin.heard()
  }
  assert.equal(heard.at(-1)?.job.state, 'ACKNOWLEDGED')
  assert(heard.some(({ kind }) => kind === 'progress'))
  for (const [index, { kind, job: now }] of heard.entries()) {
    const before = heard[index - 1]?.job
    if (before === undefined) continue
    if (kind === 'job') assert.notDeepEqual(withoutBytes(now), withoutBytes(before))
    else assert.equal(now.state, 'TRANSFERRING')
  }
})
