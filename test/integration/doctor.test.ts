/** `lull doctor`: what a person reads who wonders why a URL cannot be reached, and what others may see of it. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test, type TestContext } from 'node:test'
import { BackgroundCopyError, type JobView } from 'lull'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { guarded, guards, user } from '../../src/http/guarded.suite.ts'
import { parseLastLine } from '../lab/expect.ts'
import { PASSWORD } from '../lab/kdc-contexts.ts'
import { cannotServe, Lab } from '../lab/lab.ts'
import { LullHome, until, type CommandResult } from '../lab/lull.ts'

const home = new LullHome({ config: { backgroundJobs: 100 } })
after(() => home[Symbol.asyncDispose]())

/** A query that nobody but its server shall see. */
const QUERY = 'token=Xyzzy-42'

/** Through a proxy although it is on this machine. */
const everywhere = ['--noproxy', '<-loopback>']

/** Examines, and checks what holds for every report: its status, and that it can be sent to others. */
async function report(
  status: number,
  args: readonly string[],
  { input, from = home }: { readonly input?: string; readonly from?: LullHome } = {},
): Promise<string> {
  const ended = await from.run(['doctor', ...args], input === undefined ? {} : { input })
  assert.equal(ended.status, status, ended.stdout + ended.stderr)
  assert.equal(ended.stderr, '')
  for (const secret of [QUERY, user.password, PASSWORD, 'wrong-password', 'Authorization']) {
    assert(!ended.stdout.includes(secret), `${secret} in ${ended.stdout}`)
  }
  return ended.stdout
}

/** Asserts that these lines are in a report, in this order. */
function assertLines(report: string, lines: readonly (string | RegExp)[]): void {
  let rest = report.split('\n').map((line) => line.trim())
  for (const line of lines) {
    const found = rest.findIndex((each) =>
      typeof line === 'string' ? each === line : line.test(each),
    )
    assert(found !== -1, `no line ${String(line)} here or further down in\n${report}`)
    rest = rest.slice(found + 1)
  }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has a port.
  return (server.address() as AddressInfo).port
}

/** A server that answers every request with this status. */
async function answering(
  t: TestContext,
  status: number,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status, fields).end())
  return `http://127.0.0.1:${await listening(t, server)}`
}

