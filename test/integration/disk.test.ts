/** Disks that are full, folders that are not what they should be, names that somebody has: nothing is lost. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import type { BackgroundCopyJob } from 'lull'
import { assertWhole, parseLastLine } from '../lab/expect.ts'
import { FaultServer } from '../lab/fault-server.ts'
import { settle, waitState } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import { cannotMount, SmallDisk } from '../lab/small-disk.ts'
import type { ResourceOptions } from '../lab/situation.ts'

const MEBIBYTE = 1024 * 1024
const DISK = 8 * MEBIBYTE

const home = new LullHome()
const server = await FaultServer.start()
after(async () => {
  await home[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const full = { concurrency: true, skip: cannotMount } as const

suite('a full disk', full, () => {
  const rows: readonly {
    readonly name: string
    readonly fault: 'good' | 'chunked'
    readonly options: ResourceOptions
    readonly free: number
  }[] = [
    { name: 'before the first byte', fault: 'good', options: { size: 2 * MEBIBYTE }, free: 0 },
    {
      name: 'for a file whose length is known',
      fault: 'good',
      options: { size: 4 * MEBIBYTE },
      free: 2 * MEBIBYTE,
    },
    {
      name: 'in the middle of a file of unknown length',
      fault: 'chunked',
      options: { size: 4 * MEBIBYTE },
      free: 2 * MEBIBYTE,
    },
    { name: 'for a small file', fault: 'good', options: { size: 100_000 }, free: 20_000 },
  ]
  for (const { name, fault, options, free } of rows) {
    test(`a disk that is full ${name} is waited for, and the file is whole when there is room`, async () => {
      using disk = new SmallDisk(DISK)
      disk.fill(free)
      const url = server.url(fault, { ...options, row: name })
      const target = join(disk.folder, 'file')
      const job = await begin(url, target)
      const { error, waitingFor } = await waitState(job, 'TRANSIENT_ERROR')
      assert.equal(error?.symbol, 'ERROR_DISK_FULL')
      assert.equal(error?.context, 'LOCAL_FILE')
      assert.match(waitingFor ?? '', /^room on the disk: Cannot write .+file: the disk is full/u)
      assert.deepEqual(visible(disk.folder), ['filler'])
      disk.empty()
      await job.resume()
      assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
      assertWhole(target, server.resource(url))
      assert.deepEqual(readdirSync(disk.folder), ['file'])
    })
  }

  test('a job goes on by itself when there is room again', async () => {
    using disk = new SmallDisk(DISK)
    disk.fill(0)
    const url = server.url('good', { size: 3 * MEBIBYTE, row: 'by-itself' })
    const job = await begin(url, join(disk.folder, 'file'))
    await waitState(job, 'TRANSIENT_ERROR')
    disk.empty()
    assert.equal((await waitState(job, 'ACKNOWLEDGED')).errorCount, 0)
    assertWhole(join(disk.folder, 'file'), server.resource(url))
  })

  test('a job that waits for room can be cancelled, and nothing is left', async () => {
    using disk = new SmallDisk(DISK)
    disk.fill(MEBIBYTE)
    const url = server.url('chunked', { size: 4 * MEBIBYTE, row: 'cancelled' })
    const job = await begin(url, join(disk.folder, 'file'))
    await waitState(job, 'TRANSIENT_ERROR')
    assert.equal(await job.cancel(), 'S_OK')
    assert.deepEqual(readdirSync(disk.folder), ['filler'])
  })

  test('lull get says what it waits for and goes on when there is room', async () => {
    using disk = new SmallDisk(DISK)
    disk.fill(0)
    const url = server.url('good', { size: 3 * MEBIBYTE, row: 'command' })
    const child = home.start([
      'get',
      url,
      '-d',
      disk.folder,
      '-p',
      'foreground',
      '--name',
      'followed',
    ])
    let shown = ''
    for await (const piece of child.stderr ?? []) {
      shown += String(piece)
      if (/the disk is full/u.test(shown)) break
    }
    const job = (await home.jobs()).find(({ displayName }) => displayName === 'followed')
    assert(job !== undefined)
    const found = await (await home.manager()).getJob(job.id)
    disk.empty()
    assert.equal((await settle(found)).state, 'ACKNOWLEDGED')
    assertWhole(join(disk.folder, 'file'), server.resource(url))
  })
})

suite('a full disk of the queue', { skip: cannotMount }, () => {
  test('calls are refused with a sentence, and no job that was acknowledged is lost', async () => {
    using disk = new SmallDisk(2 * MEBIBYTE)
    await using cramped = new LullHome({ home: join(disk.folder, 'home') })
    const manager = await cramped.manager()
    const kept = await manager.createJob('kept')
    disk.fill(0)
    // Some of these still find room in pages that are there already.
    const acknowledged = new Set<string>([kept.id])
    let refusal: unknown
    for (let at = 0; at < 200 && refusal === undefined; at++) {
      try {
        const files = [{ remoteName: server.url('good'), localName: cramped.path(`file-${at}`) }]
        const job = await manager.createJob(`job ${at} ${'x'.repeat(200)}`, { files })
        acknowledged.add(job.id)
      } catch (error) {
        refusal = error
      }
    }
    assert(refusal instanceof Error, 'a full disk takes no jobs')
    assert.match(refusal.message, /disk|room|full/iu)
    const { status, lastLine } = await cramped.run([
      'get',
      server.url('good'),
      '-o',
      'x',
      '--detach',
    ])
    assert.notEqual(status, 0)
    assert.match(parseLastLine(lastLine).sentence, /disk|room|full/iu)
    assert.equal(parseLastLine(lastLine).symbol, 'ERROR_DISK_FULL')
    disk.empty()
    assert.notEqual((await manager.createJob('afterwards')).id, '')
    await cramped.killService()
    const after = new Set((await cramped.jobs()).map(({ id }) => id))
    for (const id of acknowledged) assert(after.has(id), `job ${id} is lost`)
  })

  test('a job whose progress cannot be written down goes on when there is room', async () => {
    using disk = new SmallDisk(2 * MEBIBYTE)
    await using cramped = new LullHome({ home: join(disk.folder, 'home') })
    const manager = await cramped.manager()
    const url = server.url('good', { size: MEBIBYTE, row: 'queue' })
    const target = cramped.path('file')
    const job = await manager.createJob('x', {
      files: [{ remoteName: url, localName: target }],
      completesItself: true,
    })
    disk.fill(0)
    await job.resume().catch(() => undefined)
    disk.empty()
    // Whatever the service did about the full disk, the job is there and can be done.
    const again = await (await cramped.manager()).getJob(job.id)
    if ((await again.getState()) !== 'ACKNOWLEDGED') await again.resume().catch(() => undefined)
    assert.equal((await settle(again, { nudges: 5 })).state, 'ACKNOWLEDGED')
    assertWhole(target, server.resource(url))
    assert.deepEqual(cramped.partials, [])
  })
})

suite('targets', () => {
  interface Row {
    readonly name: string
    /** Prepares a folder. @returns the target */
    readonly prepare: (folder: string) => string
    readonly args?: readonly string[]
    readonly ends: string
    readonly skip?: string | false
  }
  const rows: readonly Row[] = [
    {
      name: 'a file that is there',
      prepare: (folder) => withFile(join(folder, 'file')),
      ends: '1 ERROR_FILE_EXISTS LOCAL_FILE',
    },
    {
      name: 'a file that is there, with --force',
      prepare: (folder) => withFile(join(folder, 'file')),
      args: ['--force'],
      ends: '0',
    },
    {
      name: 'a folder of the same name',
      prepare: (folder) => withFolder(join(folder, 'file')),
      ends: '1 ERROR_FILE_EXISTS LOCAL_FILE',
    },
    {
      name: 'a folder of the same name, with --force',
      prepare: (folder) => withFolder(join(folder, 'file')),
      args: ['--force'],
      ends: '1 ERROR_ALREADY_EXISTS LOCAL_FILE',
    },
    {
      name: 'a missing folder',
      prepare: (folder) => join(folder, 'no', 'such', 'folder', 'file'),
      ends: '1 ERROR_PATH_NOT_FOUND LOCAL_FILE',
    },
    {
      name: 'a file where a folder should be',
      prepare: (folder) => join(withFile(join(folder, 'file')), 'file'),
      ends: '1 ERROR_PATH_NOT_FOUND LOCAL_FILE',
    },
    {
      name: 'a name that is too long',
      prepare: (folder) => join(folder, 'x'.repeat(256)),
      ends: '1 ERROR_FILENAME_EXCED_RANGE LOCAL_FILE',
    },
    {
      name: 'the longest name there is',
      prepare: (folder) => join(folder, 'x'.repeat(255)),
      ends: '0',
    },
    {
      name: 'a symbolic link to nothing',
      prepare: (folder) => withLink(join(folder, 'file'), 'nothing'),
      ends: '1 ERROR_FILE_EXISTS LOCAL_FILE',
    },
    {
      name: 'a pipe, with --force',
      prepare: (folder) => {
        spawnSync('mkfifo', [join(folder, 'pipe')])
        return join(folder, 'pipe')
      },
      args: ['--force'],
      ends: '1 ERROR_NOT_SUPPORTED LOCAL_FILE',
    },
    {
      name: 'a device, with --force',
      prepare: () => '/dev/null',
      args: ['--force'],
      ends: '1 ERROR_NOT_SUPPORTED LOCAL_FILE',
      skip: process.getuid?.() !== 0 && 'only root writes where the devices are',
    },
  ]
  let cases = 0
  for (const { name, prepare, args = [], ends, skip = false } of rows) {
    test(`lull get meets ${name} and ends with ${ends}`, { skip }, async () => {
      const folder = home.path(`target-${cases++}`)
      mkdirSync(folder)
      const target = prepare(folder)
      const before = readdirSync(folder)
      const url = server.url('good', { row: name })
      const patience = ['--no-progress-timeout', '0', '-p', 'foreground', '--quiet']
      const { status, lastLine } = await home.run(['get', url, '-o', target, ...patience, ...args])
      if (ends === '0') {
        assert.equal(status, 0, lastLine)
        assertWhole(target, server.resource(url))
        return
      }
      const { symbol, context, sentence } = parseLastLine(lastLine)
      assert.equal(`${status} ${symbol} ${context}`, ends, sentence)
      assert(sentence.includes(target), sentence)
      assert.equal(server.requests(url).length, 0)
      assert.deepEqual(readdirSync(folder), before)
    })
  }

  test('--force keeps the old file until the new one is whole', async () => {
    const target = withFile(home.path('kept'))
    const url = server.url('cut', { row: 'kept' })
    const { status } = await home.run([
      'get',
      url,
      '-o',
      target,
      '--force',
      '--no-progress-timeout',
      '0',
      '-p',
      'foreground',
    ])
    assert.equal(status, 1)
    assert.equal(readFileSync(target, 'utf8'), 'old')
  })

  test('a file that appears while another is fetched for its name is not replaced', async () => {
    const target = home.path('appeared')
    const url = server.url('good', { rate: 100_000, size: 100_000, row: 'appeared' })
    const job = await begin(url, target)
    await waitState(job, 'TRANSFERRING')
    withFile(target)
    server.resource(url).rate = Infinity
    const { state, error } = await settle(job)
    assert.deepEqual([state, error?.symbol], ['TRANSFERRED', 'ERROR_FILE_EXISTS'])
    assert.equal(readFileSync(target, 'utf8'), 'old')
    await job.cancel()
  })
})

