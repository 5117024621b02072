/** The life of a service as its users see it: started, followed, killed, doubled, stopped, and in strange places. */

import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'
import { parseLastLine } from '../lab/expect.ts'
import { FILE_BYTES, GatedOrigin } from '../lab/gated-origin.ts'
import { atTerminalOf, noTerminal } from '../lab/terminal.ts'
import { isRunning, killProcess, LullHome, resultOf, until } from '../lab/lull.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')
const dist = join(import.meta.dirname, '..', '..', 'dist')
const options = { concurrency: 3 }

/** Starts `lull get` of a held file and waits until half of it has come. */
async function following(
  home: LullHome,
  origin: GatedOrigin,
  ...args: readonly string[]
): Promise<{ child: ChildProcess; result: ReturnType<typeof resultOf> }> {
  const child = home.start(['get', origin.url('/held/f'), '-o', 'f', ...args])
  const result = resultOf(child)
  await until(() => origin.held > 0, 'half of the file has come')
  await until(
    async () => (await home.jobs()).some((job) => job.bytesTransferred > 0),
    'the job shows it',
  )
  return { child, result }
}

suite('following', options, () => {
  test('Ctrl-C detaches: the job goes on, and the command says how to find it', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { child, result } = await following(home, origin)
    child.kill('SIGINT')
    const { status, stderr } = await result
    assert.equal(status, 130)
    const [, id = ''] =
      /Job ([0-9a-f]{8}) goes on in the background: lull follow/u.exec(stderr) ?? []
    origin.release()
    await until(() => existsSync(home.path('f')), 'the file is there')
    assert.match((await home.run(['job', id])).stdout, /ACKNOWLEDGED/u)
  })

  test('a job is followed again by its id, to the same end', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { child, result } = await following(home, origin)
    child.kill('SIGINT')
    const [, id = ''] = /lull follow ([0-9a-f]{8})/u.exec((await result).stderr) ?? []
    const again = home.run(['follow', id, '--json'])
    const failing = home.run(['get', origin.url('/status/404/x'), '-o', 'x', '-p', 'foreground'])
    const [, bad = ''] = /lull resume ([0-9a-f]{8})/u.exec((await failing).stderr) ?? []
    const { status: failed, lastLine } = await home.run(['follow', bad, '--quiet'])
    assert.equal(failed, 1)
    assert.equal(parseLastLine(lastLine).symbol, 'BG_E_HTTP_ERROR_404')
    origin.release()
    const { status, stdout } = await again
    assert.equal(status, 0)
    assert.equal(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').state, 'ACKNOWLEDGED')
    const { status: later, stderr } = await home.run(['follow', id])
    assert.equal(later, 0)
    assert.match(stderr, /^f: complete, 100 %/u)
  })

  test('a service that is killed is started again, and the file is whole', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { result } = await following(home, origin)
    await home.killService()
    origin.release()
    const { status, stderr } = await result
    assert.equal(status, 0, stderr)
    assert.equal(origin.content.firstDifference(home.path('f')), undefined)
  })

  test('a service that is ended by SIGTERM is started again too', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { result } = await following(home, origin, '--json')
    await home.stopService()
    origin.release()
    const { status, stderr } = await result
    assert.equal(status, 0, stderr)
  })

  test('lull stop ends it for those who follow as well', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { result } = await following(home, origin)
    const stopped = await home.run(['stop'])
    assert.equal(stopped.status, 0, stopped.stderr)
    const { status, lastLine } = await result
    assert.equal(status, 3)
    assert.match(parseLastLine(lastLine).sentence, /^The service was stopped/u)
    assert.equal(home.servicePid, undefined)
    assert.equal((await home.run(['stop'])).stdout, 'The service does not run\n')
    // The next command that needs it starts it, and the job goes on from what is there.
    origin.release()
    assert.equal((await home.run(['jobs'])).status, 0)
    await until(() => existsSync(home.path('f')), 'the file is there')
    assert(origin.requests.some(({ headers }) => headers.range !== undefined))
  })

  test('a reader of --json that goes away detaches', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { child, result } = await following(home, origin, '--json')
    child.stdout?.destroy()
    origin.release()
    const { status } = await result
    assert(status === 130 || status === 0, `${status}`)
    await until(() => existsSync(home.path('f')), 'the file is there')
  })

  test('SIGTERM ends a service that transfers, with what is synced in the queue', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const { child, result } = await following(home, origin)
    child.kill('SIGINT')
    await result
    const pid = home.servicePid
    assert(pid !== undefined)
    process.kill(pid, 'SIGTERM')
    await until(() => !isRunning(pid), 'the service ends')
    const [partial = ''] = home.partials
    const expected = origin.content.bytes().subarray(0, FILE_BYTES / 2)
    assert.deepEqual(readFileSync(home.path(partial)).subarray(0, expected.length), expected)
    origin.release()
    await (await home.manager()).getStatus()
    await until(() => existsSync(home.path('f')), 'the file is there')
    const last = origin.requests.at(-1)?.headers.range
    assert.equal(last, `bytes=${FILE_BYTES / 2}-`, 'nothing is fetched twice')
  })
})

