import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { gssapiMechanisms } from './gssapi.ts'

const request = {
  mechanism: 'kerberos',
  identity: { kind: 'implicit' },
  targetName: 'HTTP@localhost',
  mutual: true,
} as const

describe('gssapiMechanisms()', () => {
  test('is unavailable with the reason where there is no library, and looks once', async () => {
    let looks = 0
    const mechanisms = gssapiMechanisms({
      clock: new TurnedClock(),
      library: () => `not installed (look ${++looks})`,
    })
    assert.equal(mechanisms.unavailable('kerberos'), 'not installed (look 1)')
    assert.equal(mechanisms.unavailable('kerberos'), 'not installed (look 1)')
    await assert.rejects(mechanisms.open(request), {
      name: 'MechanismError',
      code: 'ERR_MECHANISM_UNAVAILABLE',
      reason: 'unable',
      message: 'Cannot open a context of kerberos: not installed (look 1)',
    })
    assert.deepEqual(mechanisms.processIds, [])
  })

  test('is available where there is a library, and starts nothing to find out', () => {
    const mechanisms = gssapiMechanisms({ clock: new TurnedClock(), library: () => undefined })
    assert.equal(mechanisms.unavailable('kerberos'), undefined)
    assert.deepEqual(mechanisms.processIds, [])
  })

  for (const mechanism of ['ntlm', 'negotiate'] as const) {
    test(`leaves ${mechanism} to the room auth`, () => {
      const mechanisms = gssapiMechanisms({ clock: new TurnedClock(), library: () => undefined })
      assert.match(mechanisms.unavailable(mechanism) ?? '', /this platform/u)
    })
  }
})
