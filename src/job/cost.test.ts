import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  admitsCost,
  admitsEveryCost,
  checkCostFlags,
  costFailure,
  costStates,
  describeCost,
  transferPolicies,
  type TransferPolicy,
} from './cost.ts'

type CostState = keyof typeof costStates

/** The table of bits-jobs.md §3: what each named policy keeps off. */
const policies: readonly (readonly [TransferPolicy, number, readonly CostState[]])[] = [
  ['always', 0x800000ff, []],
  ['notRoaming', 0x8000007f, ['roaming']],
  ['noSurcharge', 0x8000006f, ['roaming', 'overcapCharged']],
  ['standard', 0x80000067, ['roaming', 'overcapCharged', 'nearCap']],
  [
    'unrestricted',
    0x80000021,
    ['roaming', 'overcapCharged', 'nearCap', 'usageBased', 'belowCap', 'cappedUsageUnknown'],
  ],
]

describe('cost', () => {
  test('the states have the numbers of BITS (bits-jobs.md §3)', () => {
    assert.deepEqual(Object.values(costStates), [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80])
  })

  for (const [policy, flags, kept] of policies) {
    test(`the policy ${policy} has the number of BITS and admits what BITS says (bits-jobs.md §3)`, () => {
      assert.equal(transferPolicies[policy], flags)
      for (const [state, bit] of Object.entries(costStates)) {
        assert.equal(admitsCost(flags, bit), !kept.some((name) => name === state), state)
      }
      assert.equal(admitsEveryCost(flags), kept.length === 0)
      checkCostFlags(flags)
    })
  }

  test('admitsCost() wants every state of a network in the flags', () => {
    const abroad = costStates.usageBased | costStates.roaming
    assert.equal(admitsCost(transferPolicies.notRoaming, abroad), false)
    assert.equal(admitsCost(transferPolicies.always, abroad), true)
    assert.equal(admitsCost(costStates.roaming, abroad), false)
  })

  for (const flags of [0, 0x80000000, 0x100, 0x800001ff, 0x100000001, -1, 1.5, Number.NaN]) {
    test(`checkCostFlags() refuses ${flags}`, () => {
      assert.throws(() => checkCostFlags(flags), { code: 'E_INVALIDARG' })
    })
  }

  test('a job that waits for another cost says what the present one is', () => {
    const reason = costFailure(costStates.usageBased | costStates.roaming)
    assert.equal(
      reason.sentence,
      'The network is paid per byte and roaming, and the job does not allow that',
    )
    assert.equal(describeCost(costStates.unrestricted), 'not metered')
    assert.deepEqual(
      [reason.symbol, reason.hresult, reason.severity, reason.waitsFor],
      ['BG_E_BLOCKED_BY_COST_TRANSFER_POLICY', 0x80200059, 'transient', 'cost'],
    )
  })
})