suite('one service per home', options, () => {
  test('a second one says who holds the lock', async () => {
    await using home = new LullHome()
    assert.equal((await home.run(['jobs'])).status, 0)
    const { status, lastLine } = await home.run(['serve'])
    assert.equal(status, 3)
    assert(parseLastLine(lastLine).sentence.includes(`process with id ${home.servicePid}`))
  })

  test('what a killed service leaves behind is taken over', async () => {
    await using home = new LullHome()
    await home.run(['jobs'])
    await home.killService()
    assert(existsSync(join(home.home, 'lull.sock')))
    assert.equal((await home.run(['status'])).status, 3)
    const serve = home.start(['serve'])
    const result = resultOf(serve)
    await until(async () => (await home.run(['status'])).status === 0, 'the service answers')
    serve.kill('SIGTERM')
    // A second signal does not cut short what the first began.
    serve.kill('SIGINT')
    const { status, stderr } = await result
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^The service runs in .* with process id \d+\n$/u)
    assert(!existsSync(join(home.home, 'lull.sock')))
  })

  test('ten commands at once start one service', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const names = Array.from({ length: 10 }, (_, index) => `c${index}`)
    const results = await Promise.all(
      names.map((name) => home.run(['get', origin.url(`/good/${name}`), '-o', name])),
    )
    for (const { status, stderr } of results) assert.equal(status, 0, stderr)
    assert.deepEqual(home.files.toSorted(), names)
    const starts = readFileSync(join(home.home, 'lull.log'), 'utf8').match(/The service started/gu)
    assert.equal(starts?.length, 1)
  })
})

async function unreachable(home: LullHome, args: readonly string[]): Promise<string> {
  const { status, lastLine } = await home.run(args)
  assert.equal(status, 3, lastLine)
  const { sentence, symbol } = parseLastLine(lastLine)
  assert.equal(symbol, 'RPC_S_SERVER_UNAVAILABLE')
  return sentence
}

function change(path: string, statement: string): void {
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
}

