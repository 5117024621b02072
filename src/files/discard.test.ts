import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { discardAll } from './discard.ts'
import { needsRoot, protect, temporaryDisk, temporaryFolder } from './disks.suite.ts'

test('discardAll() deletes what is there, and what is not there is deleted', async (t) => {
  const folder = temporaryFolder(t)
  const paths = Array.from({ length: 600 }, (_, index) => join(folder, `.${index}.part`))
  paths.forEach((path, index) => index % 3 === 0 && writeFileSync(path, 'x'))
  writeFileSync(join(folder, 'precious'), 'x')
  const elsewhere = [join(folder, 'missing', 'x.part'), join(folder, 'precious', 'x.part')]
  assert.deepEqual(await discardAll([...paths, ...elsewhere]), { leftovers: [] })
  assert.deepEqual(readdirSync(folder), ['precious'])
})

test('discardAll() deletes a symbolic link and not what it points to', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'precious'), 'x')
  symlinkSync(join(folder, 'precious'), join(folder, 'x.part'))
  assert.deepEqual(await discardAll([join(folder, 'x.part')]), { leftovers: [] })
  assert.deepEqual(readdirSync(folder), ['precious'])
})

test('discardAll() lists what it cannot delete, and goes on', async (t) => {
  const folder = temporaryFolder(t)
  const [first, second, third] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')]
  writeFileSync(first, 'x')
  mkdirSync(second)
  writeFileSync(third, 'x')
  assert.deepEqual(await discardAll([first, second, third]), { leftovers: [second] })
  assert.deepEqual(readdirSync(folder), ['b'])
})

test('discardAll() lists what lies on a read-only disk', { skip: needsRoot }, async (t) => {
  const disk = temporaryDisk(t, 'size=1m')
  const path = join(disk, 'x.part')
  writeFileSync(path, 'x')
  protect(disk)
  assert.deepEqual(await discardAll([path, join(disk, 'gone')]), { leftovers: [path] })
})