const cannotBeNobody = process.getuid?.() === 0 ? false : 'only root can become another user'

suite('folders without permission', { skip: cannotBeNobody }, () => {
  test('a folder that may not be written to is an error at once', async () => {
    // Root may write everywhere: the service is somebody else's.
    await using nobody = new LullHome({ user: 65_534 })
    const folder = nobody.path('read-only')
    mkdirSync(folder)
    chmodSync(folder, 0o555)
    const url = server.url('good', { row: 'read-only' })
    const { status, lastLine } = await nobody.run(['get', url, '-o', join(folder, 'file')])
    const { symbol, context } = parseLastLine(lastLine)
    assert.equal(`${status} ${symbol} ${context}`, '1 E_ACCESSDENIED LOCAL_FILE')
    assert.equal(server.requests(url).length, 0)
  })
})

async function begin(url: string, target: string): Promise<BackgroundCopyJob> {
  const manager = await home.manager()
  return manager.createJob('file', {
    files: [{ remoteName: url, localName: target }],
    priority: 'foreground',
    minimumRetryDelay: 5,
    completesItself: true,
    resume: true,
  })
}

function visible(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('.lull-'))
}

function withFile(path: string): string {
  writeFileSync(path, 'old')
  return path
}

function withFolder(path: string): string {
  mkdirSync(path)
  return path
}

function withLink(path: string, to: string): string {
  symlinkSync(to, path)
  return path
}
