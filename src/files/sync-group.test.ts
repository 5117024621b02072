import assert from 'node:assert/strict'
import { closeSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { needsRoot, rejectionOf, temporaryDisk, temporaryFolder } from './disks.suite.ts'
import { syncsWhole } from './file-system.ts'
import { plainDiskCalls, type Answer, type DiskCalls } from './files.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'
import { PartialFile } from './partial-file.ts'
import { SyncGroup } from './sync-group.ts'

const needsWhole =
  !syncsWhole(tmpdir()) && 'the file system of temporary files is not trusted to sync as a whole'

/** Files that are finished, and closed after the test. */
function finished(t: TestContext, folder: string, count: number, calls: DiskCalls): PartialFile[] {
  const files = Array.from({ length: count }, (_, index) => {
    const file = PartialFile.create(join(folder, `${index}-${Math.random()}.part`), { calls })
    file.write(Buffer.from(`content of ${index}`), 0)
    file.finish({ size: `content of ${index}`.length })
    return file
  })
  t.after(() => files.forEach((file) => file.close()))
  return files
}

/** Calls that count the syncs of file systems, and hold them back until they are let go. */
function held(): { calls: DiskCalls; descriptors: number[]; letGo: (answer?: Answer) => void } {
  const descriptors: number[] = []
  const waiting: ((answer: Answer) => void)[] = []
  return {
    descriptors,
    letGo: (answer = 'done') => waiting.splice(0).forEach((resolve) => resolve(answer)),
    calls: {
      ...plainDiskCalls,
      syncFileSystem(fd) {
        descriptors.push(fd)
        return new Promise((resolve) => waiting.push(resolve))
      },
    },
  }
}

/** Lets everything happen that needs no call into the system. */
const aWhile = () => new Promise((resolve) => setImmediate(resolve))

for (const [name, calls] of [
  ['with the calls of this platform', nativeDiskCalls],
  ['one by one', plainDiskCalls],
] as const) {
  test(`SyncGroup.commit() syncs many files, ${name}`, async (t) => {
    const files = finished(t, temporaryFolder(t), 200, calls)
    await new SyncGroup().commit(files)
    files.forEach((file) => file.close())
    files.forEach(({ path }, index) =>
      assert.equal(readFileSync(path, 'utf8'), `content of ${index}`),
    )
  })
}

test('SyncGroup.commit() of no file is done at once', async () => {
  await new SyncGroup().commit([])
})

test('SyncGroup.commit() leaves the file system alone for a few files', async (t) => {
  const { calls, descriptors } = held()
  await new SyncGroup().commit(finished(t, temporaryFolder(t), 8, calls))
  assert.deepEqual(descriptors, [])
})

test('SyncGroup.commit() leaves the file system alone for files that are not finished', async (t) => {
  const { calls, descriptors } = held()
  const folder = temporaryFolder(t)
  const files = Array.from({ length: 20 }, (_, index) =>
    PartialFile.create(join(folder, `${index}`), { calls }),
  )
  await new SyncGroup().commit(files)
  files.forEach((file) => file.close())
  assert.deepEqual(descriptors, [])
})

test(
  'SyncGroup.commit() shares one sync with all that come while another runs',
  { skip: needsWhole },
  async (t) => {
    const { calls, descriptors, letGo } = held()
    const folder = temporaryFolder(t)
    const group = new SyncGroup()
    const batches = [1, 2, 3, 4].map(() => finished(t, folder, 9, calls))
    const settled: number[] = []
    const commit = async (index: number) => {
      await group.commit(batches[index] ?? [])
      settled.push(index)
    }
    const first = commit(0)
    await aWhile()
    const later = [commit(3), commit(1), commit(2)]
    await aWhile()
    assert.deepEqual(descriptors, [batches[0]?.[0]?.descriptor], 'the second sync waits')
    letGo()
    await first
    await aWhile()
    assert.deepEqual(settled, [0])
    assert.equal(descriptors[1], batches[1]?.[0]?.descriptor, 'through the file opened first')
    letGo()
    await Promise.all(later)
    assert.equal(descriptors.length, 2)
    assert.deepEqual(
      settled.toSorted((a, b) => a - b),
      [0, 1, 2, 3],
    )
  },
)

test(
  'SyncGroup.commit() keeps file systems apart',
  { skip: needsWhole || needsRoot },
  async (t) => {
    const { calls, descriptors, letGo } = held()
    const here = finished(t, temporaryFolder(t), 9, calls)
    const there = finished(t, temporaryDisk(t, 'size=1m'), 9, calls)
    const commit = new SyncGroup().commit([...here, ...there])
    await aWhile()
    assert.deepEqual(descriptors, [here[0]?.descriptor, there[0]?.descriptor])
    letGo()
    await commit
  },
)

test(
  'SyncGroup.commit() asks every file itself when the file system has lost something',
  { skip: needsWhole },
  async (t) => {
    const calls: DiskCalls = {
      ...plainDiskCalls,
      syncFileSystem: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
    }
    const sound = finished(t, temporaryFolder(t), 20, calls)
    await new SyncGroup().commit(sound)
    const spoiled = finished(t, temporaryFolder(t), 20, calls)
    closeSync(spoiled[13]?.descriptor ?? -1)
    const { symbol, sentence } = await rejectionOf(new SyncGroup().commit(spoiled))
    assert.equal(symbol, 'E_FAIL')
    assert.ok(sentence.includes(spoiled[13]?.path ?? 'no path'), sentence)
  },
)

test(
  'SyncGroup.commit() does not forget that a file has lost bytes before',
  { skip: needsWhole },
  async (t) => {
    const calls: DiskCalls = { ...plainDiskCalls, syncFileSystem: () => Promise.resolve('done') }
    const files = finished(t, temporaryFolder(t), 20, calls)
    closeSync(files[7]?.descriptor ?? -1)
    await rejectionOf(files[7]?.sync() ?? Promise.resolve())
    const { sentence } = await rejectionOf(new SyncGroup().commit(files))
    assert.ok(sentence.includes(files[7]?.path ?? 'no path'), sentence)
  },
)

test('syncsWhole() trusts no folder that is not there', () => {
  assert.equal(syncsWhole('/no/such/folder'), false)
})
