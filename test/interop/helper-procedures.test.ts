/**
 * What an application does for a service that has no identity of its own, step by step as it was written down for
 * Windows before 1809. The procedure since then stands with who is logged on.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { BackgroundCopyManager } from 'lull'
import { Content } from '../lab/content.ts'
import { settle } from '../lab/follow.ts'
import { realm } from '../lab/kdc.ts'
import { cannotProxyWith, cannotServe, Lab } from '../lab/lab.ts'
import { LullHome } from '../lab/lull.ts'
import { USER } from '../lab/people.ts'

const content = new Content(11, 40_000)

const BG_TOKEN_NETWORK = 2

const skip = cannotServe || cannotProxyWith('negotiate')

suite(
  'a service as whom nobody is logged on, behind a proxy that asks who is there',
  { skip },
  () => {
    let lab: Lab
    let home: LullHome
    let manager: BackgroundCopyManager
    let token: { readonly kind: 'keytab'; readonly principal: string; readonly keytab: string }

    before(async () => {
      lab = await Lab.start({ proxies: ['negotiate'] })
      lab.apache.serve('file', content.bytes())
      const keytab = await lab.kdc.keytab('helper.keytab', [USER])
      token = { kind: 'keytab', principal: `${USER}@${realm}`, keytab }
      const nobody = { KRB5CCNAME: `FILE:${join(lab.kdc.folder, 'nobody')}` }
      Object.assign(process.env, lab.kdc.environment, nobody)
      home = new LullHome({ config: { backgroundJobs: 100 } })
      manager = await home.manager()
    })

    after(async () => {
      await home[Symbol.asyncDispose]()
      await lab[Symbol.asyncDispose]()
    })

    // Where the settings of the user name no proxy, the job is told to look for itself.
    for (const isNamed of [true, false]) {
      const what = isNamed ? 'name a proxy' : 'name none'
      test(`gets through with a helper where the user's settings ${what}, in the steps of before 1809 (A95, A114)`, async () => {
        const localName = home.path(`file of settings that ${what}`)
        const job = await manager.createJob('helped', { completesItself: true })
        // 1 to 3: whoever is helped with reads their own settings. 4:
        await job.setCredentials({
          target: 'proxy',
          scheme: 'negotiate',
          credentials: { userName: null, password: null },
        })
        // 5, 6.
        const list = `http://localhost:${lab.squid('negotiate').port('http')}`
        if (isNamed) await job.setProxySettings('override', list, '<-loopback>')
        else await job.setProxySettings('preconfig')
        await job.addFile(lab.apache.url('http', 'kerberos', 'file'), localName)
        await job.resume()
        const symbol = isNamed ? 'BG_E_HTTP_ERROR_407' : 'BG_E_HTTP_ERROR_401'
        assert.equal(
          (await settle(job)).error?.symbol,
          symbol,
          'without the helper nobody is there',
        )
        // 7 to 11.
        await job.setHelperToken(token)
        await job.setHelperTokenFlags(BG_TOKEN_NETWORK)
        // 13.
        await job.resume()
        const view = await settle(job)
        assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
        assert.equal(content.firstDifference(localName), undefined)
      })
    }
  },
)