suite('a service that cannot be reached', options, () => {
  test('lull status with none running ends with 3 and starts none', async () => {
    await using home = new LullHome()
    assert.match(await unreachable(home, ['status']), /no service answers/u)
    assert.equal(home.servicePid, undefined)
  })

  test('a home that cannot be made is told', async () => {
    for (const path of ['/dev/null/home', '/proc/nothing']) {
      await using home = new LullHome()
      const env = { ...process.env, LULL_HOME: path }
      const { status, stderr } = spawnSync(process.execPath, [command, 'jobs'], {
        env,
        cwd: home.target,
        encoding: 'utf8',
      })
      assert.equal(status, 3)
      assert(stderr.includes(path), stderr)
    }
  })

  test('a home that everybody may write to is not taken from them', async () => {
    const { status, stderr } = spawnSync(process.execPath, [command, 'jobs'], {
      env: { ...process.env, LULL_HOME: '/tmp' },
      encoding: 'utf8',
    })
    assert.equal(status, 3)
    assert.match(stderr, /belongs to another user|everybody may write/u)
  })

  test('a damaged, a newer and a foreign queue are told, and left as they are', async () => {
    const rows: readonly (readonly [says: RegExp, change: (path: string) => void])[] = [
      [/damaged/u, (path) => writeFileSync(path, Buffer.alloc(4_096, 'garbage'))],
      [/newer version/u, (path) => change(path, 'PRAGMA user_version = 9999')],
      [/another program/u, (path) => change(path, 'PRAGMA application_id = 1')],
    ]
    for (const [says, spoil] of rows) {
      await using home = new LullHome()
      await home.run(['jobs'])
      await home.stopService()
      const path = join(home.home, 'queue.db')
      spoil(path)
      const before = readFileSync(path)
      assert.match(await unreachable(home, ['jobs']), says)
      assert.match(await unreachable(home, ['serve']), says)
      assert.deepEqual(readFileSync(path), before)
    }
  })

  test('a configuration that is wrong is told with the place', async () => {
    await using home = new LullHome()
    writeFileSync(join(home.home, 'config.json'), '{ "backgroundJobs": 0 }')
    assert.match(await unreachable(home, ['jobs']), /backgroundJobs: expected a whole number/u)
    writeFileSync(join(home.home, 'config.json'), '{ "backgroundJobs": 2')
    assert.match(await unreachable(home, ['jobs']), /config\.json: it is not JSON: /u)
    writeFileSync(join(home.home, 'config.json'), '\uFEFF{ "backgroundJobs": 2 }')
    assert.equal((await home.run(['jobs'])).status, 0)
  })

  test('a folder in the place of the socket is told', async () => {
    await using home = new LullHome()
    mkdirSync(join(home.home, 'lull.sock'))
    assert.match(await unreachable(home, ['jobs']), /Cannot listen at .*lull\.sock: /u)
  })
})

