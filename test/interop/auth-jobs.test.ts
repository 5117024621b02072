/**
 * The matrix as users meet it: jobs that are refused, get new credentials and go on; jobs that BITS cannot do at all;
 * the command. The service has the realm around it, as a logged-on user has.
 */

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type {
  BackgroundCopyJob,
  BackgroundCopyManager,
  JobCredentialPair,
  JobOptions,
  JobView,
} from 'lull'
import type { AuthTarget } from '../../src/auth/auth.ts'
import type { Door, Place } from '../lab/apache.ts'
import { Content } from '../lab/content.ts'
import { settle } from '../lab/follow.ts'
import { PASSWORD } from '../lab/kdc-contexts.ts'
import { realm } from '../lab/kdc.ts'
import { cannotProxyWith, cannotServe, Lab } from '../lab/lab.ts'
import { LullHome } from '../lab/lull.ts'
import { NTLM_USER, USER } from '../lab/people.ts'
import { Relay } from '../lab/relay.ts'
import { proxySchemes, type ProxyScheme } from '../lab/squid.ts'

const content = new Content(3, 400_000)

/** What a connection carries before it is cut. */
const CUT_AFTER_BYTES = 150_000

/** How somebody is proved, and where. */
interface Row {
  readonly name: string
  readonly place: Place
  readonly scheme: JobCredentialPair['scheme']
  readonly userName: string
}

const rows: readonly Row[] = [
  { name: 'Basic', place: 'basic', scheme: 'basic', userName: USER },
  { name: 'Digest', place: 'digest', scheme: 'digest', userName: USER },
  { name: 'NTLM', place: 'ntlm', scheme: 'ntlm', userName: NTLM_USER },
  {
    name: 'Negotiate with Kerberos',
    place: 'kerberos',
    scheme: 'negotiate',
    userName: `${USER}@${realm}`,
  },
  { name: 'Negotiate with NTLM', place: 'negotiate', scheme: 'negotiate', userName: NTLM_USER },
]

const doors = ['http', 'https'] as const satisfies readonly Door[]

function pairOf(
  target: AuthTarget,
  { scheme, userName }: Pick<Row, 'scheme' | 'userName'>,
  password: string = PASSWORD,
): JobCredentialPair {
  return { target, scheme, credentials: { userName, password } }
}

