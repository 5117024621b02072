/** What a client says about a service that does not answer. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { socketTransport, UnreachableError } from './socket-transport.ts'

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