suite('lull doctor', { concurrency: 4 }, () => {
  test('tells how the way was decided, and that it works', async (t) => {
    const url = await answering(t, 200, { Server: 'Lab/1' })
    assertLines(await report(0, [`${url}/file?${QUERY}`]), [
      /^Lull \S+, Node 24\S+, /u,
      `The way to ${url}/file`,
      'The job goes as its owner has set it',
      /straight to the server$/u,
      'The answer',
      `200 for ${url}/file`,
      'Server: Lab/1',
      'It works: the server answers 200',
    ])
  })

  test('follows redirects, and decides the way anew for each', async (t) => {
    const there = await answering(t, 200)
    const here = await answering(t, 302, { Location: `${there}/other?${QUERY}` })
    assertLines(await report(0, [`${here}/file`, '--proxy', 'none']), [
      `The way to ${here}/file`,
      'The job goes straight to every server',
      `From there on to ${there}/other`,
      `200 for ${there}/other`,
    ])
  })

  test('tells a clock that is wrong', async (t) => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    const url = await answering(t, 200, { Date: date })
    assertLines(await report(0, [url]), [/^The clock here is 3\d{3} s behind the server's:/u])
  })

  test('takes an empty file for a file', async (t) => {
    assertLines(await report(0, [await answering(t, 416)]), ['It works: the server answers 416'])
  })

  const statuses = [
    [404, 'BG_E_HTTP_ERROR_404 0x80190194'],
    [503, 'BG_E_HTTP_ERROR_503 0x801901F7'],
  ] as const
  for (const [status, code] of statuses) {
    test(`tells the code of ${status}`, async (t) => {
      assertLines(await report(1, [await answering(t, status)]), [
        `It fails: the server answers ${status} (${code}, REMOTE_FILE)`,
      ])
    })
  }

  test('tells who has a name that nobody asked for how to say it all the same (A85, A86)', async (t) => {
    const server = await guarded(t, [guards.basic()], {
      isPublic: () => true,
      serve: ({ headers }, response) =>
        void response.writeHead(headers.authorization === 'Bearer a-token' ? 200 : 403).end('x'),
    })
    const url = `${server.url}/x`
    const somebody = [url, '--bearer-stdin']
    const input = 'a-token\n'
    assertLines(await report(1, somebody, { input }), [
      /^The server did not ask who is there/u,
      `lull get ${url} --bearer-stdin --preemptive`,
    ])
    assert.doesNotMatch(await report(1, [url]), /preemptive/u)
    assert.doesNotMatch(
      await report(1, [...somebody, '--preemptive'], { input: 'wrong-password\n' }),
      /did not ask/u,
    )
    await report(0, [...somebody, '--preemptive'], { input })
  })

  test('tells what a server takes, and what would answer it', async (t) => {
    const server = await guarded(t, [guards.digest()])
    assertLines(await report(1, [`${server.url}/x?${QUERY}`]), [
      'The server 127.0.0.1',
      '401: it asks who is there, and takes Digest',
      /^Digest +not taken: no credentials are set for it and the server$/u,
      'No scheme is left: the server asks for proof that the job cannot give',
      'It fails: the server answers 401 (BG_E_HTTP_ERROR_401 0x80190191, REMOTE_FILE)',
      'Tell the server who you are',
      // What has a query is not shown.
      'lull get URL --user NAME',
    ])
  })

  test('tells which scheme was chosen, and why the others were not', async (t) => {
    const server = await guarded(t, [guards.ntlm(), guards.basic()])
    const args = [`${server.url}/x`, '--user', user.name, '--password-stdin']
    assertLines(await report(0, args, { input: `${user.password}\n` }), [
      '401: it asks who is there, and takes NTLM or Basic',
      /^NTLM +chosen, with what was set for it$/u,
      /^Negotiate +not taken: the server does not offer it$/u,
      /^Basic +not taken: no credentials are set for it and the server$/u,
      '401: NTLM goes on',
      '200: it lets us in',
    ])
  })

  test('tells a wrong password from a missing one, and names nobody', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const url = `${server.url}/x`
    const args = [url, '--user', 'nobody-in-particular', '--password-stdin']
    const told = await report(1, args, { input: 'wrong-password\n' })
    assert(!told.includes('nobody-in-particular'))
    assertLines(told, [
      /^Digest +chosen/u,
      /^Digest +not taken:/u,
      'No scheme is left: the server refused the credentials',
      /^The server refused what it was given/u,
      `lull get ${url} --user NAME`,
    ])
  })

  test('warns before the password can be read on the way', async (t) => {
    const server = await guarded(t, [guards.basic()])
    assertLines(await report(1, [`${server.url}/x`]), [
      /it knows Basic alone, so that the password can be read on the way$/u,
      `lull get ${server.url}/x --user NAME --scheme basic`,
    ])
  })

  test('tells of a proxy that cannot be reached, and goes the next way', async (t) => {
    const proxy = await answering(t, 502, { Via: '1.1 gate' })
    const list = `http://127.0.0.1:1 ${proxy}`
    assertLines(await report(1, ['http://files.test/x', '--proxy', list]), [
      'The job names its own proxies',
      `It goes through http://127.0.0.1:1; in reserve: ${proxy}`,
      /^Cannot connect to the proxy 127\.0\.0\.1 port 1: connection refused/u,
      'Via: 1.1 gate',
      /^It fails: the server answers 502 /u,
    ])
  })

  test('tells what a proxy takes', async (t) => {
    const proxy = await answering(t, 407, { 'Proxy-Authenticate': 'Basic realm="gate"' })
    const args = ['http://127.0.0.1:9/x', '--proxy', proxy, ...everywhere]
    assertLines(await report(1, args), [
      'The proxy 127.0.0.1',
      '407: it asks who is there, and takes Basic',
      /^It fails: the proxy answers 407 \(BG_E_HTTP_ERROR_407 0x80190197/u,
      `lull get http://127.0.0.1:9/x --proxy ${proxy} --noproxy '<-loopback>' --proxy-user NAME --proxy-scheme basic`,
    ])
  })

  test('tells what a script says, and what is wrong with it', async (t) => {
    const proxy = await answering(t, 200)
    const script = home.path('proxy.pac')
    writeFileSync(
      script,
      `function FindProxyForURL(url, host) {
        return host === 'wide.test' ? 'PROXY ${proxy.slice('http://'.length)}; DIRECT' : missing()
      }`,
    )
    assertLines(await report(0, ['http://wide.test/x', '--pac', script]), [
      `The script file://${script} says so: ${proxy}, then straight to the server`,
      `It goes through ${proxy}; in reserve: straight to the server`,
      'It works: the server answers 200',
    ])
    assertLines(await report(1, ['http://narrow.test/x', '--pac', script]), [
      /missing is not defined/u,
      /^It fails: .+ \(ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT 0x/u,
      /^Tell whoever wrote the script/u,
    ])
  })

  test('thinks of a proxy where a name does not resolve', async () => {
    assertLines(await report(1, ['http://nowhere.invalid/x']), [
      /^It fails: Cannot find nowhere\.invalid: .+ \(ERROR_WINHTTP_NAME_NOT_RESOLVED/u,
      'lull get http://nowhere.invalid/x --proxy PROXY',
    ])
  })

  test('thinks of another proxy where all that are named are away', async () => {
    const list = 'http://127.0.0.1:1 http://127.0.0.1:2'
    assertLines(await report(1, ['http://files.test/x', '--proxy', list]), [
      /^It fails: Cannot connect to the proxy 127\.0\.0\.1 port \d: .+ \(ERROR_WINHTTP_CANNOT_CONNECT/u,
      'Name another proxy, or none',
      'lull get http://files.test/x --proxy PROXY',
    ])
  })

  test('takes the variables of its own command', async (t) => {
    const proxy = await answering(t, 200)
    const env = { http_proxy: proxy, no_proxy: '' }
    const { status, stdout } = await home.run(['doctor', 'http://files.test/x'], { env })
    assert.equal(status, 0, stdout)
    assertLines(stdout, [new RegExp(`: ${proxy}$`, 'u')])
  })

  test('prints the findings as JSON', async (t) => {
    const url = await answering(t, 404)
    const { status, stdout } = await home.run(['doctor', url, '--json'])
    assert.equal(status, 1)
    // The command prints what the contract says.
    const { works, findings } = JSON.parse(stdout) as {
      works: boolean
      findings: readonly { kind: string; status?: number }[]
    }
    assert.equal(works, false)
    assert.deepEqual(
      findings.filter(({ kind }) => kind !== 'missing').map(({ kind, status }) => [kind, status]),
      [
        ['way', undefined],
        ['answer', 404],
      ],
    )
  })

  const misuses: readonly (readonly [why: string, args: readonly string[], sentence: RegExp])[] = [
    ['nothing', [], /give a URL, or a job with --job$/u],
    ['something that is no URL', ['files.test'], /^Cannot examine files\.test: /u],
    ['a password on a command line', ['http://ann:x@files.test/'], /everybody can read/u],
    ['authorities that are not there', ['http://files.test/', '--cacert', 'no'], /^Cannot read/u],
  ]
  for (const [why, args, sentence] of misuses) {
    test(`refuses ${why}`, async () => {
      const ended: CommandResult = await home.run(['doctor', ...args])
      assert.equal(ended.status, 2)
      assert.match(parseLastLine(ended.lastLine).sentence, sentence)
    })
  }
})

/** A job that was refused. */
async function refusedJob(urls: readonly string[], more: readonly string[] = []): Promise<string> {
  const input = urls.map((url, index) => `${url}\trefused-${index}\n`).join('')
  const words = ['get', '-i', '-', '--force', '--detach', ...more]
  const id = (await home.run(words, { input })).stdout.trim()
  await until(async () => {
    // The command prints the job as the contract has it.
    return ((await home.json(['job', id])) as JobView).state === 'ERROR'
  }, 'it is refused')
  return id
}

suite('lull doctor --job', () => {
  test('asks for the file that failed, and tells the commands that mend the job', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob([`${await answering(t, 200)}/well`, `${server.url}/ill?${QUERY}`])
    const short = id.slice(0, 8)
    assertLines(await report(1, ['--job', short]), [
      `The way to ${server.url}/ill`,
      `lull credentials set ${short} --user NAME`,
      `lull resume ${short}`,
    ])
  })

  test('asks as the job does, until it is told otherwise', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob([`${server.url}/x`])
    const set = ['credentials', 'set', id, '--user', user.name, '--password-stdin']
    await home.run(set, { input: `${user.password}\n` })
    assertLines(await report(0, ['-j', id]), [/^Digest +chosen, with what was set for it$/u])
    const other = ['-j', id, '--user', user.name, '--password-stdin']
    await report(1, other, { input: 'wrong-password\n' })
    await report(0, ['-j', id])
  })

  test('goes the way of the job', async (t) => {
    const proxy = await answering(t, 403)
    const id = await refusedJob(['http://files.test/x'], ['--proxy', proxy])
    assertLines(await report(1, ['--job', id]), [
      'The job names its own proxies',
      /^It fails: the server answers 403 /u,
    ])
    await report(0, [await answering(t, 200), '--job', id, '--proxy', 'none'])
  })
})

suite('lull doctor and certificates', { skip: needsOpenssl, concurrency: 2 }, () => {
  test('tells who issued a certificate that is not trusted', async (t) => {
    const authority = new Authority(t)
    const server = await guarded(t, [], { certificate: authority.issue() })
    const url = `${server.url}/x`
    assertLines(await report(1, [url]), [
      'The server localhost',
      /^It speaks TLS 1\.3$/u,
      /^Its certificate is of .+ \(DNS:localhost, IP Address:127\.0\.0\.1,/u,
      /^issued by CN=authority/u,
      /^good from \d{4}-\S+Z to \d{4}-\S+Z$/u,
      /^SHA-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/u,
      /^It fails: Cannot trust localhost: .+ \(ERROR_WINHTTP_SECURE_INVALID_CA 0x80072F0D/u,
      `lull get ${url} --cacert FILE`,
    ])
    await report(0, [url, '--cacert', authority.file])
  })

  const flaws = [
    ['has expired', { from: '20200101000000Z', to: '20200201000000Z' }, /^Look at the date/u],
    ['is for another name', { names: ['DNS:other.test'] }, /^Ask for the server by a name/u],
  ] as const
  for (const [flaw, claims, advice] of flaws) {
    test(`tells that a certificate ${flaw}`, async (t) => {
      const authority = new Authority(t)
      const server = await guarded(t, [], { certificate: authority.issue(claims) })
      assertLines(await report(1, [`${server.url}/x`, '--cacert', authority.file]), [
        /^Its certificate is of /u,
        new RegExp(`^It fails: Cannot trust localhost: its certificate ${flaw} `, 'u'),
        advice,
      ])
    })
  }

  test('tells that a server asks for a certificate, and shows ours', async (t) => {
    const authority = new Authority(t)
    const server = createSecureServer(
      { ...authority.issue(), ca: authority.pem, requestCert: true },
      (_, response) => response.end('in'),
    )
    const url = `https://localhost:${await listening(t, server)}/x`
    const trust = ['--cacert', authority.file]
    assertLines(await report(1, [url, ...trust]), [
      'It asks for a certificate of ours',
      /^It fails: .+ \(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED 0x80072F0C/u,
      `lull get ${url} --cacert ${authority.file} --cert FILE`,
    ])
    const { cert, key } = authority.issue({ usage: 'clientAuth' })
    writeFileSync(home.path('client.pem'), cert + key, { mode: 0o600 })
    await report(0, [url, ...trust, '--cert', home.path('client.pem')])
  })
})

suite('lull doctor and Kerberos', { skip: cannotServe }, () => {
  let lab: Lab
  let member: LullHome

  before(async () => {
    lab = await Lab.start()
    writeFileSync(lab.apache.path('file'), 'in')
    member = new LullHome()
    // The service has the environment of the command that starts it, and with it no ticket.
    const started = await member.run(['jobs'], { env: lab.kdc.environment })
    assert.equal(started.status, 0, started.stderr)
  })

  after(async () => {
    await member[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  test('tells that who is logged on has no ticket', async () => {
    const url = lab.apache.url('http', 'kerberos', 'file')
    assertLines(await report(1, [url, '--implicit'], { from: member }), [
      '401: it asks who is there, and takes Negotiate',
      /^There is no ticket for HTTP@localhost as who is logged on: .+no-tickets/u,
      'kinit USER@REALM',
      'klist',
      `lull get ${url} --implicit`,
    ])
    assertLines(await report(0, [url, '--ccache', lab.tickets], { from: member }), [
      'There is a ticket for HTTP@localhost with the tickets that were named',
      '206: it lets us in',
    ])
  })

  test('tells why NTLM is taken instead, and names nobody', async () => {
    const url = lab.apache.url('http', 'negotiate', 'file')
    const args = [url, '--user', 'LULLLAB\\alice', '--password-stdin']
    const told = await report(0, args, { from: member, input: `${PASSWORD}\n` })
    assert(!told.includes('alice'), told)
    assertLines(told, [
      /^Negotiate +chosen/u,
      /^There is no ticket for HTTP@localhost with the name .+ Kerberos realm of the user:/u,
      '401: Negotiate goes on',
    ])
  })

  test('tells who may not know who is logged on', async () => {
    const url = lab.apache.url('http', 'kerberos', 'file').replace('localhost', '127.0.0.1')
    assertLines(await report(1, [url, '--implicit'], { from: member }), [
      /^Negotiate +not taken: who is logged on is not told to hosts outside the list/u,
      /"implicitHosts": \["<local>", "<domain>", "127\.0\.0\.1"\]/u,
    ])
  })
})

suite('manager.examine()', () => {
  test('finds out what the command does', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const manager = await home.manager()
    const credentials = [
      {
        target: 'server',
        scheme: 'digest',
        credentials: { userName: user.name, password: new TextEncoder().encode(user.password) },
      },
    ] as const
    const findings = await manager.examine({ url: `${server.url}/x?${QUERY}`, credentials })
    const kinds = findings.map(({ kind }) => kind).filter((kind) => kind !== 'missing')
    assert.deepEqual(kinds, ['way', 'proof', 'proof', 'answer'])
    assert(!JSON.stringify(findings).includes(QUERY))
  })

  test('takes a name and a password of the URL for what they are', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const url = new URL(`${server.url}/x`)
    Object.assign(url, { username: user.name, password: user.password })
    const findings = await (await home.manager()).examine({ url: url.href })
    const last = findings.at(-1)
    assert(last?.kind === 'answer')
    assert.equal(last.status, 200)
    assert(!JSON.stringify(findings).includes(user.name))
  })

  test('refuses to look at nothing, and at jobs that are not there', async () => {
    const manager = await home.manager()
    for (const [question, code] of [
      [{}, 'E_INVALIDARG'],
      [{ job: '00000000-0000-4000-8000-000000000000' }, 'BG_E_NOT_FOUND'],
    ] as const) {
      await assert.rejects(
        manager.examine(question),
        (error) => error instanceof BackgroundCopyError && error.code === code,
      )
    }
  })
})
