import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import {
  asNobody,
  failureOf,
  needsRoot,
  protect,
  temporaryDisk,
  temporaryFolder,
} from './disks.suite.ts'
import { checkReplaceable, checkTarget, siblingTarget, TargetChecks } from './target.ts'

test('checkTarget() takes a new name in a folder, and one to be replaced', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'old'), 'old')
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
  symlinkSync(folder, join(folder, 'way'))
  checkTarget(join(folder, 'new'), { overwrite: false })
  checkTarget(join(folder, 'way', 'new'), { overwrite: false })
  checkTarget(join(folder, 'old'), { overwrite: true })
  checkTarget(join(folder, 'link'), { overwrite: true })
})

const refusals = [
  ['old', false, 'ERROR_FILE_EXISTS', 'the file exists already'],
  ['link', false, 'ERROR_FILE_EXISTS', 'the file exists already'],
  ['folder', false, 'ERROR_ALREADY_EXISTS', 'a folder has this name'],
  ['folder', true, 'ERROR_ALREADY_EXISTS', 'a folder has this name'],
  ['missing/x', false, 'ERROR_PATH_NOT_FOUND', 'the folder FOLDER/missing does not exist'],
  ['missing/deep/x', true, 'ERROR_PATH_NOT_FOUND', 'the folder FOLDER/missing/deep does not exist'],
  ['old/x', false, 'ERROR_PATH_NOT_FOUND', 'FOLDER/old is a file, not a folder'],
  ['link/x', false, 'ERROR_PATH_NOT_FOUND', 'the folder FOLDER/link does not exist'],
  ['n'.repeat(256), false, 'ERROR_FILENAME_EXCED_RANGE', 'the name is too long'],
] as const

for (const [name, overwrite, symbol, reason] of refusals) {
  const shown = name.length > 40 ? `a name of ${name.length} characters` : name
  test(`checkTarget() refuses ${shown} with ${symbol}${overwrite ? ' even to replace' : ''}`, (t) => {
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, 'old'), 'old')
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
    mkdirSync(join(folder, 'folder'))
    const found = failureOf(() => checkTarget(join(folder, name), { overwrite }))
    assert.deepEqual([found.symbol, found.context, found.severity], [symbol, 'LOCAL_FILE', 'fatal'])
    const expected = `Cannot write ${join(folder, name)}: ${reason.replace('FOLDER', folder)}`
    assert.equal(found.sentence, expected)
  })
}

test('checkReplaceable() refuses a device', { skip: process.platform === 'win32' }, () => {
  const found = failureOf(() => checkReplaceable(lstatSync('/dev/null'), '/dev/null'))
  assert.equal(found.symbol, 'ERROR_NOT_SUPPORTED')
  assert.equal(found.sentence, 'Cannot write /dev/null: a device or a pipe has this name')
})

test('checkTarget() refuses a read-only disk', { skip: needsRoot }, (t) => {
  const disk = temporaryDisk(t, 'size=1m')
  protect(disk)
  const found = failureOf(() => checkTarget(join(disk, 'x'), { overwrite: false }))
  assert.equal(found.symbol, 'ERROR_WRITE_PROTECT')
})

test('checkTarget() refuses a folder that this user may not write to', { skip: needsRoot }, (t) => {
  const output = asNobody(
    temporaryFolder(t),
    `const { checkTarget } = await import(room + 'target.ts')
     const { mkdirSync } = await import('node:fs')
     mkdirSync('locked', 0o555)
     mkdirSync('closed', 0o600)
     mkdirSync('dropbox', 0o300)
     for (const name of ['locked/x', 'closed/x', 'dropbox/x']) {
       try { checkTarget(name, { overwrite: false }); console.log('fine') }
       catch (error) { console.log(error.code, error.message) }
     }`,
  )
  assert.deepEqual(output.trim().split('\n'), [
    'E_ACCESSDENIED Cannot write locked/x: permission denied',
    'E_ACCESSDENIED Cannot write closed/x: permission denied',
    'fine',
  ])
})

test('TargetChecks refuse what is there, also in a folder that comes again', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'full'))
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'full', 'old'), 'old')
  const checks = new TargetChecks()
  const check = (name: string) => checks.check(join(folder, name), { overwrite: false })
  check('full/new')
  assert.equal(failureOf(() => check('full/old')).symbol, 'ERROR_FILE_EXISTS')
  check('empty/new')
  writeFileSync(join(folder, 'empty', 'later'), '')
  check('empty/later')
  assert.equal(failureOf(() => check('full/old')).symbol, 'ERROR_FILE_EXISTS')
  assert.equal(failureOf(() => check('empty/later')).symbol, 'ERROR_FILE_EXISTS')
  assert.equal(failureOf(() => check('missing/x')).symbol, 'ERROR_PATH_NOT_FOUND')
})

test('TargetChecks refuse a name that is too long for an empty folder', (t) => {
  const checks = new TargetChecks()
  const target = join(temporaryFolder(t), 'ä'.repeat(128))
  const found = failureOf(() => checks.check(target, { overwrite: false }))
  assert.equal(found.symbol, 'ERROR_FILENAME_EXCED_RANGE')
})

test('siblingTarget() stays in the folder', () => {
  assert.equal(siblingTarget(join('/data', 'x'), 'y.iso'), join('/data', 'y.iso'))
  for (const name of ['', '.', '..', '../y', 'a/b', '/etc/passwd']) {
    assert.throws(() => siblingTarget('/data/x', name), /a name is no path/)
  }
})
