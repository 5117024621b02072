import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { array, assert as check, constantFrom, nat, property, record } from 'fast-check'

import {
  asNobody,
  failureOf,
  needsRoot,
  protect,
  rejectionOf,
  runModule,
  temporaryDisk,
  temporaryFolder,
} from './disks.suite.ts'
import { plainDiskCalls, type DiskCalls } from './files.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'
import { PartialFile, type PartialFileOptions } from './partial-file.ts'

const MiB = 1024 * 1024

function begin(t: TestContext, options?: PartialFileOptions): PartialFile {
  const partial = PartialFile.create(join(temporaryFolder(t), 'x.part'), options)
  t.after(() => partial.close())
  return partial
}

/** A write into the slab's next room, or into memory of its own. */
const step = record({
  offset: nat(400),
  length: nat(90),
  follows: constantFrom(true, false),
  gap: constantFrom(0, 0, 3),
  memory: constantFrom('slab', 'slab', 'own'),
  flushes: constantFrom(false, false, true),
})

test('PartialFile.write() makes the same file of the same bytes, however they come', (t) => {
  const folder = temporaryFolder(t)
  check(
    property(array(step, { maxLength: 40 }), (steps) => {
      const partial = PartialFile.create(join(folder, 'x.part'))
      const slab = new Uint8Array(256)
      let used = 0
      let next = 0
      let seed = 0
      const expected = new Uint8Array(8_192)
      const flush = () => {
        partial.flush()
        slab.fill(0xee)
        used = 0
      }
      let end = 0
      for (const { offset, length, follows, gap, memory, flushes } of steps) {
        used += gap
        if (used + length > slab.length) flush()
        const bytes = memory === 'own' ? new Uint8Array(length) : slab.subarray(used, used + length)
        for (let i = 0; i < length; i++) bytes[i] = seed++ % 251
        const at = follows ? next : offset
        partial.write(bytes, at)
        expected.set(bytes, at)
        if (memory === 'slab') used += length
        next = at + length
        if (length > 0) end = Math.max(end, next)
        if (flushes) flush()
      }
      flush()
      partial.close()
      assert.deepEqual(new Uint8Array(readFileSync(partial.path)), expected.subarray(0, end))
    }),
    { numRuns: 300 },
  )
})

test('PartialFile gathers what follows in memory and in the file until flush()', (t) => {
  const partial = begin(t)
  const slab = new Uint8Array(3 * MiB).fill(7)
  for (let at = 0; at < slab.length; at += 1000) {
    partial.write(slab.subarray(at, Math.min(at + 1000, slab.length)), at)
  }
  assert.equal(statSync(partial.path).size, 0)
  partial.flush()
  assert.deepEqual(readFileSync(partial.path), Buffer.from(slab))
})

test('PartialFile.close() drops what was not flushed, and may be called twice', (t) => {
  const partial = begin(t)
  partial.write(Buffer.from('flushed'), 0)
  partial.flush()
  partial.write(Buffer.from(' and not'), 7)
  partial.close()
  partial.close()
  assert.equal(readFileSync(partial.path, 'utf8'), 'flushed')
})

test('PartialFile.create() begins anew whatever has the name', async (t) => {
  const folder = temporaryFolder(t)
  const elsewhere = join(folder, 'elsewhere')
  const path = join(folder, 'x.part')
  const occupants = {
    'a file': () => writeFileSync(path, 'older and longer'),
    'a second name of a file': () => linkSync(elsewhere, path),
    'a symbolic link': () => symlinkSync(elsewhere, path),
    'a symbolic link to nowhere': () => symlinkSync(join(folder, 'nowhere'), path),
  }
  writeFileSync(elsewhere, 'precious')
  for (const [name, occupy] of Object.entries(occupants)) {
    await t.test(name, () => {
      occupy()
      const partial = PartialFile.create(path)
      partial.write(Buffer.from('new'), 0)
      partial.flush()
      partial.close()
      assert.equal(readFileSync(path, 'utf8'), 'new')
      assert.equal(lstatSync(path).nlink, 1)
      assert.equal(readFileSync(elsewhere, 'utf8'), 'precious')
      assert.deepEqual(readdirSync(folder), ['elsewhere', 'x.part'])
      unlinkSync(path)
    })
  }
})

