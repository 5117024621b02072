import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { array, assert as check, asyncProperty, boolean, constantFrom, record } from 'fast-check'

import type { RenameFile } from '../engine/order.ts'
import { asNobody, needsRoot, protect, temporaryDisk, temporaryFolder } from './disks.suite.ts'
import { plainDiskCalls } from './files.ts'
import { nativeDiskCalls } from './native-disk-calls.ts'
import { PartialFile } from './partial-file.ts'
import { renameAll } from './rename.ts'

/** A finished partial file, closed. */
function finish(folder: string, ordinal: number, content = `content of ${ordinal}`): RenameFile {
  const localName = join(folder, `file ${ordinal}`)
  const file = PartialFile.create(join(folder, `.${ordinal}.part`))
  file.write(Buffer.from(content), 0)
  const identity = file.finish({ size: content.length })
  file.close()
  return { ordinal, partialName: file.path, localName, identity }
}

function read({ localName }: RenameFile): string {
  return readFileSync(localName, 'utf8')
}

const platforms = [
  ['with the calls of this platform', nativeDiskCalls],
  ['without them', plainDiskCalls],
] as const

for (const [name, calls] of platforms) {
  for (const overwrite of [false, true]) {
    const mode = `${name}, ${overwrite ? 'replacing' : 'not replacing'}`

    test(`renameAll() gives every file its name, ${mode}`, async (t) => {
      const folder = temporaryFolder(t)
      mkdirSync(join(folder, 'other'))
      const files = [
        ...Array.from({ length: 600 }, (_, ordinal) => finish(folder, ordinal)),
        finish(join(folder, 'other'), 600),
      ]
      const outcome = await renameAll(files, { overwrite, calls })
      assert.deepEqual(outcome, { renamed: files.map(({ ordinal }) => ordinal) })
      for (const file of files) assert.equal(read(file), `content of ${file.ordinal}`)
      assert.equal(readdirSync(folder).length, 601)
    })

    test(`renameAll() takes a file that bears its name already for renamed, ${mode}`, async (t) => {
      const folder = temporaryFolder(t)
      const files = [0, 1, 2].map((ordinal) => finish(folder, ordinal))
      const [, second] = files
      assert.ok(second !== undefined)
      renameSync(second.partialName, second.localName)
      assert.deepEqual(await renameAll(files, { overwrite, calls }), { renamed: [0, 1, 2] })
      assert.deepEqual(await renameAll(files, { overwrite, calls }), { renamed: [0, 1, 2] })
      assert.equal(read(second), 'content of 1')
    })

    test(`renameAll() ends a rename that was cut short between two names, ${mode}`, async (t) => {
      const file = finish(temporaryFolder(t), 0)
      linkSync(file.partialName, file.localName)
      assert.deepEqual(await renameAll([file], { overwrite, calls }), { renamed: [0] })
      assert.equal(existsSync(file.partialName), false)
      assert.equal(read(file), 'content of 0')
    })

    test(`renameAll() stops at the first file that is gone, ${mode}`, async (t) => {
      const folder = temporaryFolder(t)
      const files = [0, 1, 2].map((ordinal) => finish(folder, ordinal))
      unlinkSync(files[1]?.partialName ?? '')
      const { renamed, failure } = await renameAll(files, { overwrite, calls })
      assert.deepEqual(renamed, [0])
      assert.equal(failure?.symbol, 'ERROR_FILE_NOT_FOUND')
      assert.equal(failure.file, 1)
      assert.ok(existsSync(files[2]?.partialName ?? ''))
    })

    test(`renameAll() does not take a stranger for the file, ${mode}`, async (t) => {
      const file = finish(temporaryFolder(t), 0)
      renameSync(file.partialName, `${file.partialName}.away`)
      writeFileSync(file.localName, 'content of X')
      const { renamed, failure } = await renameAll([file], { overwrite, calls })
      assert.deepEqual(renamed, [])
      assert.equal(failure?.symbol, 'ERROR_FILE_NOT_FOUND')
      assert.equal(read(file), 'content of X')
    })

    test(`renameAll() does not complete data that was changed, ${mode}`, async (t) => {
      const file = finish(temporaryFolder(t), 0)
      writeFileSync(file.partialName, 'longer than it was')
      const { renamed, failure } = await renameAll([file], { overwrite, calls })
      assert.deepEqual(renamed, [])
      assert.equal(failure?.symbol, 'ERROR_INVALID_DATA')
      assert.equal(existsSync(file.localName), false)
    })

    test(`renameAll() does not replace a folder, ${mode}`, async (t) => {
      const file = finish(temporaryFolder(t), 0)
      mkdirSync(file.localName)
      const { renamed, failure } = await renameAll([file], { overwrite, calls })
      assert.deepEqual(renamed, [])
      assert.match(failure?.symbol ?? '', /EXISTS$/)
      assert.ok(lstatSync(file.localName).isDirectory())
    })
  }

  test(`renameAll() replaces no file unless told to, ${name}`, async (t) => {
    const folder = temporaryFolder(t)
    const files = [0, 1, 2].map((ordinal) => finish(folder, ordinal))
    const [, second] = files
    assert.ok(second !== undefined)
    writeFileSync(second.localName, 'precious')
    const { renamed, failure } = await renameAll(files, { overwrite: false, calls })
    assert.deepEqual(renamed, [0])
    assert.equal(failure?.symbol, 'ERROR_FILE_EXISTS')
    assert.equal(failure.sentence, `Cannot complete ${second.localName}: the file exists already`)
    assert.equal(read(second), 'precious')
    assert.equal(readFileSync(second.partialName, 'utf8'), 'content of 1')
    rmSync(second.localName)
    assert.deepEqual(await renameAll(files, { overwrite: false, calls }), { renamed: [0, 1, 2] })
  })

  test(`renameAll() replaces a symbolic link and not what it points to, ${name}`, async (t) => {
    const folder = temporaryFolder(t)
    const elsewhere = join(folder, 'elsewhere')
    writeFileSync(elsewhere, 'precious')
    const file = finish(folder, 0)
    symlinkSync(elsewhere, file.localName)
    const refused = await renameAll([file], { overwrite: false, calls })
    assert.equal(refused.failure?.symbol, 'ERROR_FILE_EXISTS')
    assert.equal(readlinkSync(file.localName), elsewhere)
    assert.deepEqual(await renameAll([file], { overwrite: true, calls }), { renamed: [0] })
    assert.equal(readFileSync(elsewhere, 'utf8'), 'precious')
    assert.ok(lstatSync(file.localName).isFile())
  })
}

