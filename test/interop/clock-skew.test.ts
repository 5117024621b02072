/** A realm whose clock is not ours: MIT's KDC with libfaketime. Kerberos bears five minutes (A313). */

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { BackgroundCopyManager, JobCredentialPair } from 'lull'
import { MechanismError } from '../../src/auth/error.ts'
import { systemClock } from '../../src/carrier/system-clock.ts'
import { guarded } from '../../src/http/guarded.suite.ts'
import { gssapiMechanisms } from '../../src/native/gssapi/gssapi.ts'
import { Content } from '../lab/content.ts'
import { settle } from '../lab/follow.ts'
import { openContext, password, PASSWORD } from '../lab/kdc-contexts.ts'
import { cannotSkewClocks, Kdc, realm } from '../lab/kdc.ts'
import { cannotServe, Lab } from '../lab/lab.ts'
import { LullHome } from '../lab/lull.ts'

const HOUR_S = 3_600

/** Less than what is borne, and more than the time that a test takes. */
const BORNE_S = 240

/** Asks for Negotiate, and lets nobody in. */
const asking = () => ({
  receive: () => Promise.resolve({ kind: 'challenged' as const, challenges: ['Negotiate'] }),
})

for (const aheadSeconds of [HOUR_S, -HOUR_S]) {
  const where = aheadSeconds > 0 ? 'ahead' : 'behind'
  suite(`a realm whose clock is an hour ${where}`, { skip: cannotSkewClocks }, () => {
    let kdc: Kdc
    let home: LullHome
    let manager: BackgroundCopyManager
    let keytab: string

    before(async () => {
      // Names that no word of a sentence is.
      const principals = [
        { name: 'planted-alice', password: PASSWORD, options: '+requires_preauth' },
        { name: 'planted-bob', password: PASSWORD },
      ]
      kdc = await Kdc.start(principals, { aheadSeconds, followsKdc: false })
      keytab = await kdc.keytab('alice.keytab', ['planted-alice'])
      Object.assign(process.env, kdc.environment)
      home = new LullHome({ config: { backgroundJobs: 100 } })
      manager = await home.manager()
    })

    after(async () => {
      await home[Symbol.asyncDispose]()
      await kdc[Symbol.asyncDispose]()
    })

    // The KDC says so to who has to prove to be there before it answers; to the other one our own library does.
    for (const name of ['planted-alice', 'planted-bob']) {
      test(`gives ${name} no ticket, and the reason is the clock (A307, A313)`, async () => {
        const { environment } = kdc
        await using mechanisms = gssapiMechanisms({ clock: systemClock, environment })
        await assert.rejects(openContext(mechanisms, password(name)), (error) => {
          assert(error instanceof MechanismError)
          assert.deepEqual([error.code, error.reason], ['ERR_KERBEROS_CLOCK', 'unable'])
          assert.match(error.message, /Clock skew too great/u)
          return true
        })
      })
    }

    const rows: readonly {
      readonly name: string
      readonly credentials: () => JobCredentialPair['credentials']
      readonly says: RegExp
    }[] = [
      {
        name: 'keys',
        credentials: () => ({ kind: 'keytab', principal: `planted-alice@${realm}`, keytab }),
        says: /^The server asks for proof that the job cannot give: .*Clock skew too great.* \(401\)$/u,
      },
      {
        // NTLM is tried, which knows no clock, and that is not what failed.
        name: 'a password',
        credentials: () => ({ userName: `planted-alice@${realm}`, password: PASSWORD }),
        says: /^The server refused the credentials: .*Clock skew too great.* \(401\)$/u,
      },
    ]
    for (const { name, credentials, says } of rows) {
      test(`ends a job that has ${name} with 401, and the job says that it is the clock (A130, A131, A141)`, async (t) => {
        const server = await guarded(t, [asking])
        const job = await manager.createJob('skewed', {
          files: [{ remoteName: `${server.url}/file`, localName: home.path(`file ${name}`) }],
          credentials: [{ target: 'server', scheme: 'negotiate', credentials: credentials() }],
          proxy: { usage: 'noProxy' },
          resume: true,
        })
        const { state, error } = await settle(job)
        assert.deepEqual([state, error?.symbol], ['ERROR', 'BG_E_HTTP_ERROR_401'], error?.message)
        assert.match(error?.message ?? '', says)
        assert.doesNotMatch(error?.message ?? '', /planted/u, 'who it was is nobody else’s')
      })
    }
  })
}

suite(
  'a server whose clock is not that of the realm',
  { skip: cannotSkewClocks || cannotServe },
  () => {
    const content = new Content(5, 40_000)

    for (const [aheadSeconds, symbol] of [
      [HOUR_S, 'BG_E_HTTP_ERROR_401'],
      [BORNE_S, undefined],
    ] as const) {
      const ends =
        symbol === undefined ? 'bears four minutes' : 'does not take a ticket of an hour later'
      test(`${ends}, though whoever asks goes by the realm (A313)`, async () => {
        await using lab = await Lab.start({ realm: { aheadSeconds } })
        lab.apache.serve('file', content.bytes())
        Object.assign(process.env, lab.kdc.environment)
        await using home = new LullHome()
        const manager = await home.manager()
        const credentials = { kind: 'tickets', cache: lab.tickets } as const
        const job = await manager.createJob('early', {
          files: [
            {
              remoteName: lab.apache.url('http', 'kerberos', 'file'),
              localName: home.path('file'),
            },
          ],
          credentials: [{ target: 'server', scheme: 'negotiate', credentials }],
          proxy: { usage: 'noProxy' },
          completesItself: true,
          resume: true,
        })
        const { state, error } = await settle(job)
        assert.deepEqual(
          [state, error?.symbol],
          [symbol === undefined ? 'ACKNOWLEDGED' : 'ERROR', symbol],
          error?.message,
        )
        if (symbol === undefined)
          assert.equal(content.firstDifference(home.path('file')), undefined)
      })
    }
  },
)
