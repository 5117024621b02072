import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hop, Proxy } from '../job/route.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { ASKED_LAST_FOR_MS, UnreachableProxies } from './unreachable.ts'

const proxy = (port: number): Proxy => ({ scheme: 'http', host: 'p', port })

test('order() leaves no way out and adds none, puts those that are away last, and changes nothing else (N75, N76)', () => {
  const hop = fc.oneof(fc.constant<Hop>('direct'), fc.integer({ min: 1, max: 6 }).map(proxy))
  const away = fc.array(fc.integer({ min: 1, max: 6 }).map(proxy), { maxLength: 6 })
  fc.assert(
    fc.property(hop, fc.array(hop, { maxLength: 8 }), away, (first, others, away) => {
      const unreachable = new UnreachableProxies(new TurnedClock())
      for (const each of away) unreachable.add(each)
      const route = [first, ...others] as const
      const isAway = (hop: Hop): boolean =>
        hop !== 'direct' && away.some(({ port }) => port === hop.port)
      assert.deepEqual(unreachable.order(route), [
        ...route.filter((hop) => !isAway(hop)),
        ...route.filter(isAway),
      ])
    }),
  )
})

test('a proxy is away for five minutes from the last time it could not be reached (N75)', () => {
  const clock = new TurnedClock()
  const unreachable = new UnreachableProxies(clock)
  unreachable.add(proxy(1))
  clock.turn(ASKED_LAST_FOR_MS - 1)
  unreachable.add(proxy(1))
  clock.turn(ASKED_LAST_FOR_MS - 1)
  assert.equal(unreachable.has(proxy(1)), true)
  clock.turn(1)
  assert.equal(unreachable.has(proxy(1)), false)
})

test('the same host spoken to in another way is another proxy (N75)', () => {
  const unreachable = new UnreachableProxies(new TurnedClock())
  unreachable.add({ scheme: 'socks5', host: 's', port: 1080 })
  assert.equal(unreachable.has({ scheme: 'socks4', host: 's', port: 1080 }), false)
})
