import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LullError } from '../../base/error.ts'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { createDiscovery, FINDER_LIMIT_MS, FOUND_LIFE_MS, NONE_LIFE_MS } from './discovery.ts'
import type { ScriptFinder } from './source.ts'

/** Finders that answer from a list, and what was asked. */
function scripted(answers: Readonly<Record<string, () => Promise<string | undefined>>>): {
  readonly finders: readonly ScriptFinder[]
  readonly asked: string[]
} {
  const asked: string[] = []
  const finders = Object.entries(answers).map(([name, answer]) => ({
    name,
    find: () => {
      asked.push(name)
      return answer()
    },
  }))
  return { finders, asked }
}

const url = 'http://wpad.example/wpad.dat'
const none = async (): Promise<undefined> => undefined
const found = async (): Promise<string> => url

describe('discovery', () => {
  test('asks nobody before somebody asks it (N84)', () => {
    const { finders, asked } = scripted({ DHCP: found })
    createDiscovery({ clock: new TurnedClock(), finders })
    assert.deepEqual(asked, [])
  })

  test('does not ask DNS where DHCP names a script (N80)', async () => {
    const { finders, asked } = scripted({ DHCP: found, DNS: found })
    assert.equal(await createDiscovery({ clock: new TurnedClock(), finders }).find(), url)
    assert.deepEqual(asked, ['DHCP'])
  })

  test('goes on where a way names none, fails or does not end', async () => {
    const clock = new TurnedClock()
    const stuck = Promise.withResolvers<undefined>()
    const { finders, asked } = scripted({
      DHCP: none,
      broken: () => Promise.reject(new Error('no such program')),
      stuck: () => {
        stuck.resolve(undefined)
        return new Promise(() => undefined)
      },
      DNS: found,
    })
    const search = createDiscovery({ clock, finders }).find()
    await stuck.promise
    clock.turn(FINDER_LIMIT_MS)
    assert.equal(await search, url)
    assert.deepEqual(asked, ['DHCP', 'broken', 'stuck', 'DNS'])
    assert.equal(clock.alarms, 0)
  })

  test('shares one search among all who ask at the same time', async () => {
    const { finders, asked } = scripted({ DHCP: found })
    const discovery = createDiscovery({ clock: new TurnedClock(), finders })
    assert.deepEqual(await Promise.all([discovery.find(), discovery.find()]), [url, url])
    assert.deepEqual(asked, ['DHCP'])
  })

  const lives = [
    [found, FOUND_LIFE_MS, 'that there is one for twelve hours'],
    [none, NONE_LIFE_MS, 'that there is none for five minutes (N85)'],
  ] as const

  for (const [answer, lifeMs, what] of lives) {
    test(`remembers ${what}, or until the network is another one`, async () => {
      const clock = new TurnedClock()
      const { finders, asked } = scripted({ DHCP: answer })
      const discovery = createDiscovery({ clock, finders })
      await discovery.find()
      clock.turn(lifeMs - 1)
      await discovery.find()
      assert.equal(asked.length, 1)
      clock.turn(1)
      await discovery.find()
      assert.equal(asked.length, 2)
      discovery.networkChanged()
      await discovery.find()
      assert.equal(asked.length, 3)
    })
  }

  test('lets one give up while the others go on waiting', async () => {
    const answer = Promise.withResolvers<string>()
    const { finders, asked } = scripted({ DHCP: () => answer.promise })
    const discovery = createDiscovery({ clock: new TurnedClock(), finders })
    const controller = new AbortController()
    const impatient = discovery.find({ signal: controller.signal })
    const patient = discovery.find()
    controller.abort(new LullError('ERR_TEST_ABORT', 'Given up'))
    await assert.rejects(impatient, { code: 'ERR_TEST_ABORT' })
    answer.resolve(url)
    assert.equal(await patient, url)
    assert.deepEqual(asked, ['DHCP'])
  })
})
