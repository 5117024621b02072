import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openElsewhere } from './elsewhere.ts'
import { loadNative, nativeStatus } from './native.ts'
import { scratchFile, scratchFolder } from './scratch.suite.ts'
import { openSystem } from './system.ts'

const skip = process.platform === 'linux' ? false : 'the list of open libraries is read on Linux'

/** The address of a file beside this one. */
const beside = (name: string): string => new URL(name, import.meta.url).href

/** Runs a module of its own in a process of its own, and gives what it prints. */
function run(program: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
}

test('loadNative() tells what this machine has, or why not', () => {
  const { capabilities } = loadNative()
  assert.deepEqual(Object.keys(capabilities), [
    'peerCredentials',
    'allocate',
    'syncFileSystem',
    'startWriteback',
    'renameNoReplace',
    'trimMemory',
    'networkNews',
  ])
  for (const status of Object.values(capabilities)) {
    if (status.kind === 'missing') assert.notEqual(status.reason, '')
  }
})

test('loadNative() opens the C library of Linux', { skip }, () => {
  const { library, capabilities } = loadNative()
  assert.match(library ?? '', /^libc\./)
  assert.deepEqual(capabilities.allocate, { kind: 'available' })
})

test('nativeStatus() says why something is missing, and what happens instead', () => {
  const status = nativeStatus(openElsewhere('a test'))
  assert.equal(status.allocate, 'missing: a test; a full disk shows itself while writing')
  assert.equal(loadNative(openElsewhere('a test')).library, undefined)
})

test('openSystem() of a platform without calls says so', () => {
  assert.deepEqual(openSystem('win32').allocate, {
    kind: 'missing',
    reason: 'no calls are known for win32',
  })
})

test('The room loads koffi with the first call and not before', { skip }, () => {
  const printed = run(`
    import { readFileSync } from 'node:fs'
    const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('koffi')
    const { loadNative } = await import('${beside('./native.ts')}')
    for (const name of ['allocate', 'peer-credentials', 'rename', 'sync'])
      await import('${beside('./')}' + name + '.ts')
    const before = loaded()
    loadNative()
    console.log(before, loaded())`)
  assert.equal(printed, 'false true\n')
})

test('The room works where koffi is not installed', (t) => {
  const folder = scratchFolder(t)
  cpSync(import.meta.dirname, join(folder, 'native'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const copy = (name: string): string => pathToFileURL(join(folder, 'native', name)).href
  const printed = run(`
    import { openSync, writeFileSync } from 'node:fs'
    import { Socket } from 'node:net'
    const { allocate } = await import('${copy('allocate.ts')}')
    const { peerCredentials } = await import('${copy('peer-credentials.ts')}')
    const { renameNoReplace } = await import('${copy('rename.ts')}')
    const { syncFileSystemAsync, startWriteback } = await import('${copy('sync.ts')}')
    const { nativeStatus } = await import('${copy('native.ts')}')
    process.chdir(${JSON.stringify(folder)})
    const fd = openSync('from', 'w')
    console.log(allocate(fd, 0, 10))
    console.log(await syncFileSystemAsync(fd), startWriteback(fd, 0, 0))
    console.log(renameNoReplace('from', 'to'))
    console.log(peerCredentials(new Socket()))
    console.log(nativeStatus().allocate)`)
  const lines = printed.split('\n')
  assert.deepEqual(lines.slice(0, 4), [
    'unsupported',
    'unsupported unsupported',
    'link',
    'undefined',
  ])
  assert.match(lines[4] ?? '', /^missing: (koffi cannot be loaded: .*koffi|no calls are known for)/)
})

test(
  'A worker thread has calls of its own, and may end in the middle of one',
  { skip },
  async (t) => {
    const fd = scratchFile(t, scratchFolder(t))
    const program = `
    const { parentPort } = require('node:worker_threads')
    void Promise.all(['allocate.ts', 'sync.ts'].map((name) => import('${beside('./')}' + name)))
      .then(([{ allocate }, { syncFileSystemAsync }]) => {
        const outcome = allocate(${fd}, 0, 4096)
        for (let call = 0; call < 20; call++) void syncFileSystemAsync(${fd})
        parentPort.postMessage(outcome)
        setInterval(() => {}, 1000)
      })`
    for (const _ of [1, 2]) {
      const worker = new Worker(program, { eval: true })
      const [outcome] = await once(worker, 'message')
      assert.equal(outcome, 'allocated')
      assert.equal(await worker.terminate(), 1)
    }
  },
)
