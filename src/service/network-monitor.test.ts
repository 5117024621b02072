import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { silentLog } from '../base/log.ts'
import type { NetworkChange } from '../engine/ports/network.ts'
import { available, missing } from '../native/capability.ts'
import type { RouteNews } from '../native/network/route-message.ts'
import type { RouteListener } from '../native/network/route-socket.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { networkAddresses } from './network-addresses.ts'
import { SystemNetwork } from './network-monitor.ts'

const cost = {
  present: () => undefined,
  watch: () => ({ [Symbol.dispose]: () => undefined }),
  lookAgain: () => undefined,
}

const acknowledged: RouteNews = { kind: 'acknowledged' }
const addresses: RouteNews = { kind: 'addresses' }
const way = (name: string, isThere = true): RouteNews => ({
  kind: 'defaultRoute',
  isThere,
  way: name,
})

/** A machine whose kernel and addresses a test plays. */
class Machine implements Disposable {
  has: readonly string[]
  readonly clock = new TurnedClock()
  readonly listeners: RouteListener[] = []
  readonly heard: NetworkChange[] = []
  readonly network: SystemNetwork
  lookedAtCost = 0
  #watch: Disposable | undefined

  constructor(has: readonly string[], { isDeaf = false } = {}) {
    this.has = has
    this.network = new SystemNetwork({
      listen: () => (isDeaf ? missing('a test') : available((one) => this.#listen(one))),
      addresses: () => new Set(this.has),
      cost: { ...cost, lookAgain: () => void this.lookedAtCost++ },
      clock: this.clock,
      log: silentLog,
    })
  }

  #listen(listener: RouteListener): Disposable {
    this.listeners.push(listener)
    return {
      [Symbol.dispose]: () => void this.listeners.splice(this.listeners.indexOf(listener), 1),
    }
  }

  watch(): this {
    this.#watch = this.network.watch((change) => this.heard.push(change))
    this.tell(acknowledged)
    this.clock.turn(0)
    return this
  }

  rest(): void {
    this.#watch?.[Symbol.dispose]()
  }

  tell(...news: readonly RouteNews[]): void {
    for (const one of news) this.listeners.at(-1)?.news(one)
  }

  /** What is told from now on until `ms` have passed. */
  hears(ms = 100): readonly boolean[] {
    this.heard.length = 0
    this.clock.turn(ms)
    return this.heard.map(({ somethingCame }) => somethingCame)
  }

  [Symbol.dispose](): void {
    this.rest()
  }
}

describe('SystemNetwork', () => {
  test('tells once that an address came or went, when the burst is over', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    assert.equal(machine.network.isThere(), true)
    machine.has = []
    machine.tell(addresses, addresses)
    assert.deepEqual(machine.hears(99), [])
    machine.tell(addresses)
    assert.deepEqual(machine.hears(99), [])
    assert.deepEqual(machine.hears(1), [false])
    assert.equal(machine.network.isThere(), false)
    machine.has = ['eth0 10.0.0.2']
    machine.tell(addresses)
    assert.deepEqual(machine.hears(), [true])
    assert.equal(machine.lookedAtCost, 2)
  })

  test('does not let a burst put it off for ever', () => {
    using machine = new Machine([]).watch()
    machine.has = ['eth0 10.0.0.2']
    const told: boolean[] = []
    for (let round = 0; round < 21; round++) {
      machine.tell(addresses)
      told.push(...machine.hears(50))
    }
    assert.deepEqual(told, [true])
  })

  test('says nothing of links and addresses that reach no further', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    machine.tell(addresses)
    assert.deepEqual(machine.hears(5_000), [])
  })

  test('takes a default route for something that came, once for each', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    machine.tell(way('a'))
    assert.deepEqual(machine.hears(), [true])
    machine.tell(way('a'))
    assert.deepEqual(machine.hears(), [], 'a router that announces itself again')
    machine.tell(way('a', false))
    assert.deepEqual(machine.hears(), [false])
    machine.tell(way('a'))
    assert.deepEqual(machine.hears(), [true])
  })

  test('knows that routes go with their addresses, though the kernel does not tell', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    machine.tell(way('a'))
    machine.hears()
    machine.has = []
    machine.tell(addresses)
    machine.hears()
    machine.has = ['eth0 10.0.0.2']
    machine.tell(addresses)
    assert.deepEqual(machine.hears(), [true])
    machine.tell(way('a'))
    assert.deepEqual(machine.hears(), [true], 'the way that the address alone did not give')
  })

  test('tells at the beginning of a watch what happened since the last', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    assert.deepEqual(machine.heard, [])
    machine.rest()
    assert.deepEqual(machine.listeners, [])
    machine.has = ['wlan0 10.9.0.7']
    machine.watch()
    assert.deepEqual(machine.heard, [{ somethingCame: true }])
    machine.rest()
    machine.heard.length = 0
    machine.watch()
    assert.deepEqual(machine.heard, [])
  })

  test('listens again after more came than could be heard, and looks at everything', () => {
    using machine = new Machine(['eth0 10.0.0.2']).watch()
    machine.has = []
    machine.listeners.pop()?.failed(new Error('ENOBUFS'))
    assert.equal(machine.listeners.length, 1)
    assert.deepEqual(machine.hears(0), [false])
  })

  for (const [why, isDeaf] of [
    ['that does not tell', true],
    ['that never says a word', false],
  ] as const) {
    test(`looks by itself beside a kernel ${why}`, () => {
      using machine = new Machine(['eth0 10.0.0.2'], { isDeaf })
      using _ = machine.network.watch((change) => machine.heard.push(change))
      machine.listeners.pop()?.failed(new Error('no acknowledgement'))
      machine.has = []
      assert.deepEqual(machine.hears(0), [false])
      machine.has = ['eth0 10.0.0.2']
      assert.deepEqual(machine.hears(1_999), [])
      assert.deepEqual(machine.hears(1), [true])
    })
  }
})

test('networkAddresses() leaves out what reaches no further than this machine and its links', () => {
  for (const address of networkAddresses()) {
    assert.doesNotMatch(address, / (?:127\.|::1$|fe[89ab])/u)
  }
})
