/** Who is logged on, through whole jobs: when they are told who asks, to whom, and when they are not. MIT's realm. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  AuthIdentity,
  encodeAuthIdentityAsStrings,
  type BackgroundCopyManager,
  type JobCredentialPair,
  type JobOptions,
  type JobView,
} from 'lull'
import type { AuthConfig } from '../../src/service/auth-config.ts'
import { Content } from '../lab/content.ts'
import { settle, waitState } from '../lab/follow.ts'
import { PASSWORD } from '../lab/kdc-contexts.ts'
import { expireTickets } from '../lab/kdc-tickets.ts'
import { realm } from '../lab/kdc.ts'
import { cannotProxyWith, cannotServe, Lab } from '../lab/lab.ts'
import { LullHome } from '../lab/lull.ts'
import { USER } from '../lab/people.ts'

const content = new Content(7, 40_000)

const nobody = { userName: null, password: null }

/** Implicit credentials for the proxy. */
const proxyLogon = { target: 'proxy', scheme: 'negotiate', credentials: nobody } as const

suite('who is logged on', { skip: cannotServe }, () => {
  let lab: Lab
  const homes: LullHome[] = []

  before(async () => {
    lab = await Lab.start({ proxies: ['negotiate'] })
    lab.apache.serve('file', content.bytes())
    // What the services inherit from whoever starts them.
    Object.assign(process.env, lab.kdc.environment, { KRB5CCNAME: lab.tickets })
  })

  after(async () => {
    for (const home of homes) await home[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  /** A service with these settings, and this around it besides the realm. */
  async function service(
    authentication?: AuthConfig,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly home: LullHome; readonly manager: BackgroundCopyManager }> {
    const more = authentication === undefined ? {} : { authentication }
    const home = new LullHome({ config: { backgroundJobs: 100, ...more } })
    homes.push(home)
    const before = { ...process.env }
    try {
      Object.assign(process.env, environment)
      return { home, manager: await home.manager() }
    } finally {
      for (const name of Object.keys(environment)) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
    }
  }

  /** Around a service as whom nobody is logged on. */
  function noTickets(): Readonly<Record<string, string>> {
    return { KRB5CCNAME: `FILE:${join(lab.kdc.folder, 'nobody')}` }
  }

  /** What becomes of one file. */
  async function fetched(
    { home, manager }: Awaited<ReturnType<typeof service>>,
    options: Partial<JobOptions> & { readonly stored?: boolean; readonly host?: string } = {},
  ): Promise<JobView> {
    const { stored = false, host = 'localhost', ...rest } = options
    const url = new URL(lab.apache.url('http', 'kerberos', 'file'))
    url.hostname = host
    const localName = home.path(`file-${Math.random()}`)
    const job = await manager.createJob('implicit', {
      files: [{ remoteName: url.href, localName }],
      proxy: { usage: 'noProxy' },
      completesItself: true,
      ...rest,
    })
    if (stored) await job.setUseStoredCredentials('proxy')
    await job.resume()
    const view = await settle(job)
    if (view.state === 'ACKNOWLEDGED') assert.equal(content.firstDifference(localName), undefined)
    return view
  }

  const policies: readonly (readonly [config: AuthConfig | undefined, isTold: boolean])[] = [
    [undefined, false],
    [{ useLmCompat: 2 }, false],
    [{ useLmCompat: 0 }, true],
    [{ useLmCompat: 0, lmCompatibilityLevel: 0 }, true],
    [{ useLmCompat: 1 }, true],
    [{ useLmCompat: 1, lmCompatibilityLevel: 2 }, true],
    [{ useLmCompat: 1, lmCompatibilityLevel: 1 }, false],
    [{ useLmCompat: 0, implicitHosts: [] }, false],
    [{ useLmCompat: 0, implicitHosts: ['other.example'] }, false],
  ]
  for (const [config, isTold] of policies) {
    const says = JSON.stringify(config ?? 'nothing')
    test(`a job that sets nothing is ${isTold ? '' : 'not '}answered for where the file says ${says} (A53, A54, A55, A58, A61)`, async () => {
      const { state, error } = await fetched(await service(config))
      assert.deepEqual(
        [state, error?.symbol],
        isTold ? ['ACKNOWLEDGED', undefined] : ['ERROR', 'BG_E_HTTP_ERROR_401'],
      )
    })
  }

  test('UseLMCompat answers for no job that set something for the server (A53)', async () => {
    const credentials: JobCredentialPair[] = [
      { target: 'server', scheme: 'digest', credentials: { userName: USER, password: 'p' } },
    ]
    const { error } = await fetched(await service({ useLmCompat: 0 }), { credentials })
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
  })

  test('who is logged on is told to hosts of the list only, by the name that was asked for (A61)', async () => {
    const credentials: JobCredentialPair[] = [{ ...proxyLogon, target: 'server' }]
    const closed = await service()
    assert.equal((await fetched(closed, { credentials })).state, 'ACKNOWLEDGED')
    const { error } = await fetched(closed, { credentials, host: '127.0.0.1' })
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
  })

  test('a service as whom nobody is logged on is who its keytab says, as a computer account is (A62)', async () => {
    const keytab = await lab.kdc.keytab('client.keytab', [USER])
    const credentials: JobCredentialPair[] = [{ ...proxyLogon, target: 'server' }]
    const alone = await fetched(await service(undefined, noTickets()), { credentials })
    assert.equal(alone.error?.symbol, 'BG_E_HTTP_ERROR_401')
    const cache = { KRB5CCNAME: `FILE:${join(lab.kdc.folder, 'of-keytab')}` }
    const own = await service(undefined, { ...cache, KRB5_CLIENT_KTNAME: `FILE:${keytab}` })
    const view = await fetched(own, { credentials })
    assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
  })

  test('tickets that have expired keep a job waiting, and fresh ones let it go on (N114)', async () => {
    const cache = await lab.kdc.tickets({ name: USER, password: PASSWORD })
    const fresh = readFileSync(cache.slice('FILE:'.length))
    expireTickets(cache)
    const { home, manager } = await service(undefined, { KRB5CCNAME: cache })
    const localName = home.path('later')
    const job = await manager.createJob('later', {
      files: [{ remoteName: lab.apache.url('http', 'kerberos', 'file'), localName }],
      proxy: { usage: 'noProxy' },
      credentials: [{ ...proxyLogon, target: 'server' }],
      completesItself: true,
    })
    await job.resume()
    const waiting = await waitState(job, 'TRANSIENT_ERROR')
    const { error } = waiting
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
    assert.match(error.message, /have expired: it goes on when there are fresh ones/u)
    assert.match(waiting.waitingFor ?? '', /^fresh tickets: /u)
    writeFileSync(cache.slice('FILE:'.length), fresh)
    await job.resume()
    const view = await settle(job)
    assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
    assert.equal(content.firstDifference(localName), undefined)
  })

  test('an encoded identity may be tickets or a keytab (A157)', async () => {
    const keytab = await lab.kdc.keytab('encoded.keytab', [USER])
    const identities = [
      new AuthIdentity({ kind: 'tickets', cache: lab.tickets }),
      new AuthIdentity({ kind: 'keytab', principal: `${USER}@${realm}`, keytab }),
    ]
    const own = await service()
    for (const identity of identities) {
      const { user: userName, packed: password } = encodeAuthIdentityAsStrings(identity)
      const pair = { target: 'server', scheme: 'negotiate' } as const
      const credentials = [{ ...pair, credentials: { userName, password } }]
      assert.equal((await fetched(own, { credentials })).state, 'ACKNOWLEDGED')
    }
  })

  test('the domain of a user is a realm where the file says which (A303)', async () => {
    const explicit = { userName: `WORK\\${USER}`, password: PASSWORD }
    const pair = { target: 'server', scheme: 'negotiate', credentials: explicit } as const
    const options = { credentials: [pair] }
    const unknown = await fetched(await service(), options)
    assert.equal(unknown.error?.symbol, 'BG_E_HTTP_ERROR_401')
    const known = await fetched(await service({ realms: { work: realm } }), options)
    assert.equal(known.state, 'ACKNOWLEDGED', known.error?.message)
  })

  suite('behind a proxy that asks for it', { skip: cannotProxyWith('negotiate') }, () => {
    let own: Awaited<ReturnType<typeof service>>
    let way: Pick<JobOptions, 'proxy'>

    before(async () => {
      own = await service()
      const list = `http://localhost:${lab.squid('negotiate').port('http')}`
      way = { proxy: { usage: 'override', list, bypass: '<-loopback>' } }
    })

    test('a job that sets nothing gets the 407 (A64)', async () => {
      const { error } = await fetched(own, way)
      assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_407')
    })

    test('implicit credentials for the proxy serve the server, too (A51)', async () => {
      const view = await fetched(own, { ...way, credentials: [proxyLogon] })
      assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
    })

    test('but not where something explicit is set for the server (A51)', async () => {
      const explicit = { userName: USER, password: 'p' }
      const digest = { target: 'server', scheme: 'digest', credentials: explicit } as const
      const { error } = await fetched(own, { ...way, credentials: [proxyLogon, digest] })
      assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
    })

    test('nor do those of the server serve the proxy (A51)', async () => {
      const credentials = [{ ...proxyLogon, target: 'server' } as const]
      const { error } = await fetched(own, { ...way, credentials })
      assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_407')
    })

    test('stored credentials serve the proxy and nobody else (A63)', async () => {
      const { error } = await fetched(own, { ...way, stored: true })
      assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
      const credentials = [{ ...proxyLogon, target: 'server' } as const]
      const view = await fetched(own, { ...way, stored: true, credentials })
      assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
    })

    test('the procedure of 1809: implicit for the proxy, a helper, its flags (A111, A112, A113)', async () => {
      const keytab = await lab.kdc.keytab('helper.keytab', [USER])
      // Nobody is logged on here: only the helper can answer.
      const { home, manager } = await service(undefined, noTickets())
      const alone = await fetched({ home, manager }, { ...way, credentials: [proxyLogon] })
      assert.equal(alone.error?.symbol, 'BG_E_HTTP_ERROR_407')
      const localName = home.path('helped')
      const job = await manager.createJob('helped', { ...way, completesItself: true })
      await job.setCredentials(proxyLogon)
      await job.addFile(lab.apache.url('http', 'kerberos', 'file'), localName)
      await job.setHelperToken({ kind: 'keytab', principal: `${USER}@${realm}`, keytab })
      await job.resume()
      // A token without its flag is of no use (A90).
      assert.equal((await settle(job)).error?.symbol, 'BG_E_HTTP_ERROR_407')
      await job.setHelperTokenFlags(2)
      await job.resume()
      const view = await settle(job)
      assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
      assert.equal(content.firstDifference(localName), undefined)
    })
  })
})