suite('strange places', options, () => {
  let origin: GatedOrigin
  before(async () => {
    origin = await GatedOrigin.start()
  })
  after(() => origin[Symbol.asyncDispose]())

  const names = ['x'.repeat(120), 'mit Leerzeichen', 'ünï — 日本語 $HOME "\'']
  for (const name of names) {
    test(`LULL_HOME may be …/${name.slice(0, 30)}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lull-lab-'))
      try {
        await using home = new LullHome({ home: join(folder, name) })
        const { status, stderr } = await home.run(['get', origin.url('/good/p'), '-o', 'p'])
        assert.equal(status, 0, stderr)
        const again = await home.run(['status'])
        assert(again.stdout.includes(name))
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }

  test('a dumb terminal gets plain lines', { skip: noTerminal }, async () => {
    await using home = new LullHome()
    for (const [term, redraws] of [
      ['dumb', false],
      ['xterm', true],
    ] as const) {
      const line = `TERM=${term} "${process.execPath}" "${command}" get ${origin.url(`/good/${term}`)} -o ${term}`
      const env = { ...process.env, LULL_HOME: home.home }
      const { status, screen } = await atTerminalOf(line, { cwd: home.target, env }, [])
      assert.equal(status, 0, screen)
      assert.equal(screen.includes('\u001B'), redraws, screen)
    }
  })

  test('LULL_HOME may be relative, and a link to a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lull-lab-'))
    try {
      mkdirSync(join(folder, 'real'))
      symlinkSync('real', join(folder, 'link'))
      for (const name of ['in/a folder', 'link']) {
        await using home = new LullHome({ home: join(folder, name) })
        const { status, stderr, stdout } = spawnSync(
          process.execPath,
          [command, 'get', origin.url('/good/r'), '-o', home.path('r'), '--detach'],
          { env: { ...process.env, LULL_HOME: name }, cwd: folder, encoding: 'utf8' },
        )
        assert.equal(status, 0, stderr)
        assert.equal((await home.run(['job', stdout.trim()])).status, 0)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('a folder that was deleted under the shell is told', async () => {
    await using home = new LullHome()
    const cwd = home.path('deleted')
    mkdirSync(cwd)
    const script = `rmdir "${cwd}"; "$0" "$1" get ${origin.url('/good/x')} -o "$2"; echo "ended with $?"`
    const child = spawn(
      'sh',
      ['-c', script, process.execPath, command, home.path('from-nowhere')],
      {
        cwd,
        env: { ...process.env, LULL_HOME: home.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const { stdout, stderr } = await resultOf(child)
    if (stdout.includes('ended with 0')) assert(existsSync(home.path('from-nowhere')))
    else assert.match(stderr, /lull: .*folder.* \(\w+ 0x[0-9A-F]{8}, \w+\)\n$/u)
  })

  test('lull jobs | head -1 is quiet about a reader that goes away', async () => {
    await using home = new LullHome()
    const manager = await home.manager()
    await manager.createJobs(
      Array.from({ length: 900 }, (_, index) => ({ displayName: `job number ${index}` })),
    )
    const script = `set -o pipefail; "$0" "$1" jobs --json | head -1`
    const child = spawn('bash', ['-c', script, process.execPath, command], {
      env: { ...process.env, LULL_HOME: home.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { status, stdout, stderr } = await resultOf(child)
    assert.deepEqual([status, stdout, stderr], [0, '[\n', ''])
  })

  test('standard output on a full disk is an error', async (t) => {
    if (!existsSync('/dev/full')) return t.skip('there is no /dev/full')
    await using home = new LullHome()
    const script = `"$0" "$1" --help > /dev/full`
    const child = spawn('sh', ['-c', script, process.execPath, command], {
      env: { ...process.env, LULL_HOME: home.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { status, stderr } = await resultOf(child)
    assert.equal(status, 1)
    assert.match(stderr, /ENOSPC/u)
  })
})

/** The machine's own Node, when it is older than what Lull needs. */
const olderNode = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return status === 0 && Number(/^v(\d+)/u.exec(stdout)?.[1]) < 24
})

suite('an older Node', { skip: olderNode === undefined && 'none is installed' }, () => {
  test('runs the command with the pinned one, and hands signals on', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new LullHome()
    const env = { ...process.env, LULL_HOME: home.home }
    const child = spawn(
      olderNode ?? '',
      [command, 'get', origin.url('/held/o'), '-o', home.path('o')],
      {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const result = resultOf(child)
    await until(() => origin.held > 0, 'half of the file has come')
    child.kill('SIGTERM')
    assert.equal((await result).status, 130)
    origin.release()
    await until(() => existsSync(home.path('o')), 'the file is there')
  })

  test('says what it needs when the pinned one is not there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lull-lab-'))
    try {
      mkdirSync(join(folder, 'bin'))
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(join(folder, 'bin', 'lull.js'), readFileSync(command))
      symlinkSync(join(import.meta.dirname, '..', '..', 'dist'), join(folder, 'dist'))
      const child = spawn(olderNode ?? '', [join(folder, 'bin', 'lull.js'), 'jobs'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const { status, stderr } = await resultOf(child)
      assert.equal(status, 3)
      assert.match(stderr, /^lull: Lull needs Node 24 or newer, this is .*\)\n$/u)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  for (const door of ['index.js', 'embed.js']) {
    test(`cannot import ${door}, and says why in one sentence`, () => {
      const url = JSON.stringify(pathToFileURL(join(dist, door)))
      const script = `import(${url}).catch((error) => console.log(error.message))`
      const { stdout, stderr } = spawnSync(olderNode ?? '', ['-e', script], { encoding: 'utf8' })
      assert.match(
        stdout,
        /^Cannot use Lull: it needs Node 24 or newer, this is [\d.]+\n$/u,
        stderr,
      )
    })
  }
})

test('a client that hangs up while the service starts leaves a service that works', async () => {
  await using home = new LullHome()
  const child = home.start(['jobs'])
  const gone = once(child, 'exit')
  await until(() => existsSync(join(home.home, 'lock')), 'the service begins')
  child.kill('SIGKILL')
  await gone
  assert.equal((await home.run(['jobs'])).status, 0)
  const pid = home.servicePid
  assert(pid !== undefined)
  await killProcess(pid, 'SIGTERM')
})
