/** The package is replaced under a running service, as npm does it: nothing mixes, and nothing is lost. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { currentWorld, findHome, type Home } from '../../src/client/home.ts'
import { socketTransport } from '../../src/client/socket-transport.ts'
import { connect } from '../../src/client/start-service.ts'
import { UnreachableError } from '../../src/client/unreachable.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { ServiceStatus } from '../../src/rpc/contract.ts'
import { GatedOrigin } from '../lab/gated-origin.ts'
import { LullHome, resultOf, until, type CommandResult } from '../lab/lull.ts'

const root = join(import.meta.dirname, '..', '..')

/** An installed package of its own, and a home. */
class Installed extends LullHome {
  readonly #package: string

  constructor(version: string) {
    super()
    this.#package = join(this.folder, 'package')
    this.install(version)
  }

  /** Puts the package there, in the place of the one that is. */
  install(version: string, folder: string = this.#package): void {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    for (const name of ['bin', 'dist']) {
      cpSync(join(root, name), join(folder, name), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }))
  }

  /** Runs the installed command. */
  async lull(args: readonly string[], folder: string = this.#package): Promise<CommandResult> {
    return resultOf(
      spawn(process.execPath, [join(folder, 'bin', 'lull.js'), ...args], {
        cwd: this.target,
        env: { ...process.env, LULL_HOME: this.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  /** What the service says of itself to the installed command, which may make it begin anew. */
  async status(): Promise<ServiceStatus> {
    const { stdout, stderr, status } = await this.lull(['status', '--json'])
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }

  /** Whether a service of this version answers; that one of them does is asserted. */
  async isAnsweredBy(version: string): Promise<boolean> {
    return (await this.status()).version === version
  }

  /** Speaks to the service without any command, and starts none. */
  connect(): Promise<RpcClient> {
    return connect(this.#places, { start: false })
  }

  get socket(): string {
    return this.#places.socket
  }

  get #places(): Home {
    const world = currentWorld()
    return findHome({ ...world, env: { ...world.env, LULL_HOME: this.home } })
  }

  get log(): string {
    return readFileSync(join(this.home, 'lull.log'), 'utf8')
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

suite('an upgrade', { skip: process.platform === 'win32' && 'files in use stay there' }, () => {
  test('the next command makes an idle service begin anew, as the same process', async () => {
    await using home = new Installed('1.0.0')
    assert.equal((await home.lull(['jobs'])).status, 0)
    const before = await home.status()
    assert.deepEqual([before.version, before.code.state], ['1.0.0', 'current'])
    home.install('2.0.0')
    await until(() => home.isAnsweredBy('2.0.0'), 'the new one answers', 100)
    const after = await home.status()
    assert.deepEqual([after.pid, after.code.state], [before.pid, 'current'])
    assert.match(home.log, /The code of this service was replaced/u)
  })

  test('nobody who asks meanwhile hears that there is no service', async () => {
    await using home = new Installed('1.0.0')
    assert.equal((await home.lull(['jobs'])).status, 0)
    const kept = await home.connect()
    home.install('2.0.0')
    let isRenewed = false
    const askers = Array.from({ length: 8 }, async (_, index) => {
      while (!isRenewed) {
        // Some hold a connection, others find the service anew every time.
        await (index % 2 === 0 ? kept : await home.connect()).call('job.list', {})
        if (index === 0) isRenewed = await home.isAnsweredBy('2.0.0')
      }
    })
    await Promise.all(askers)
  })

  test('where no service runs that is said, whatever the last one left beside its lock', async () => {
    await using home = new Installed('1.0.0')
    const { stderr, status } = await home.lull(['status'])
    assert.deepEqual([status, /no service answers/u.test(stderr)], [3, true])
    assert.equal((await home.lull(['jobs'])).status, 0)
    await home.killService()
    await assert.rejects(home.connect(), UnreachableError)
  })

  test('what is being transferred is not disturbed, and the service waits for it', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new Installed('1.0.0')
    const getting = home.lull(['get', origin.url('/held/f'), '-o', 'f'])
    await until(() => origin.held > 0, 'half of the file has come')
    home.install('2.0.0')
    await until(async () => (await home.status()).code.state === 'replaced', 'it is seen', 100)
    const { stdout, stderr } = await home.lull(['status'])
    assert.match(stdout, /Code +was replaced: the service begins anew once nothing is transferred/u)
    assert.match(stderr, /is of version 1\.0\.0, this is version 2\.0\.0: the service begins anew/u)
    assert.equal((await home.status()).version, '1.0.0')
    origin.release()
    assert.equal((await getting).status, 0)
    assert.equal(origin.count('/held/f'), 1)
    assert.equal(origin.content.firstDifference(home.path('f')), undefined)
    await until(() => home.isAnsweredBy('2.0.0'), 'the new one answers', 100)
  })

  test('a service that would need a new carrier begins anew, and the job goes on', async () => {
    await using origin = await GatedOrigin.start()
    await using home = new Installed('1.0.0')
    assert.equal((await home.lull(['jobs'])).status, 0)
    const client = await home.connect()
    const { id } = await client.call('job.create', {
      displayName: 'later',
      files: [{ remoteName: origin.url('/good/f'), localName: home.path('f') }],
      completesItself: true,
    })
    home.install('2.0.0')
    await client.call('job.resume', { id })
    await until(
      async () => (await client.call('job.get', { id })).state === 'ACKNOWLEDGED',
      'the file is there',
    )
    assert.equal(origin.content.firstDifference(home.path('f')), undefined)
    assert.equal((await client.call('service.status', {})).version, '2.0.0')
  })

  test('a program that holds a connection meets the next service, and no error', async () => {
    await using home = new Installed('1.0.0')
    assert.equal((await home.lull(['jobs'])).status, 0)
    const manager = await home.manager()
    const job = await manager.createJob('kept')
    home.install('2.0.0')
    await until(async () => {
      const { version } = await manager.getStatus()
      assert.equal(await job.getState(), 'SUSPENDED')
      return version === '2.0.0'
    }, 'the new one answers')
  })

  test('a signal ends a service that makes room for the next one, and no next one begins', async () => {
    await using home = new Installed('1.0.0')
    assert.equal((await home.lull(['jobs'])).status, 0)
    const { pid } = await home.status()
    // Until it is cut, the service has not ended.
    const stream = request({ socketPath: home.socket, path: '/events' }).end()
    stream.on('error', () => undefined)
    await once(stream, 'response')
    home.install('2.0.0')
    const raw = new RpcClient(socketTransport(home.socket))
    await until(
      async () => (await raw.call('service.status', {})).code.isRestarting,
      'it makes room',
    )
    process.kill(pid, 'SIGTERM')
    await until(() => !isAlive(pid), 'it has ended')
    assert.doesNotMatch(home.log.slice(home.log.indexOf('was replaced')), /The service started/u)
  })

  test('a command of another version says so, and ends nothing', async () => {
    await using home = new Installed('1.0.0')
    const other = join(home.folder, 'other')
    home.install('2.0.0', other)
    assert.equal((await home.lull(['jobs'])).status, 0)
    const { status, stderr } = await home.lull(['jobs'], other)
    assert.equal(status, 0)
    assert.equal(
      stderr,
      'The service is of version 1.0.0, this is version 2.0.0: where they do not understand each other, lull stop ends it, and the next command starts its own\n',
    )
    const client = await home.connect()
    assert.equal((await client.call('service.status', {})).version, '1.0.0')
  })
})
