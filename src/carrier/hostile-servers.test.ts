import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { encodeCredentials } from '../auth/credential-record.ts'
import { Secret } from '../auth/secret.ts'
import { noMechanisms } from '../auth/world.suite.ts'
import { countBytes } from '../base/byte-range.ts'
import type { FileOrder, FileProgress } from '../engine/order.ts'
import { temporaryFolder } from '../files/disks.suite.ts'
import { SyncGroup } from '../files/sync-group.ts'
import { TargetChecks } from '../files/target.ts'
import { DistrustError } from '../http/failure.ts'
import { identityWith, pair } from '../http/guarded.suite.ts'
import { answer, hostile } from '../http/hostile.suite.ts'
import { makeClient } from '../http/servers.suite.ts'
import { directRoute, type Routes } from '../job/route.ts'
import { FileTransfer, type TransferContext } from './file-transfer.ts'
import { systemClock } from './system-clock.ts'
import { Turn } from './turn.ts'

const transfer = {
  headers: [],
  redirects: { follow: 'report', allowHttpsToHttp: false },
  overwrite: true,
  contentDisposition: false,
} as const

const straight: Routes = { find: () => directRoute, failed: () => undefined }

function context(t: TestContext, more: Partial<TransferContext>): TransferContext {
  const { signal } = new AbortController()
  const { headers, redirects } = transfer
  const party = { party: 'a job', connections: 1, stallTimeoutMs: 10_000, signal }
  return {
    http: makeClient(t),
    asking: { method: 'GET', headers, redirects, routes: straight, ...party },
    targets: new TargetChecks(),
    identityOf: () => undefined,
    clock: systemClock,
    transfer,
    signal,
    restart: () => Promise.resolve(),
    connected: () => undefined,
    sized: () => undefined,
    received: () => undefined,
    done: () => undefined,
    broke: (_, error) => {
      throw error
    },
    ...more,
  }
}

function order(folder: string, remoteName: string, ordinal = 0): FileOrder {
  return {
    ordinal,
    remoteName,
    localName: join(folder, `file ${ordinal}`),
    partialName: join(folder, `partial ${ordinal}`),
    digests: [],
    ranges: [],
    tagRestarts: 0,
  }
}

test('where a redirect has led is not asked as the origin that the job has named (A380)', async (t) => {
  const folder = temporaryFolder(t)
  const tag = 'ETag: "v"'
  let parts = 0
  const elsewhere = await hostile(t, () => {
    // A part that ends early: the transfer goes on behind it.
    const start = 2 * ++parts
    const range = `Content-Range: bytes ${start}-${start + 1}/8`
    return parts === 2
      ? { say: answer(401, ['WWW-Authenticate: Basic realm="give"']) }
      : { say: answer(206, [tag, range], 'xx') }
  })
  const named = await hostile(t, ({ fields }) =>
    fields.has('range')
      ? { say: answer(302, [`Location: ${elsewhere.url}/there`]) }
      : { say: `HTTP/1.1 200 OK\r\n${tag}\r\nContent-Length: 8\r\n\r\nxx`, end: 'close' },
  )
  const identity = identityWith(t, [pair('basic')])
  const terms = context(t, { identityOf: () => identity })
  const first = new FileTransfer(order(folder, `${named.url}/f`), terms)
  await assert.rejects(first.run())
  const { ranges, version, size } = first.promise()
  first.close()
  assert.equal(countBytes(ranges), 2)
  assert(version !== undefined && size !== undefined)
  const again = { ...order(folder, `${named.url}/f`), ranges, version, size }
  const second = new FileTransfer(again, terms)
  await assert.rejects(second.run(), /401/u)
  second.close()
  assert(elsewhere.heard.length > 1)
  for (const { fields } of elsewhere.heard) assert.equal(fields.get('authorization'), undefined)
})

test('a digest that was told counts also where it turns out later that no byte is missing', async (t) => {
  const folder = temporaryFolder(t)
  const tag = 'ETag: "v"'
  const digest = `Repr-Digest: sha-256=:${'A'.repeat(43)}=:`
  const server = await hostile(t, ({ fields }) =>
    fields.has('range')
      ? { say: answer(416, [tag, 'Content-Range: bytes */2']) }
      : {
          say: `HTTP/1.1 200 OK\r\n${tag}\r\n${digest}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n`,
          end: 'close',
        },
  )
  const first = new FileTransfer(order(folder, server.url), context(t, {}))
  await assert.rejects(first.run())
  const { ranges, version } = first.promise()
  first.close()
  assert.equal(countBytes(ranges), 2)
  assert(version !== undefined)
  const second = new FileTransfer({ ...order(folder, server.url), ranges, version }, context(t, {}))
  await assert.rejects(second.run(), { code: 'BG_E_VALIDATION_FAILED' })
  second.close()
})

