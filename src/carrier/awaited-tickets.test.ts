import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MechanismError } from '../auth/error.ts'
import type { MechanismIdentity, Mechanisms } from '../auth/mechanism.ts'
import { Secret } from '../auth/secret.ts'
import { failure, httpStatusFailure, type Failure } from '../job/failure.ts'
import { AwaitedTickets } from './awaited-tickets.ts'

const implicit = { kind: 'implicit' } as const
const tickets = { kind: 'tickets', cache: 'FILE:/tmp/tickets' } as const
const keytab = { kind: 'keytab', principal: 'svc', keytab: '/etc/keytab' } as const
const password = { kind: 'password', userName: 'ann', password: Secret.fromText('p') } as const

/** Mechanisms whose contexts fail like this, when they are opened or at their first step. */
function failing(code: string | undefined, when: 'open' | 'step'): Mechanisms {
  const fail = (): void => {
    if (code !== undefined) throw new MechanismError(code, 'It fails', { reason: 'unable' })
  }
  return {
    unavailable: () => undefined,
    open: async () => {
      if (when === 'open') fail()
      return {
        step: async () => {
          fail()
          return { complete: true }
        },
        sign: async (message) => message,
        verify: async () => true,
        close: () => undefined,
      }
    },
  }
}

async function prove(mechanisms: Mechanisms, identity: MechanismIdentity): Promise<void> {
  const request = { mechanism: 'kerberos', identity, targetName: 'HTTP@h', mutual: true } as const
  const context = await mechanisms.open(request)
  await context.step(undefined)
}

const refused = httpStatusFailure(401, 'The server wants to know')
const expired = 'ERR_KERBEROS_EXPIRED'

const rows: readonly (readonly [
  what: string,
  identity: MechanismIdentity,
  code: string | undefined,
  of: Failure,
  hasPasswords: boolean,
  severity: Failure['severity'],
])[] = [
  ['tickets of who is logged on that have expired', implicit, expired, refused, false, 'transient'],
  ['chosen tickets that have expired', tickets, expired, refused, false, 'transient'],
  ['a proxy', implicit, expired, httpStatusFailure(407, 'No'), false, 'transient'],
  ['nobody who is logged on', implicit, 'ERR_KERBEROS_NO_CREDENTIALS', refused, false, 'fatal'],
  ['a keytab', keytab, expired, refused, false, 'fatal'],
  ['a password that has expired', password, expired, refused, false, 'fatal'],
  ['a job that has a password, too', implicit, expired, refused, true, 'fatal'],
  ['tickets that were good', implicit, undefined, refused, false, 'fatal'],
  ['a file that is not there', implicit, expired, httpStatusFailure(404, 'No'), false, 'fatal'],
]

for (const [what, identity, code, of, hasPasswords, severity] of rows) {
  for (const when of ['open', 'step'] as const) {
    test(`${of.symbol} is ${severity} after ${what}, found out at ${when} (N114, A133)`, async () => {
      const mechanisms = new AwaitedTickets(failing(code, when))
      const proved = prove(mechanisms, identity)
      if (code === undefined) await proved
      else await assert.rejects(proved, { code })
      const found = mechanisms.interpret(of, hasPasswords)
      assert.equal(found.severity, severity)
      assert.equal(found.waitsFor, severity === 'transient' ? 'tickets' : 'retry')
      assert.equal(/expired: it goes on/u.test(found.sentence), severity === 'transient')
      if (severity === 'fatal') assert.equal(found, of)
    })
  }
}

test('fresh tickets are heard of, and nothing is made of failures before the first proof (N114)', async () => {
  let code: string | undefined = expired
  const mechanisms = new AwaitedTickets({
    unavailable: () => undefined,
    open: (request) => failing(code, 'step').open(request),
  })
  assert.equal(mechanisms.interpret(refused, false), refused)
  await assert.rejects(prove(mechanisms, implicit))
  assert.equal(mechanisms.interpret(refused, false).severity, 'transient')
  code = undefined
  await prove(mechanisms, implicit)
  assert.equal(mechanisms.interpret(refused, false), refused)
  const other = failure('BG_E_DESTINATION_LOCKED', 'LOCAL_FILE', 'It is locked')
  assert.equal(mechanisms.interpret(other, false), other)
})