test('renameAll() never replaces a pipe', { skip: process.platform === 'win32' }, async (t) => {
  const file = finish(temporaryFolder(t), 0)
  execFileSync('mkfifo', [file.localName])
  const { renamed, failure } = await renameAll([file], { overwrite: true })
  assert.deepEqual(renamed, [])
  assert.equal(failure?.symbol, 'ERROR_NOT_SUPPORTED')
  assert.ok(lstatSync(file.localName).isFIFO())
})

test('renameAll() never loses or mixes a file, wherever it was cut short before', async (t) => {
  const folder = temporaryFolder(t)
  const file = record({
    before: constantFrom('partial', 'both names', 'renamed', 'occupied'),
    hasIdentity: boolean(),
  })
  let round = 0
  await check(
    asyncProperty(
      array(file, { maxLength: 6 }),
      boolean(),
      boolean(),
      async (rows, overwrite, plain) => {
        const place = join(folder, `${round++}`)
        mkdirSync(place)
        const files = rows.map(({ before, hasIdentity }, ordinal): RenameFile => {
          const { identity, ...file } = finish(place, ordinal)
          if (before === 'both names') linkSync(file.partialName, file.localName)
          if (before === 'renamed') renameSync(file.partialName, file.localName)
          if (before === 'occupied') writeFileSync(file.localName, 'precious')
          return hasIdentity && identity !== undefined ? { ...file, identity } : file
        })
        const calls = plain ? plainDiskCalls : nativeDiskCalls
        const { renamed, failure } = await renameAll(files, { overwrite, calls })
        const stops = rows.findIndex(
          ({ before, hasIdentity }) =>
            (before === 'occupied' && !overwrite) || (before === 'renamed' && !hasIdentity),
        )
        const expected = stops === -1 ? rows.length : stops
        assert.deepEqual(renamed, [...rows.keys()].slice(0, expected))
        assert.equal(failure?.file, stops === -1 ? undefined : stops)
        for (const [ordinal, file] of files.entries()) {
          const isDone = ordinal < expected || rows[ordinal]?.before === 'renamed'
          const path = isDone ? file.localName : file.partialName
          assert.equal(readFileSync(path, 'utf8'), `content of ${ordinal}`)
          if (isDone) assert.equal(existsSync(file.partialName), false)
          else if (rows[ordinal]?.before === 'occupied') assert.equal(read(file), 'precious')
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('renameAll() recognises a renamed file on a device that has another number now', async (t) => {
  const { identity, ...file } = finish(temporaryFolder(t), 0)
  assert.ok(identity !== undefined)
  renameSync(file.partialName, file.localName)
  const moved = { ...file, identity: { ...identity, device: '1' } }
  assert.deepEqual(await renameAll([moved], { overwrite: false }), { renamed: [0] })
})

test('renameAll() of no files renames none', async () => {
  assert.deepEqual(await renameAll([], { overwrite: false }), { renamed: [] })
})

test('renameAll() tells of a disk that became read-only', { skip: needsRoot }, async (t) => {
  const disk = temporaryDisk(t, 'size=1m')
  const file = finish(disk, 0)
  protect(disk)
  for (const [, calls] of platforms) {
    const { renamed, failure } = await renameAll([file], { overwrite: false, calls })
    assert.deepEqual(renamed, [])
    assert.equal(failure?.symbol, 'ERROR_WRITE_PROTECT')
  }
  assert.ok(existsSync(file.partialName))
})

test('renameAll() works on a disk that is full', { skip: needsRoot }, async (t) => {
  const disk = temporaryDisk(t, 'size=64k')
  const file = finish(disk, 0)
  assert.throws(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(65_536)))
  assert.deepEqual(await renameAll([file], { overwrite: false }), { renamed: [0] })
})

test('renameAll() syncs a folder that may not be read', { skip: needsRoot }, (t) => {
  const output = asNobody(
    temporaryFolder(t),
    `const { renameAll } = await import(room + 'rename.ts')
     const { plainDiskCalls } = await import(room + 'files.ts')
     const { mkdirSync, readFileSync, writeFileSync } = await import('node:fs')
     mkdirSync('dropbox', 0o300)
     const at = (name) => folder + '/dropbox/' + name
     for (const [ordinal, options] of [{}, { calls: plainDiskCalls }].entries()) {
       writeFileSync(at('part'), 'x')
       const files = [{ ordinal, partialName: at('part'), localName: at(ordinal) }]
       console.log(JSON.stringify(await renameAll(files, { overwrite: false, ...options })))
     }`,
  )
  assert.deepEqual(output.trim().split('\n'), ['{"renamed":[0]}', '{"renamed":[1]}'])
})