test('PartialFile.create() leaves to a process that still has the old file only the old file', (t) => {
  const folder = temporaryFolder(t)
  const old = PartialFile.create(join(folder, 'x.part'))
  const current = PartialFile.create(join(folder, 'x.part'))
  old.write(Buffer.from('stale'), 0)
  old.flush()
  current.write(Buffer.from('fresh'), 0)
  current.flush()
  old.close()
  current.close()
  assert.equal(readFileSync(current.path, 'utf8'), 'fresh')
})

test(
  'PartialFile.create() makes a file as the umask says',
  { skip: process.platform === 'win32' },
  (t) => {
    const before = process.umask(0o027)
    t.after(() => process.umask(before))
    assert.equal(statSync(begin(t).path).mode & 0o777, 0o640)
  },
)

test('PartialFile.create() tells people of the target', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'missing', '.x.part')
  const target = join(folder, 'missing', 'x')
  const found = failureOf(() => PartialFile.create(path, { target }))
  assert.equal(found.symbol, 'ERROR_PATH_NOT_FOUND')
  assert.equal(found.sentence, `Cannot write ${target}: the folder does not exist`)
})

test('PartialFile.create() refuses a name that a folder has', (t) => {
  const path = join(temporaryFolder(t), 'x.part')
  mkdirSync(path)
  assert.equal(failureOf(() => PartialFile.create(path)).context, 'LOCAL_FILE')
  assert.ok(existsSync(path))
})

test('PartialFile.openExisting() goes on with what is there', (t) => {
  const path = join(temporaryFolder(t), 'x.part')
  writeFileSync(path, 'first half, ')
  const partial = PartialFile.openExisting(path, 12)
  assert.ok(partial !== undefined)
  partial.write(Buffer.from('second half'), 12)
  partial.flush()
  partial.close()
  assert.equal(readFileSync(path, 'utf8'), 'first half, second half')
})

test('PartialFile.openExisting() trusts nothing that cannot hold the promised bytes', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, 'twelve bytes')
  const impostors = {
    'a file that is gone': () => undefined,
    'a shorter file': (path: string) => writeFileSync(path, 'eleven byte'),
    'a folder': (path: string) => mkdirSync(path),
    'a symbolic link': (path: string) => symlinkSync(file, path),
    'a second name of a file': (path: string) => linkSync(file, path),
  }
  for (const [name, pretend] of Object.entries(impostors)) {
    await t.test(name, () => {
      const path = join(folder, `${name}.part`)
      pretend(path)
      assert.equal(PartialFile.openExisting(path, 12), undefined)
    })
  }
  assert.equal(readFileSync(file, 'utf8'), 'twelve bytes')
})

test('PartialFile.finish() cuts, sets the time, and says what the file is', (t) => {
  const partial = begin(t)
  partial.write(Buffer.from('whole, and more'), 0)
  const identity = partial.finish({ size: 5, modifiedAt: Date.UTC(1994, 10, 6, 8, 49, 37) })
  assert.equal(readFileSync(partial.path, 'utf8'), 'whole')
  const found = statSync(partial.path, { bigint: true })
  assert.equal(found.mtimeMs, 784_111_777_000n)
  assert.deepEqual(identity, { device: `${found.dev}`, inode: `${found.ino}`, size: 5 })
  assert.deepEqual(partial.identity, identity)
})

test('PartialFile.finish() refuses a file that is not whole', (t) => {
  const partial = begin(t)
  partial.write(Buffer.from('half'), 0)
  assert.throws(() => partial.finish({ size: 8 }), /every byte is there/)
})

test('PartialFile takes no byte after finish()', (t) => {
  const partial = begin(t)
  partial.finish({ size: 0 })
  partial.write(Buffer.from('late'), 0)
  assert.throws(() => partial.flush(), /written no more/)
})

test('PartialFile.allocate() reserves room and leaves the length as it is', async (t) => {
  const calls: DiskCalls = {
    ...nativeDiskCalls,
    allocate(...room) {
      const answer = nativeDiskCalls.allocate(...room)
      if (answer === 'unsupported') t.skip('this file system reserves no room')
      return answer
    },
  }
  const partial = begin(t, { calls })
  partial.allocate(8 * MiB)
  const reserved = statSync(partial.path)
  assert.equal(reserved.size, 0)
  if (nativeDiskCalls.allocate(partial.descriptor, 0, 8 * MiB) === 'unsupported') return
  assert.ok(reserved.blocks * 512 >= 8 * MiB)
  partial.write(Buffer.from('short after all'), 0)
  partial.finish({ size: 15 })
  await partial.sync()
  assert.ok(statSync(partial.path).blocks * 512 < MiB)
  assert.equal(readFileSync(partial.path, 'utf8'), 'short after all')
})

