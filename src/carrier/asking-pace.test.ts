import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnedClock } from '../testing/turned-clock.ts'
import { AskingPace } from './asking-pace.ts'

const ignore = (): void => undefined

test('AskingPace admits one request at a time, and says when there is room for the next', () => {
  const clock = new TurnedClock()
  const pace = new AskingPace(1, 6, clock)
  let rings = 0
  const again = (): number => ++rings
  assert.equal(pace.window, 3)
  assert(pace.admits(again))
  assert(!pace.admits(again))
  assert(!pace.admits(again))
  clock.turn(24)
  assert.equal(rings, 0)
  clock.turn(1)
  assert.equal(rings, 1)
  assert(pace.admits(again))
  pace[Symbol.dispose]()
})

test('AskingPace lets go in time: twice the requests after a minute, and then all', () => {
  const clock = new TurnedClock()
  const pace = new AskingPace(2, 6, clock)
  assert.equal(pace.window, 1)
  clock.turn(60_000)
  assert.equal(pace.window, 3)
  assert(pace.admits(ignore))
  clock.turn(25)
  assert(pace.admits(ignore))
  clock.turn(60_000)
  assert.equal(pace.window, undefined)
  assert(pace.admits(ignore) && pace.admits(ignore) && pace.admits(ignore))
})

test('AskingPace rings no more once it is disposed', () => {
  const clock = new TurnedClock()
  const pace = new AskingPace(1, 6, clock)
  let rings = 0
  pace.admits(() => ++rings)
  pace.admits(() => ++rings)
  pace[Symbol.dispose]()
  clock.turn(1_000)
  assert.equal(rings, 0)
})