suite('jobs at servers of every scheme', { skip: cannotServe }, () => {
  let lab: Lab
  let home: LullHome
  let manager: BackgroundCopyManager
  let keytab: string
  let jobs = 0

  before(async () => {
    lab = await Lab.start({ proxies: proxySchemes })
    lab.apache.serve('file', content.bytes())
    keytab = await lab.kdc.keytab('user.keytab', [USER])
    // What the service inherits from whoever starts it.
    Object.assign(process.env, lab.kdc.environment, { KRB5CCNAME: lab.tickets })
    home = new LullHome({ config: { backgroundJobs: 100 } })
    manager = await home.manager()
  })

  after(async () => {
    await home[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  async function begin(
    url: string,
    options: Partial<JobOptions>,
  ): Promise<{ readonly job: BackgroundCopyJob; readonly target: string }> {
    const target = home.path(`file-${++jobs}`)
    const job = await manager.createJob(`job ${jobs}`, {
      files: [{ remoteName: url, localName: target }],
      caFile: lab.authority.cert,
      proxy: { usage: 'noProxy' },
      minimumRetryDelay: 5,
      completesItself: true,
      resume: true,
      ...options,
    })
    return { job, target }
  }

  for (const row of rows) {
    for (const door of doors) {
      test(`${row.name} over ${door}: a job that is refused goes on with the right credentials`, async () => {
        const url = lab.apache.url(door, row.place, 'file')
        const { job, target } = await begin(url, { credentials: [pairOf('server', row, 'wrong')] })
        await assertRefused(job, 'BG_E_HTTP_ERROR_401')
        await job.setCredentials(pairOf('server', row))
        await job.resume()
        await assertWhole(job, target)
      })

      test(`${row.name} over ${door}: a job goes on where its connection was cut`, async () => {
        await using relay = await Relay.start(lab.apache.port(door), CUT_AFTER_BYTES)
        const url = new URL(lab.apache.url(door, row.place, 'file'))
        url.port = String(relay.port)
        const { job, target } = await begin(url.href, { credentials: [pairOf('server', row)] })
        assert((await assertWhole(job, target)).errorCount > 0)
      })
    }
  }

  const identities: readonly {
    readonly name: string
    readonly credentials: () => JobCredentialPair['credentials']
  }[] = [
    { name: 'who is logged on', credentials: () => ({ userName: null, password: null }) },
    { name: 'tickets in a cache', credentials: () => ({ kind: 'tickets', cache: lab.tickets }) },
    { name: 'a keytab', credentials: () => ({ kind: 'keytab', principal: USER, keytab }) },
  ]
  for (const { name, credentials } of identities) {
    test(`Negotiate is answered with ${name}`, async () => {
      const pair = { target: 'server', scheme: 'negotiate', credentials: credentials() } as const
      const url = lab.apache.url('https', 'negotiate', 'file')
      const { job, target } = await begin(url, { credentials: [pair] })
      await assertWhole(job, target)
    })
  }

  test('a client certificate opens, and without one the job says that it needs one', async () => {
    const url = lab.apache.url('certificate', 'none', 'file')
    const { job, target } = await begin(url, {})
    await assertRefused(job, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED')
    const { cert, key } = lab.client
    await job.setClientCertificate({ certificateFile: cert, keyFile: key })
    await job.resume()
    await assertWhole(job, target)
  })

  test('Basic in the URL is answered with, and shown to nobody who looks at the queue (A17, A41, A44)', async () => {
    const url = new URL(lab.apache.url('http', 'basic', 'file'))
    url.username = USER
    url.password = PASSWORD
    const { job, target } = await begin(url.href, {})
    assert(!JSON.stringify(await assertWhole(job, target)).includes(PASSWORD))
    const names: string[] = []
    for await (const { remoteName } of job.enumFiles()) names.push(remoteName)
    assert.deepEqual(names, [lab.apache.url('http', 'basic', 'file')])
    const queue = JSON.stringify(await home.json(['jobs', '--all']))
    assert(queue.includes(job.id) && !queue.includes(PASSWORD))
  })

  suite('that BITS cannot do, behind a proxy', () => {
    const [basic, digest, , negotiate] = rows
    assert(basic !== undefined && digest !== undefined && negotiate !== undefined)

    const ways: readonly { readonly proxy: ProxyScheme; readonly row: Row; readonly door: Door }[] =
      [
        // "Any scheme at the server behind a Digest proxy", over http and https.
        ...rows.flatMap((row) => doors.map((door) => ({ proxy: 'digest' as const, row, door }))),
        // "Negotiate at the server behind a Basic proxy".
        ...doors.map((door) => ({ proxy: 'basic' as const, row: negotiate, door })),
        { proxy: 'ntlm', row: digest, door: 'https' },
        { proxy: 'negotiate', row: basic, door: 'https' },
      ]
    const proxyUsers: Readonly<Record<ProxyScheme, string>> = {
      basic: USER,
      digest: USER,
      ntlm: NTLM_USER,
      negotiate: `${USER}@${realm}`,
    }
    for (const { proxy, row, door } of ways) {
      const skip = cannotProxyWith(proxy)
      test(
        `${row.name} over ${door} behind a ${proxy} proxy, both refusing first`,
        { skip },
        async () => {
          const way = { scheme: proxy, userName: proxyUsers[proxy] }
          const { job, target } = await begin(lab.apache.url(door, row.place, 'file'), {
            proxy: {
              usage: 'override',
              list: `http://localhost:${lab.squid(proxy).port('http')}`,
              bypass: '<-loopback>',
            },
            credentials: [pairOf('proxy', way, 'wrong')],
          })
          await assertRefused(job, 'BG_E_HTTP_ERROR_407')
          await job.setCredentials(pairOf('proxy', way))
          await job.resume()
          await assertRefused(job, 'BG_E_HTTP_ERROR_401')
          await job.setCredentials(pairOf('server', row))
          await job.resume()
          await assertWhole(job, target)
        },
      )
    }

    test(
      'what an application says itself opens the tunnel, and the file behind it (A46)',
      { skip: cannotProxyWith('basic') },
      async () => {
        const said = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
        const way = {
          usage: 'override',
          list: `http://localhost:${lab.squid('basic').port('http')}`,
          bypass: '<-loopback>',
        } as const
        for (const door of doors) {
          const url = lab.apache.url(door, basic.place, 'file')
          const headers = ['Authorization', 'Proxy-Authorization'].map(
            (name) => [name, said] as const,
          )
          const { job, target } = await begin(url, { proxy: way, headers })
          await assertWhole(job, target)
          const unheard = await begin(url, { proxy: way, headers: headers.slice(0, 1) })
          await assertRefused(unheard.job, 'BG_E_HTTP_ERROR_407')
        }
      },
    )

    test(
      'https through a Digest proxy that is spoken to over TLS',
      { skip: cannotProxyWith('digest') },
      async () => {
        const { job, target } = await begin(lab.apache.url('https', 'none', 'file'), {
          proxy: {
            usage: 'override',
            list: `https://localhost:${lab.squid('digest').port('https')}`,
            bypass: '<-loopback>',
          },
          credentials: [pairOf('proxy', { scheme: 'digest', userName: USER })],
        })
        await assertWhole(job, target)
      },
    )
  })

  const commands: readonly {
    readonly name: string
    readonly args: readonly string[]
    readonly place: Place
  }[] = [
    { name: 'a name of a domain, for NTLM', args: ['--user', NTLM_USER], place: 'ntlm' },
    {
      name: 'a name of a realm, for Kerberos',
      args: ['--user', `${USER}@${realm}`],
      place: 'kerberos',
    },
    { name: 'a name, for Digest', args: ['--user', USER], place: 'digest' },
  ]
  for (const { name, args, place } of commands) {
    test(`lull get is told ${name}`, async () => {
      const output = `got-${place}`
      const url = lab.apache.url('https', place, 'file')
      const trust = ['--cacert', lab.authority.cert, '--proxy', 'none']
      const all = ['get', url, '-o', output, ...trust, ...args, '--password-stdin']
      const { status, stderr } = await home.run(all, { input: `${PASSWORD}\n` })
      assert.equal(status, 0, stderr)
      assert.equal(content.firstDifference(home.path(output)), undefined)
    })
  }

  test('lull get is told to be who is logged on', async () => {
    const url = lab.apache.url('http', 'kerberos', 'file')
    const args = ['get', url, '-o', 'got-implicit', '--implicit', '--proxy', 'none']
    const { status, stderr } = await home.run(args)
    assert.equal(status, 0, stderr)
    assert.equal(content.firstDifference(home.path('got-implicit')), undefined)
  })
})

/** That the job has failed for good, as far as it can tell. */
async function assertRefused(job: BackgroundCopyJob, symbol: string): Promise<void> {
  const { state, error } = await settle(job)
  assert.deepEqual([state, error?.symbol], ['ERROR', symbol])
}

/** That the job brings the whole file, however often it is broken off. */
async function assertWhole(job: BackgroundCopyJob, target: string): Promise<JobView> {
  const view = await settle(job, { nudges: 5 })
  assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
  assert.equal(content.firstDifference(target), undefined)
  return view
}