const kinds = [
  ['with the calls of this platform', nativeDiskCalls],
  ['without them', plainDiskCalls],
] as const

for (const [name, calls] of kinds) {
  test(
    `PartialFile.allocate() tells of a full disk before the first byte, ${name}`,
    { skip: needsRoot },
    (t) => {
      const path = join(temporaryDisk(t, 'size=1m'), 'x.part')
      const partial = PartialFile.create(path, { calls, target: '/data/x.iso' })
      const found = failureOf(() => partial.allocate(3 * MiB))
      const again = failureOf(() => partial.allocate(3 * MiB))
      partial.close()
      assert.equal(found.symbol, 'ERROR_DISK_FULL')
      assert.equal(found.waitsFor, 'space')
      assert.equal(
        found.sentence,
        'Cannot write /data/x.iso: the disk is full (needs 3.1 MB, 1.0 MB free)',
      )
      assert.deepEqual(again, found, 'nothing stays reserved')
    },
  )
}

test(
  'PartialFile.allocate() gives back what a refused reservation took',
  { skip: needsRoot },
  (t) => {
    const folder = temporaryDisk(t, 'size=4m')
    const calls: DiskCalls = {
      ...nativeDiskCalls,
      allocate(fd) {
        writeSync(fd, new Uint8Array(2 * MiB))
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      },
    }
    const partial = PartialFile.create(join(folder, 'x.part'), { calls })
    const found = failureOf(() => partial.allocate(3 * MiB))
    assert.match(found.sentence, /needs 3\.1 MB, 4\.2 MB free/)
    assert.equal(statSync(partial.path).blocks, 0)
    partial.close()
  },
)

test('PartialFile goes on without a reservation that is refused for another reason than room', (t) => {
  const calls: DiskCalls = {
    ...plainDiskCalls,
    allocate: () => {
      throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' })
    },
  }
  const partial = begin(t, { calls })
  partial.allocate(2 * MiB)
  partial.write(new Uint8Array(2 * MiB).fill(1), 0)
  assert.equal(partial.finish({ size: 2 * MiB }).size, 2 * MiB)
})

test(
  'PartialFile.flush() writes what fits on a full disk and says what it wanted',
  { skip: needsRoot },
  (t) => {
    const folder = temporaryDisk(t, 'size=1m')
    const partial = PartialFile.create(join(folder, 'x.part'), { calls: plainDiskCalls })
    partial.allocate(768 * 1024)
    writeFileSync(join(folder, 'of somebody else'), Buffer.alloc(512 * 1024))
    partial.write(new Uint8Array(600 * 1024).fill(9), 0)
    const found = failureOf(() => partial.flush())
    assert.match(found.sentence, /the disk is full \(needs 262\.1 kB, 0 bytes free\)$/)
    assert.equal(found.waitsFor, 'space')
    partial.flush()
    partial.close()
    assert.deepEqual(readFileSync(partial.path), Buffer.alloc(512 * 1024, 9))
  },
)

