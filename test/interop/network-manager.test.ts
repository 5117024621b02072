/** What the network costs, asked of a real bus with a NetworkManager that says what a test wants. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { whyMissing } from '../lab/installed.ts'
import { networkManagerNeeds, SystemBus } from '../lab/network-manager.ts'
import { silentLog } from '../../src/base/log.ts'
import { costStates } from '../../src/job/cost.ts'
import { NetworkManager } from '../../src/service/network-manager.ts'

const { unrestricted, cappedUsageUnknown, roaming } = costStates
const skip = whyMissing(networkManagerNeeds)

/** Watches, and waits for what it hears. */
class Watcher implements Disposable {
  readonly manager = new NetworkManager(silentLog)
  readonly #watch: Disposable
  #heard = Promise.withResolvers<void>()
  /** Whatever else happens, the process waits for the bus. */
  readonly #alive = setInterval(() => undefined, 1_000)

  constructor() {
    this.#watch = this.manager.watch(() => {
      const heard = this.#heard
      this.#heard = Promise.withResolvers<void>()
      heard.resolve()
    })
  }

  /** What it is told next. */
  async next(): Promise<number | undefined> {
    await this.#heard.promise
    return this.manager.present()
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
    clearInterval(this.#alive)
  }
}

/** A bus that `busctl` and `gdbus` take for the system's. */
async function systemBus(): Promise<SystemBus> {
  const bus = await SystemBus.start()
  process.env['DBUS_SYSTEM_BUS_ADDRESS'] = bus.address
  return bus
}

describe('NetworkManager', { skip }, () => {
  const answers = [
    [{ Metered: 0 }, unrestricted, 'unknown'],
    [{ Metered: 1 }, cappedUsageUnknown, 'yes'],
    [{ Metered: 2 }, unrestricted, 'no'],
    [{ Metered: 3 }, cappedUsageUnknown, 'guessed to be'],
    [{ Metered: 4 }, unrestricted, 'guessed not to be'],
    [
      { Metered: 3, PrimaryConnectionType: 'gsm', modems: [[11, 5]] },
      cappedUsageUnknown | roaming,
      'a modem abroad',
    ],
    [
      { Metered: 3, PrimaryConnectionType: 'gsm', modems: [[11, 1]] },
      cappedUsageUnknown,
      'a modem at home',
    ],
    [
      { Metered: 4, PrimaryConnectionType: '802-11-wireless', modems: [[11, 5]] },
      unrestricted,
      'a modem abroad that is not in use',
    ],
  ] as const

  test('is asked what the network costs', async () => {
    await using bus = await systemBus()
    await using managers = await bus.startManagers()
    for (const [facts, cost, what] of answers) {
      await managers.say({ PrimaryConnectionType: '802-3-ethernet', ...facts })
      using watcher = new Watcher()
      assert.equal(watcher.manager.present(), undefined)
      assert.equal(await watcher.next(), cost, what)
    }
  })

  test('tells of changes', async () => {
    await using bus = await systemBus()
    await using managers = await bus.startManagers()
    using watcher = new Watcher()
    assert.equal(await watcher.next(), unrestricted)
    await managers.say({ Metered: 1 })
    assert.equal(await watcher.next(), cappedUsageUnknown)
    await managers.say({ Metered: 2 })
    assert.equal(await watcher.next(), unrestricted)
  })

  test('costs nothing where nobody manages the network, and is not started to be asked', async () => {
    await using bus = await systemBus()
    using watcher = new Watcher()
    assert.equal(await watcher.next(), unrestricted)
    assert.equal(existsSync(bus.wasStarted), false)
  })

  test('costs nothing where there is no bus', async () => {
    process.env['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=/nowhere/at/all'
    using watcher = new Watcher()
    assert.equal(await watcher.next(), unrestricted)
  })

  test('that ends says nothing more', async () => {
    await using bus = await systemBus()
    const managers = await bus.startManagers()
    await managers.say({ Metered: 1 })
    using watcher = new Watcher()
    assert.equal(await watcher.next(), cappedUsageUnknown)
    await managers[Symbol.asyncDispose]()
    watcher.manager.lookAgain()
    assert.equal(await watcher.next(), unrestricted)
  })
})

test('costs nothing where there is nobody to ask with', async () => {
  const { PATH } = process.env
  process.env['PATH'] = '/nowhere'
  using watcher = new Watcher()
  assert.equal(await watcher.next(), unrestricted)
  process.env['PATH'] = PATH
})
