import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Leg } from './leg.ts'
import { LegQueue } from './leg-queue.ts'
import { parseTarget } from './target.ts'
import { plainWay } from './way.ts'

const { signal } = new AbortController()
const target = parseTarget('http://a.test/')

function makeLeg(): Leg {
  const leg = new Leg({
    target,
    way: plainWay,
    method: 'GET',
    request: '',
    party: '',
    connections: 1,
    stallTimeoutMs: 1,
    signal,
    consumer: { head: () => 'drop', write: () => undefined, flush: () => undefined },
  })
  leg.over.catch(() => undefined)
  return leg
}

test('LegQueue serves in order and passes over who has left, however it is used', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('push' as const) },
    { weight: 3, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.nat() },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3_000, size: 'max' }), (steps) => {
      const queue = new LegQueue()
      let model: Leg[] = []
      for (const step of steps) {
        if (step === 'push') {
          const leg = makeLeg()
          queue.push(leg)
          model.push(leg)
        } else if (step === 'shift') {
          if (queue.next !== undefined) queue.shift()
          model.shift()
        } else {
          const leaver = model[step % Math.max(1, model.length)]
          leaver?.leave(new Error('gone'))
          model = model.filter((leg) => leg !== leaver)
        }
        assert.equal(queue.next, model[0])
      }
      assert.deepEqual(queue.clear(), model)
      assert.equal(queue.next, undefined)
    }),
    { numRuns: 20 },
  )
})
