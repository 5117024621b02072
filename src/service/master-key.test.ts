import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { currentWorld, findHome } from '../client/home.ts'
import { RefusedError, RpcClient } from '../rpc/client.ts'
import { compose } from './compose.ts'
import { embedTransport } from './embed-transport.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-master-key-'))
after(() => rmSync(folder, { recursive: true }))

const home = findHome({ ...currentWorld(), env: { LULL_HOME: folder } })
const keyFile = join(folder, 'master.key')

/** Does something with a service that begins and ends with it. */
async function withService<T>(work: (client: RpcClient) => Promise<T>): Promise<T> {
  const service = compose(home, { stopRequested: () => undefined })
  try {
    return await work(new RpcClient(embedTransport(service, new AbortController().signal)))
  } finally {
    await service.stop()
  }
}

const pair = {
  target: 'server',
  scheme: 'basic',
  credentials: { userName: 'ann', password: 'hunter2' },
} as const

/** A file that nobody serves: whether its job gets a turn is all that matters. */
function file(name: string) {
  return { remoteName: `http://127.0.0.1:9/${name}`, localName: join(folder, name) }
}

test(
  'a master key that others can read, and one that is gone, cost credentials and nothing else',
  { skip: process.platform === 'win32' ? 'there are no modes' : false },
  async () => {
    const id = await withService(async (client) => {
      const request = {
        displayName: 'x',
        // Waits for no other job.
        priority: 'foreground',
        files: [file('a')],
        credentials: [pair],
      } as const
      const { masterKey } = await client.call('service.status', {})
      assert.deepEqual(masterKey, { state: 'ready', reason: null })
      return (await client.call('job.create', request)).id
    })
    assert.equal(statSync(keyFile).mode & 0o777, 0o600)

    chmodSync(keyFile, 0o644)
    await withService(async (client) => {
      const { masterKey } = await client.call('service.status', {})
      assert.equal(masterKey.state, 'unavailable')
      assert.match(masterKey.reason ?? '', /its mode 0644 lets others at it/u)
      await client.call('job.resume', { id })
      const { state, error } = await client.call('job.get', { id })
      assert.equal(state, 'ERROR')
      assert.equal(error?.symbol, 'BG_E_INVALID_CREDENTIALS')
      assert.match(error?.message ?? '', /master\.key: its mode 0644 lets others at it/u)
      const setting = client.call('job.setCredentials', { id, ...pair })
      await assert.rejects(setting, (refusal) => {
        return refusal instanceof RefusedError && refusal.code === 'ERR_VAULT_KEY_REFUSED'
      })
      const other = await client.call('job.create', {
        displayName: 'y',
        files: [file('b')],
        resume: true,
      })
      assert.notEqual((await client.call('job.get', { id: other.id })).state, 'ERROR')
    })
    assert.match(readFileSync(home.log, 'utf8'), /Credentials cannot be used/u)

    rmSync(keyFile)
    await withService(async (client) => {
      const { masterKey } = await client.call('service.status', {})
      const reason = 'The key that a secret of the queue was sealed with is not there'
      assert.deepEqual(masterKey, { state: 'lost', reason })
      await client.call('job.resume', { id })
      const { error } = await client.call('job.get', { id })
      assert.match(error?.message ?? '', /for basic: the master key .* is lost; set it again/u)
      await client.call('job.setCredentials', { id, ...pair })
      await client.call('job.resume', { id })
      assert.notEqual((await client.call('job.get', { id })).state, 'ERROR')
      assert.deepEqual(await client.call('vault.rotate', {}), { resealed: 1, lost: 0 })
    })
  },
)
