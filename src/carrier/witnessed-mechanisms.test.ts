import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MechanismError } from '../auth/error.ts'
import type { MechanismIdentity, Mechanisms } from '../auth/mechanism.ts'
import { Secret } from '../auth/secret.ts'
import { WitnessedMechanisms } from './witnessed-mechanisms.ts'

function password(userName: string): MechanismIdentity {
  return { kind: 'password', userName, password: Secret.fromText('p') }
}

const keytab = { kind: 'keytab', principal: 'svc/bits@CORP.EXAMPLE', keytab: '/k' } as const

test('WitnessedMechanisms names nobody who was set, however the library writes the name (A17, A141)', async () => {
  const rows: readonly (readonly [identity: MechanismIdentity, said: string, told: string])[] = [
    [
      password('alice'),
      'Cannot use the password of alice: no',
      'Cannot use the password of the user: no',
    ],
    [password('alice@corp.example'), 'password of alice@CORP.EXAMPLE', 'password of the user'],
    [password('WORK\\alice'), 'password of ALICE@CORP.EXAMPLE', 'password of the user'],
    [
      password('WORK\\alice'),
      'the realm of WORK\\alice is unknown',
      'the realm of the user is unknown',
    ],
    [password('a.b@x'), String.raw`for a.b\@x@CORP.EXAMPLE: no`, 'for the user: no'],
    [password('al'), 'always', 'always'],
    [password('mary-jane_$1'), 'of mary-jane_$1: no', 'of the user: no'],
    [keytab, 'no key for svc/bits@CORP.EXAMPLE in /k', 'no key for the user in /k'],
    [{ kind: 'implicit' }, 'no tickets', 'no tickets'],
  ]
  for (const [identity, said, told] of rows) {
    const heard: (string | undefined)[] = []
    const failing: Mechanisms = {
      unavailable: () => undefined,
      open: () => Promise.reject(new MechanismError('ERR_TEST', said, { reason: 'unable' })),
    }
    const witnessed = new WitnessedMechanisms(failing, ({ reason }) => heard.push(reason))
    const asked = { mechanism: 'kerberos', identity, targetName: 'HTTP@h', mutual: true } as const
    await assert.rejects(witnessed.open(asked), { code: 'ERR_TEST', message: told })
    assert.deepEqual(heard, [told])
  }
})
