/** Holds the table of arrows in ARCHITECTURE.md: who may import whom. */

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { test } from 'node:test'

const sources = join(import.meta.dirname, '..', 'src')

/** What each room may import besides itself; the doors are the files directly below `src`. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ['base'],
  auth: ['base', 'wire'],
  job: ['base', 'wire', 'auth'],
  upload: ['base', 'wire'],
  pace: ['base'],
  rpc: ['base', 'job', 'wire', 'auth'],
  engine: ['base', 'job', 'wire', 'auth'],
  testing: ['base', 'job', 'wire', 'auth', 'engine'],
  native: ['base', 'auth'],
  store: ['base', 'job', 'wire', 'auth', 'engine'],
  files: ['base', 'job', 'wire', 'engine', 'native'],
  vault: ['base', 'engine', 'native'],
  http: ['base', 'job', 'wire', 'auth', 'engine', 'native'],
  proxy: ['base', 'job', 'wire', 'engine', 'native'],
  carrier: ['base', 'job', 'wire', 'pace', 'auth', 'engine', 'files', 'http', 'proxy', 'native'],
  client: ['base', 'job', 'wire', 'auth', 'rpc'],
  cli: ['base', 'job', 'wire', 'auth', 'rpc', 'client'],
  web: ['rpc', 'job', 'auth', 'base', 'wire'],
  service: [
    'base',
    'job',
    'wire',
    'auth',
    'rpc',
    'engine',
    'native',
    'store',
    'files',
    'vault',
    'http',
    'proxy',
    'carrier',
    'client',
  ],
}

/** Packages and the one room that may know each. */
const owners: Readonly<Record<string, string>> = {
  koffi: 'native',
  'node:sqlite': 'store',
  'quickjs-wasi': 'proxy',
  tldts: 'proxy',
}

/** Rooms that know no Node. */
const pure = new Set(['base', 'job', 'wire', 'auth', 'upload', 'pace', 'rpc', 'engine', 'testing'])

/** The command may start a service in its own process; nobody else looks into it. */
const exceptions = new Set(['cli/service.ts → service'])

/** `import … from 'x'` and `export … from 'x'`, `import 'x'`, `import('x')`. */
const importWords =
  /^(?:import|export)\s[^';]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gmu

interface Import {
  readonly from: string
  readonly room: string
  readonly to: string
}

function imports(): readonly Import[] {
  const found: Import[] = []
  for (const path of globSync('**/*.ts', { cwd: sources })) {
    const room = path.includes(sep) ? (path.split(sep)[0] ?? '') : 'door'
    if (/\.(?:test|suite)\.ts$/u.test(path) || path === 'platform.d.ts') continue
    const text = readFileSync(join(sources, path), 'utf8')
    for (const [, fixed, bare, late] of text.matchAll(importWords)) {
      const to = fixed ?? bare ?? late
      if (to !== undefined) found.push({ from: path.replaceAll(sep, '/'), room, to })
    }
  }
  return found
}

function roomOf({ from, to }: Import): string {
  const path = relative(sources, join(sources, dirname(from), to))
  return path.includes(sep) ? (path.split(sep)[0] ?? '') : 'door'
}

test('every room imports only the rooms below it', () => {
  const wrong = imports().filter((each) => {
    if (each.room === 'door' || !each.to.startsWith('.')) return false
    const to = roomOf(each)
    if (to === each.room || (to === 'door' && each.to.endsWith('/version.ts'))) return false
    const allowed = arrows[each.room]
    assert(allowed !== undefined, `the room ${each.room} stands in the table`)
    return !allowed.includes(to) && !exceptions.has(`${each.from} → ${to}`)
  })
  assert.deepEqual(wrong, [])
})

test('every package is imported by the one room that owns it', () => {
  const wrong = imports().filter(({ room, to }) => owners[to] !== undefined && owners[to] !== room)
  assert.deepEqual(wrong, [])
})

test('commands have what costs time of Node from client/builtin.ts, which loads no more of it than they use', () => {
  const costly =
    /^import (?!type )[^';]*?from 'node:(?:child_process|crypto|fs|http|https|process|tls|tty|util)'/mu
  const wrong = globSync('{cli,client}/**/*.ts', { cwd: sources })
    .filter((path) => !/\.(?:test|suite)\.ts$/u.test(path))
    .filter((path) => costly.test(readFileSync(join(sources, path), 'utf8')))
  assert.deepEqual(wrong, [])
})

test('pure rooms import nothing of Node and no package', () => {
  const wrong = imports().filter(({ room, to }) => pure.has(room) && !to.startsWith('.'))
  assert.deepEqual(wrong, [])
})

test('only service/compose.ts and the doors name the implementations of the ports', () => {
  const implementations =
    /\/(?:sqlite-job-store|hosted-carriers|network-addresses|system-random)\.ts$/u
  const wrong = imports().filter(
    ({ from, room, to }) =>
      implementations.test(to) &&
      from !== 'service/compose.ts' &&
      room !== 'door' &&
      room !== 'carrier',
  )
  assert.deepEqual(wrong, [])
})
