import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { sspiMechanisms } from './sspi.ts'

const request = {
  mechanism: 'negotiate',
  identity: { kind: 'implicit' },
  targetName: 'HTTP@localhost',
  mutual: true,
} as const

const elsewhere = process.platform === 'win32' ? 'Windows has it' : false

describe('sspiMechanisms()', () => {
  test('is unavailable outside Windows, with the reason (N123)', { skip: elsewhere }, async () => {
    const mechanisms = sspiMechanisms({ clock: new TurnedClock() })
    assert.equal(mechanisms.unavailable('negotiate'), 'SSPI is a part of Windows')
    await assert.rejects(mechanisms.open(request), { code: 'ERR_MECHANISM_UNAVAILABLE' })
  })

  test('its helper says so too', { skip: elsewhere }, async () => {
    await using mechanisms = sspiMechanisms({
      clock: new TurnedClock(),
      library: () => undefined,
    })
    await assert.rejects(mechanisms.open(request), {
      name: 'MechanismError',
      code: 'ERR_SSPI_UNAVAILABLE',
      reason: 'unable',
      message: 'Cannot use SSPI: SSPI is a part of Windows',
    })
  })

  const identities = [
    { kind: 'tickets', cache: 'FILE:/tmp/tickets' },
    { kind: 'keytab', principal: 'svc/bits', keytab: '/etc/svc.keytab' },
  ] as const
  for (const identity of identities) {
    test(`cannot use ${identity.kind} credentials`, async () => {
      const mechanisms = sspiMechanisms({ clock: new TurnedClock(), library: () => undefined })
      await assert.rejects(mechanisms.open({ ...request, identity }), {
        code: 'ERR_SSPI_IDENTITY',
        reason: 'unable',
      })
      assert.deepEqual(mechanisms.processIds, [])
    })
  }
})
