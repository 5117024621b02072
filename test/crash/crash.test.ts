/** Nothing is lost and nothing is wrong, whoever dies and whenever. */

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { cannotMount } from '../lab/small-disk.ts'
import { crash } from './crash.ts'

const ROUNDS = 200

test(`${ROUNDS} rounds of jobs whose services and carriers are killed lose no job and no byte`, async (t) => {
  const seed = Date.now() % 1_000_000_007
  t.diagnostic(`npm run crash -- --rounds ${ROUNDS} --seed ${seed} plays the same`)
  if (cannotMount !== false) t.diagnostic(`without full disks: ${cannotMount}`)
  const { violations, kills } = await crash({
    seed,
    rounds: ROUNDS,
    parallel: 3 * availableParallelism(),
    tell: (line) => t.diagnostic(line),
  })
  assert.deepEqual(violations, [])
  assert(kills.service > ROUNDS / 4, `only ${kills.service} services were killed`)
})
