/** What a client says about a service that does not answer. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { socketTransport } from './socket-transport.ts'
import { UnreachableError } from './unreachable.ts'

const skip = process.platform === 'win32' && 'pipes have other names there'

test('a service that dies with a call in its hands is told as that', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lull-client-'))
  const socketPath = join(folder, 'lull.sock')
  const server = createServer((connection) => connection.once('data', () => connection.destroy()))
  try {
    server.listen(socketPath)
    await once(server, 'listening')
    await assert.rejects(
      socketTransport(socketPath).post('{}'),
      (error) =>
        error instanceof UnreachableError &&
        error.message.endsWith('it ended before it had answered'),
    )
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
})

test(
  'a call that a service was too late to take is made again, when the next one is waited for',
  { skip },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lull-client-'))
    const socketPath = join(folder, 'lull.sock')
    const calls: string[] = []
    const server = createHttpServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => calls.push(text))
      // The first to be asked is about to end.
      request.on('end', () => response.writeHead(calls.length === 1 ? 503 : 200).end('answered'))
    })
    try {
      server.listen(socketPath)
      await once(server, 'listening')
      assert.equal(
        await socketTransport(socketPath, { awayLimitMs: 60_000 }).post('{}'),
        'answered',
      )
      assert.deepEqual(calls, ['{}', '{}'])
      calls.length = 0
      await assert.rejects(socketTransport(socketPath).post('{}'), UnreachableError)
      assert.deepEqual(calls, ['{}'])
    } finally {
      server.close()
      rmSync(folder, { recursive: true })
    }
  },
)
