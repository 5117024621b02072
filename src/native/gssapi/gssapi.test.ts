import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { gssapiMechanisms } from './gssapi.ts'
import { platformMechanisms } from './platform-mechanisms.ts'

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

/** What a platform offers where its library is installed. */
function offers(platform: NodeJS.Platform): readonly string[] {
  const options = { clock: new TurnedClock(), library: () => undefined }
  const mechanisms = platformMechanisms(options, platform)
  const names = ['kerberos', 'ntlm', 'negotiate'] as const
  return names.filter((name) => mechanisms.unavailable(name) === undefined)
}

describe('platformMechanisms()', () => {
  test('has Kerberos everywhere, and all that Windows has on Windows', () => {
    assert.deepEqual(offers('linux'), ['kerberos'])
    assert.deepEqual(offers('darwin'), ['kerberos'])
    assert.deepEqual(offers('win32'), ['kerberos', 'ntlm', 'negotiate'])
  })
})