test('a digest that came behind the body counts also where nobody had the time to hold it against the file', async (t) => {
  const folder = temporaryFolder(t)
  const trailer = `Repr-Digest: sha-256=:${'A'.repeat(43)}=:`
  const server = await hostile(t, () => ({
    say: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n${trailer}\r\n\r\n`,
  }))
  const suspended = new AbortController()
  const { signal } = suspended
  const received = (): void => suspended.abort()
  const first = new FileTransfer(order(folder, server.url), context(t, { signal, received }))
  await assert.rejects(first.run(), { name: 'AbortError' })
  const { ranges, size, version } = first.promise()
  first.close()
  assert.deepEqual([countBytes(ranges), size], [2, 2])
  assert(size !== undefined && version !== undefined)
  const again = { ...order(folder, server.url), ranges, size, version }
  const second = new FileTransfer(again, context(t, {}))
  await assert.rejects(second.run(), { code: 'BG_E_VALIDATION_FAILED' })
  second.close()
})

test('the strongest digest counts that was told with any part of a file', async (t) => {
  const folder = temporaryFolder(t)
  const tag = 'ETag: "v"'
  const strong = `Repr-Digest: sha-256=:${'A'.repeat(43)}=:`
  const weak = `Digest: MD5=${createHash('md5').update('xxyy').digest('base64')}`
  const server = await hostile(t, ({ fields }) =>
    fields.has('range')
      ? { say: answer(206, [tag, weak, 'Content-Range: bytes 2-3/4'], 'yy') }
      : {
          say: `HTTP/1.1 200 OK\r\n${tag}\r\n${strong}\r\nContent-Length: 4\r\n\r\nxx`,
          end: 'close',
        },
  )
  const first = new FileTransfer(order(folder, server.url), context(t, {}))
  await assert.rejects(first.run())
  const { ranges, version, size } = first.promise()
  first.close()
  assert(version !== undefined && size !== undefined)
  const again = { ...order(folder, server.url), ranges, version, size }
  const second = new FileTransfer(again, context(t, {}))
  await assert.rejects(second.run(), { code: 'BG_E_VALIDATION_FAILED' })
  second.close()
})

test('of a server that did not prove itself no byte is promised, whenever a checkpoint is made', async (t) => {
  const folder = temporaryFolder(t)
  const forged = `Authentication-Info: rspauth="${'0'.repeat(32)}"`
  const server = await hostile(t, ({ fields }) =>
    fields.has('authorization')
      ? { say: `HTTP/1.1 200 OK\r\nETag: "v"\r\n${forged}\r\nContent-Length: 99\r\n\r\nforged` }
      : { say: answer(401, ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']) },
  )
  const identity = identityWith(t, [pair('digest')])
  const promises: Promise<FileProgress>[] = []
  const file = new FileTransfer(
    order(folder, server.url),
    context(t, {
      identityOf: () => identity,
      received: () => {
        file.flush()
        promises.push(file.sync())
      },
      restart: async () => {
        promises.push(file.sync())
        await Promise.resolve()
      },
    }),
  )
  await assert.rejects(file.run(), DistrustError)
  promises.push(file.sync())
  assert.equal(promises.length, 3)
  for (const { ranges } of await Promise.all(promises)) assert.deepEqual(ranges, [])
  file.close()
})

test('a proxy that does not prove itself on CONNECT costs no byte that came before (A222)', async (t) => {
  const folder = temporaryFolder(t)
  const forged = `Proxy-Authentication-Info: rspauth="${'0'.repeat(32)}"`
  const proxy = await hostile(t, ({ fields }) =>
    fields.has('proxy-authorization')
      ? { say: `HTTP/1.1 200 OK\r\n${forged}\r\n\r\n` }
      : { say: answer(407, ['Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"']) },
  )
  const hop = { scheme: 'http', host: '127.0.0.1', port: proxy.port } as const
  const identity = identityWith(t, [pair('digest', 'proxy')])
  const server = await hostile(t, () => ({
    say: 'HTTP/1.1 200 OK\r\nETag: "v"\r\nContent-Length: 8\r\n\r\nxx',
    end: 'close',
  }))
  const first = new FileTransfer(order(folder, server.url), context(t, {}))
  await assert.rejects(first.run())
  const { ranges, version, size } = first.promise()
  first.close()
  assert(version !== undefined && size !== undefined)
  const restarts: string[] = []
  const routes: Routes = { find: () => [hop], failed: () => undefined }
  const second = new FileTransfer(
    { ...order(folder, 'https://server.invalid/f'), ranges, version, size },
    context(t, {
      identityOf: () => identity,
      asking: { ...context(t, {}).asking, routes },
      restart: async (_, reason) => void restarts.push(reason),
    }),
  )
  await assert.rejects(second.run(), /Cannot trust the answer of .*127\.0\.0\.1/u)
  assert.deepEqual(restarts, [])
  assert.deepEqual([countBytes(second.promise().ranges), second.promise().version], [2, version])
  second.close()
})

test('names and passwords of files whose turn did not come are wiped with it', async (t) => {
  const folder = temporaryFolder(t)
  const asked = Promise.withResolvers<void>()
  const server = await hostile(t, () => {
    asked.resolve()
    return { say: '' }
  })
  const records = Array.from({ length: 4 }, () =>
    encodeCredentials({
      kind: 'password',
      userName: 'ann',
      password: Secret.fromText('pas'),
    }),
  )
  const turn = new Turn(
    {
      kind: 'fetch',
      job: 'a job',
      turn: 1,
      transfer,
      stallTimeoutMs: 10_000,
      connections: 1,
      checkpoint: { everyMs: 1000, bytes: 1000 },
      files: [],
    },
    {
      http: makeClient(t),
      mechanisms: noMechanisms,
      strictCertificates: false,
      routes: () => straight,
      clock: systemClock,
      syncs: new SyncGroup(),
      report: () => undefined,
    },
  )
  turn.add(
    records.slice(0, 3).map((urlCredentials, place) => ({
      ...order(folder, `${server.url}/${place}`, place),
      urlCredentials,
    })),
  )
  await asked.promise
  turn.stop()
  await turn.over
  turn.add(
    records.slice(3).map((urlCredentials) => ({ ...order(folder, server.url, 3), urlCredentials })),
  )
  for (const record of records) assert(record.every((octet) => octet === 0))
})
