import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { available } from './capability.ts'
import { openElsewhere } from './elsewhere.ts'
import { renameNoReplace } from './rename.ts'
import type { RenameGuard, RenameOptions } from './rename.ts'
import { cannotMount, scratchFolder } from './scratch.suite.ts'
import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'

const calls = openElsewhere('a test')
const noLinks = (): never => {
  throw Object.assign(new Error('no hard links here'), { code: 'EPERM' })
}

const taken = (): never => {
  throw Object.assign(new Error('taken, and free a moment later'), { code: 'EEXIST' })
}

/** Each way to do it, and why it is taken. */
const ways: readonly (readonly [RenameGuard, RenameOptions, string | false])[] = [
  [
    'kernel',
    {},
    systemCalls().renameNoReplace.kind === 'available' ? false : 'the kernel cannot do it',
  ],
  ['link', { calls }, false],
  ['check', { calls, link: noLinks }, false],
]

for (const [guard, options, skip] of ways) {
  const by = `by ${guard}`

  test(`renameNoReplace() ${by} moves a file to its new name`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const [from, to] = [join(folder, 'teilstück'), join(folder, '完成 file')]
    writeFileSync(from, 'content')
    assert.equal(renameNoReplace(from, to, options), guard)
    assert.deepEqual(readdirSync(folder), ['完成 file'])
    assert.equal(readFileSync(to, 'utf8'), 'content')
  })

  test(`renameNoReplace() ${by} never replaces a file`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    writeFileSync(from, 'new')
    writeFileSync(to, 'old')
    assert.throws(() => renameNoReplace(from, to, options), { code: 'EEXIST' })
    assert.equal(readFileSync(from, 'utf8'), 'new')
    assert.equal(readFileSync(to, 'utf8'), 'old')
  })

  test(`renameNoReplace() ${by} never replaces a link that leads nowhere`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    writeFileSync(from, 'new')
    symlinkSync('nowhere', to)
    assert.throws(() => renameNoReplace(from, to, options), { code: 'EEXIST' })
    assert.equal(existsSync(from), true)
  })

  test(`renameNoReplace() ${by} throws when there is nothing to move`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    assert.throws(() => renameNoReplace(from, to, options), { code: 'ENOENT' })
    assert.deepEqual(readdirSync(folder), [])
  })

  test(`renameNoReplace() ${by} finishes a move that a crash cut in half`, { skip }, (t) => {
    const folder = scratchFolder(t)
    mkdirSync(join(folder, 'elsewhere'))
    for (const name of ['to', 'elsewhere/from']) {
      const [from, to] = [join(folder, 'from'), join(folder, name)]
      writeFileSync(from, 'content')
      linkSync(from, to)
      assert.equal(renameNoReplace(from, to, options), 'link')
      assert.equal(existsSync(from), false)
      assert.equal(readFileSync(to, 'utf8'), 'content')
    }
  })

  test(`renameNoReplace() ${by} to the same name keeps the file`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const from = join(folder, 'from')
    writeFileSync(from, 'content')
    linkSync(from, join(folder, 'another'))
    assert.throws(() => renameNoReplace(from, join(folder, '.', 'from'), options), {
      code: 'EEXIST',
    })
    assert.throws(() => renameNoReplace(from, `${folder}//from`, options), { code: 'EEXIST' })
    assert.equal(existsSync(from), true)
  })

  test(`renameNoReplace() ${by} refuses a path that C would read differently`, { skip }, (t) => {
    const folder = scratchFolder(t)
    const from = join(folder, 'from')
    writeFileSync(from, 'content')
    for (const path of ['', `${from}\0.txt`]) {
      assert.throws(() => renameNoReplace(path, join(folder, 'to'), options), TypeError)
      assert.throws(() => renameNoReplace(from, path, options), TypeError)
    }
    assert.deepEqual(readdirSync(folder), ['from'])
  })
}

test('renameNoReplace() moves a folder, which has no hard links', (t) => {
  const folder = scratchFolder(t)
  mkdirSync(join(folder, 'from'))
  assert.equal(renameNoReplace(join(folder, 'from'), join(folder, 'to'), { calls }), 'check')
  assert.deepEqual(readdirSync(folder), ['to'])
})

test('renameNoReplace() takes the plain way when the file system cannot', (t) => {
  const folder = scratchFolder(t)
  const from = join(folder, 'from')
  writeFileSync(from, 'content')
  const renames: SystemCalls['renameNoReplace'] = available(() => 'unsupported')
  const refusing = { ...calls, renameNoReplace: renames }
  assert.equal(renameNoReplace(from, join(folder, 'to'), { calls: refusing }), 'link')
})

test('renameNoReplace() believes a link that says the name is taken', (t) => {
  const folder = scratchFolder(t)
  const from = join(folder, 'from')
  writeFileSync(from, 'content')
  const to = join(folder, 'to')
  assert.throws(() => renameNoReplace(from, to, { calls, link: taken }), { code: 'EEXIST' })
  assert.deepEqual(readdirSync(folder), ['from'])
})

test(
  'renameNoReplace() keeps a file that is mounted over the target',
  { skip: cannotMount },
  (t) => {
    const folder = scratchFolder(t)
    mkdirSync(join(folder, 'elsewhere'))
    const [from, to] = [join(folder, 'from'), join(folder, 'elsewhere', 'to')]
    writeFileSync(from, 'content')
    writeFileSync(to, '')
    try {
      execFileSync('mount', ['--bind', from, to], { stdio: 'pipe' })
    } catch (error) {
      t.skip(`mount: ${error instanceof Error ? error.message : 'failed'}`)
      return
    }
    try {
      assert.throws(() => renameNoReplace(from, to, { calls, link: noLinks }), { code: 'EEXIST' })
      assert.equal(existsSync(from), true)
    } finally {
      execFileSync('umount', [to])
    }
  },
)
