import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { connect, createServer, Socket } from 'node:net'
import type { ListenOptions } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { openElsewhere } from './elsewhere.ts'
import { peerCredentials } from './peer-credentials.ts'
import { scratchFolder } from './scratch.suite.ts'

const knows = process.platform === 'linux' || process.platform === 'darwin'
const skip = knows ? false : `${process.platform} is not asked for peers`
const asRoot = knows && process.getuid?.() === 0 ? false : 'only root becomes another user'

/** A user and group other than root's. */
const STRANGER = { uid: 12_345, gid: 54_321 }

/** Listens, has somebody connect, and gives the accepted end. */
async function accept(t: TestContext, options: ListenOptions, call: () => void): Promise<Socket> {
  const server = createServer().listen(options)
  t.after(() => server.close())
  await once(server, 'listening')
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve)
  })
  call()
  const socket = await accepted
  t.after(() => socket.destroy())
  return socket
}

test(
  'peerCredentials() of a process that connects to itself is that process (N125)',
  { skip },
  async (t) => {
    const path = join(scratchFolder(t), 'socket')
    const client = new Socket()
    t.after(() => client.destroy())
    const socket = await accept(t, { path }, () => client.connect(path))
    const self = { pid: process.pid, uid: process.geteuid?.(), gid: process.getegid?.() }
    assert.deepEqual(peerCredentials(socket), self)
    // The connecting end sees who listens.
    if (client.connecting) await once(client, 'connect')
    assert.deepEqual(peerCredentials(client), self)
  },
)

test(
  'peerCredentials() of another user has their user, group and process',
  { skip: asRoot },
  async (t) => {
    const folder = scratchFolder(t)
    chmodSync(folder, 0o755)
    const path = join(folder, 'socket')
    const program = `
    process.setgroups([]); process.setgid(${STRANGER.gid}); process.setuid(${STRANGER.uid})
    require('node:net').connect(${JSON.stringify(path)}).resume()`
    let pid: number | undefined
    const socket = await accept(t, { path, writableAll: true }, () => {
      const child = spawn(process.execPath, ['-e', program], { stdio: 'inherit' })
      t.after(() => child.kill())
      pid = child.pid
    })
    assert.deepEqual(peerCredentials(socket), { pid, ...STRANGER })
  },
)

test('peerCredentials() is undefined for a socket of the network', async (t) => {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const socket = connect(address.port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  assert.equal(peerCredentials(socket), undefined)
})

test('peerCredentials() is undefined once the socket is destroyed', { skip }, async (t) => {
  const path = join(scratchFolder(t), 'socket')
  const socket = await accept(t, { path }, () => connect(path).resume())
  socket.destroy()
  assert.equal(peerCredentials(socket), undefined)
})

test('peerCredentials() is undefined for a socket that never connected', () => {
  assert.equal(peerCredentials(new Socket()), undefined)
})

test('peerCredentials() is undefined where the system cannot tell', { skip }, async (t) => {
  const path = join(scratchFolder(t), 'socket')
  const socket = await accept(t, { path }, () => connect(path).resume())
  assert.equal(peerCredentials(socket, openElsewhere('a test')), undefined)
})