test('PartialFile.create() tells of a disk that takes no more files', { skip: needsRoot }, (t) => {
  const folder = temporaryDisk(t, 'size=1m,nr_inodes=3')
  writeFileSync(join(folder, 'one'), '')
  writeFileSync(join(folder, 'two'), '')
  const found = failureOf(() => PartialFile.create(join(folder, 'x.part')))
  assert.equal(found.symbol, 'ERROR_DISK_FULL')
  assert.match(found.sentence, /the disk is full \(it has no room for another file/)
})

test('PartialFile.create() tells of a read-only disk', { skip: needsRoot }, (t) => {
  const folder = temporaryDisk(t, 'size=1m')
  protect(folder)
  const found = failureOf(() => PartialFile.create(join(folder, 'x.part')))
  assert.equal(found.symbol, 'ERROR_WRITE_PROTECT')
  assert.equal(found.severity, 'fatal')
})

test('PartialFile tells of what this user may not do', { skip: needsRoot }, (t) => {
  const folder = temporaryFolder(t)
  const output = asNobody(
    folder,
    `const { PartialFile } = await import(room + 'partial-file.ts')
     const { chmodSync, mkdirSync, writeFileSync } = await import('node:fs')
     mkdirSync('locked', 0o555)
     writeFileSync('secret.part', 'x', { mode: 0 })
     for (const open of [
       () => PartialFile.create('locked/x.part'),
       () => PartialFile.openExisting('secret.part', 1),
     ]) {
       try { open(); console.log('opened') } catch (error) { console.log(error.code, error.message) }
     }`,
  )
  assert.deepEqual(output.trim().split('\n'), [
    'E_ACCESSDENIED Cannot write locked/x.part: permission denied',
    'E_ACCESSDENIED Cannot write secret.part: permission denied',
  ])
})

test(
  'PartialFile tells of a file that is too large for its place',
  { skip: process.platform !== 'linux' && 'needs prlimit' },
  (t) => {
    const output = runModule(
      temporaryFolder(t),
      `const { execFileSync } = await import('node:child_process')
     const { PartialFile } = await import(room + 'partial-file.ts')
     const { plainDiskCalls } = await import(room + 'files.ts')
     process.on('SIGXFSZ', () => undefined)
     execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=65536:65536'])
     const partial = PartialFile.create('x.part', { calls: plainDiskCalls })
     partial.write(new Uint8Array(100_000), 0)
     try { partial.flush() } catch (error) { console.log(error.code, error.message) }
     partial.close()`,
    )
    assert.equal(
      output.trim(),
      'ERROR_NOT_SUPPORTED Cannot write x.part: the file is larger than the file system can hold',
    )
  },
)

test('PartialFile asks for writeback in rows of 8 MiB, until the platform cannot', (t) => {
  const asked: (readonly [offset: number, length: number])[] = []
  let answer: 'done' | 'unsupported' = 'done'
  const calls: DiskCalls = {
    ...plainDiskCalls,
    startWriteback: (_fd, offset, length) => {
      asked.push([offset, length])
      return answer
    },
  }
  const partial = begin(t, { calls })
  const slab = new Uint8Array(MiB)
  const write = (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      partial.write(slab, at * MiB)
      partial.flush()
    }
  }
  write(0, 20)
  // Somewhere else: a row begins anew.
  write(30, 37)
  assert.deepEqual(asked, [
    [0, 8 * MiB],
    [8 * MiB, 8 * MiB],
  ])
  answer = 'unsupported'
  write(37, 60)
  assert.deepEqual(asked.slice(2), [[30 * MiB, 8 * MiB]])
})

test('PartialFile.sync() may overlap with writing and with closing', async (t) => {
  const partial = begin(t)
  const slab = new Uint8Array(MiB).fill(3)
  const syncs: Promise<void>[] = []
  for (let at = 0; at < 8; at++) {
    partial.write(slab, at * MiB)
    partial.flush()
    syncs.push(partial.sync())
  }
  const { descriptor } = partial
  partial.close()
  // A descriptor that is still held cannot become another file's.
  const others = Array.from({ length: 4 }, () => openSync(partial.path, 'r'))
  assert.ok(!others.includes(descriptor))
  others.forEach((fd) => closeSync(fd))
  await Promise.all(syncs)
  assert.equal(statSync(partial.path).size, 8 * MiB)
  const next = openSync(partial.path, 'r')
  assert.equal(next, descriptor, 'it was closed in the end')
  closeSync(next)
})

test('PartialFile.sync() fails for good after it has failed once', async (t) => {
  const partial = begin(t)
  closeSync(partial.descriptor)
  const found = await rejectionOf(partial.sync())
  assert.equal(found.context, 'LOCAL_FILE')
  const sound = openSync(partial.path, 'r+')
  assert.equal(sound, partial.descriptor, 'the descriptor works again')
  assert.deepEqual(await rejectionOf(partial.sync()), found)
  assert.deepEqual(await rejectionOf(partial.settled() ?? Promise.resolve()), found)
})

test('PartialFile.read() reads back what was flushed', async (t) => {
  const partial = begin(t)
  partial.write(Buffer.from('0123456789'), 0)
  partial.flush()
  const into = new Uint8Array(4)
  assert.equal(await partial.read(into, 8), 2)
  assert.equal(Buffer.from(into.subarray(0, 2)).toString(), '89')
  assert.equal(await partial.read(into, 10), 0)
})
