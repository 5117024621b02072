/** Scripts that choose the way, and what becomes of jobs whose script is of no use. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test, type TestContext } from 'node:test'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { deadPlace, gatewayFor, refusing } from '../lab/gateway.ts'
import { Getter, HOST, nameOf } from '../lab/getter.ts'
import { cannotServe, Lab } from '../lab/lab.ts'
import { LullHome } from '../lab/lull.ts'

let getter: Getter
before(async () => {
  getter = await Getter.start()
})
after(() => getter[Symbol.asyncDispose]())

/** A script that does this. */
function script(body: string): string {
  return `function FindProxyForURL(url, host) { ${body} }`
}

let scripts = 0

/** Writes a script into a file, and gives its path. */
function fileOf(text: string): string {
  const path = getter.home.path(`${++scripts}.pac`)
  writeFileSync(path, text)
  return path
}

/** Serves something; the base of its URLs. */
function serve(t: TestContext, answer: RequestListener): Promise<string> {
  return listening(t, createServer(answer))
}

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has a port.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What Node trusts besides. */
function extra(file: string): Readonly<Record<string, string>> {
  return { NODE_EXTRA_CA_CERTS: file }
}

suite('lull get --pac', { concurrency: 4 }, () => {
  test('goes by what a script says of each URL of one job (N6, N67)', async (t) => {
    const [first, second] = [await gatewayFor(t), await gatewayFor(t)]
    const urls = [getter.file('a.corp.test'), getter.file('b.corp.test'), getter.file('127.0.0.1')]
    const pac = fileOf(
      script(`if (dnsDomainIs(host, '.corp.test'))
        return host == 'a.corp.test' ? 'PROXY ${first.place}' : 'PROXY ${second.place}'
      return 'DIRECT'`),
    )
    const { status, stderr } = await getter.home.run(['get', ...urls, '--pac', pac])
    assert.equal(status, 0, stderr)
    for (const url of urls) getter.assertWhole(url)
    assert.deepEqual([first.asked, second.asked], [[`GET ${urls[0]}`], [`GET ${urls[1]}`]])
  })

  test('goes on behind a redirect as the script says of the new place (N6, A124)', async (t) => {
    const proxy = await gatewayFor(t)
    const there = getter.file()
    const server = await serve(t, (_, response) => {
      response.writeHead(302, { Location: there }).end()
    })
    const pac = fileOf(script(`return host == '${HOST}' ? 'PROXY ${proxy.place}' : 'DIRECT'`))
    await getter.get(`${server}/${nameOf(there)}`, { args: ['--pac', pac] })
    assert.deepEqual(proxy.asked, [`GET ${there}`])
  })

  for (const way of ['at once', 'behind redirects'] as const) {
    test(`fetches a script from a URL ${way}, once for many jobs, and straight (N60, N62)`, async (t) => {
      const proxy = await gatewayFor(t)
      const asked: string[] = []
      const server = await serve(t, ({ url = '' }, response) => {
        asked.push(url)
        if (url !== '/proxy.pac') response.writeHead(302, { Location: '/proxy.pac' }).end()
        else response.end(script(`return 'PROXY ${proxy.place}'`))
      })
      const pac = `${server}/${way === 'at once' ? 'proxy.pac' : 'moved'}`
      for (const url of [getter.file(), getter.file()]) {
        await getter.get(url, { args: ['--pac', pac], env: { http_proxy: await deadPlace() } })
      }
      assert.deepEqual(asked, way === 'at once' ? ['/proxy.pac'] : ['/moved', '/proxy.pac'])
      assert.equal(proxy.asked.length, 2)
    })
  }

  const trusts: readonly (readonly [
    what: string,
    trust: (file: string) => {
      readonly env?: Readonly<Record<string, string>>
      readonly args?: readonly string[]
      readonly proxies?: object
    },
  ])[] = [
    ['SSL_CERT_FILE', (file) => ({ env: { SSL_CERT_FILE: file } })],
    ['NODE_EXTRA_CA_CERTS', (file) => ({ env: extra(file) })],
    ['--cacert', (file) => ({ args: ['--cacert', file] })],
    ['scriptCaFile', (file) => ({ proxies: { scriptCaFile: file } })],
    [
      'NODE_EXTRA_CA_CERTS, and the job and the service trust others besides',
      (file) => ({
        env: extra(file),
        args: ['--cacert', otherAuthority()],
        proxies: { scriptCaFile: otherAuthority() },
      }),
    ],
  ]
  let other: string | undefined
  const otherAuthority = (): string => (other ??= new Authority({ after }).file)

  for (const [what, trust] of trusts) {
    test(
      `takes a script over https from a server that ${what} trusts (N60)`,
      { skip: needsOpenssl },
      async (t) => {
        const authority = new Authority(t)
        const proxy = await gatewayFor(t)
        const server = createSecureServer(authority.issue(), (_, response) => {
          response.end(script(`return 'PROXY ${proxy.place}'`))
        })
        const pac = (await listening(t, server)).replace('http:', 'https:')
        const { env = {}, args = [], proxies } = trust(authority.file)
        await using from = new LullHome(proxies === undefined ? {} : { config: { proxies } })
        await getter.get(getter.file(), { from, args: ['--pac', pac, ...args], env })
        assert.equal(proxy.asked.length, 1)
        if (args.length === 0) return
        // What one job trusts is nothing to the next.
        const isPlatform = 'NODE_EXTRA_CA_CERTS' in env
        const next = await getter.attempt(getter.file(), { from, args: ['--pac', pac], env })
        assert.equal(next.status, isPlatform ? 0 : 1, next.stderr)
      },
    )
  }

  test(
    'takes none over https from a server that nobody trusts (N60)',
    { skip: needsOpenssl },
    async (t) => {
      const authority = new Authority(t)
      const server = createSecureServer(authority.issue(), (_, response) => {
        response.end(script(`return 'DIRECT'`))
      })
      const pac = (await listening(t, server)).replace('http:', 'https:')
      await using from = new LullHome({ config: { proxies: { scriptCaFile: otherAuthority() } } })
      const { symbol } = await getter.fail(getter.file(), { from, args: ['--pac', pac] })
      assert.equal(symbol, 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT')
    },
  )

  const answers = [
    ['PROXY DEAD; PROXY LIVE', 'proxy'],
    ['HTTP DEAD; SOCKS DEAD; HTTPS DEAD; PROXY LIVE', 'proxy'],
    ['GATE DEAD; PROXY LIVE; DIRECT', 'proxy'],
    ['PROXY DEAD; DIRECT', 'straight'],
    ['GATE DEAD', 'straight'],
    ['', 'straight'],
    ['PROXY DEAD; SOCKS5 DEAD', 'no way'],
  ] as const
  for (const [answer, way] of answers) {
    test(`takes "${answer}" for ${way} (N74, N75, N76)`, async (t) => {
      const proxy = await gatewayFor(t)
      const places = answer.replaceAll('DEAD', await deadPlace()).replace('LIVE', proxy.place)
      const url = getter.file('127.0.0.1')
      const args = ['--pac', fileOf(script(`return '${places}'`))]
      if (way === 'proxy' || way === 'straight') await getter.get(url, { args })
      else assert.equal((await getter.fail(url, { args })).symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
      assert.equal(proxy.asked.length, way === 'proxy' ? 1 : 0)
      const wasReached = way === 'proxy' || way === 'straight'
      assert.equal(getter.origin.count(new URL(url).pathname), wasReached ? 1 : 0)
    })
  }

  const useless = [
    ['does not compile', 'function FindProxyForURL(url, host) {'],
    ['is a page for people', '<!doctype html><title>Sign in</title>'],
    ['has no function', 'var proxy = "DIRECT"'],
    ['throws', script('throw new Error("no")')],
    ['returns a number', script('return 42')],
    ['never ends', script('for (;;) {}')],
    ['is an endless loop before it has a function', 'for (;;) {}'],
    ['takes all memory', script('var all = []; for (;;) all.push(new Array(1e6).fill(url))')],
    ['calls itself', 'function FindProxyForURL(url, host) { return FindProxyForURL(url, host) }'],
    ['returns a promise', 'async function FindProxyForURL(url, host) { return "DIRECT" }'],
  ] as const
  for (const [what, text] of useless) {
    test(`waits and does not go straight when the script ${what} (N63, N64, N68, N76)`, async () => {
      const url = getter.file('127.0.0.1')
      const failed = await getter.fail(url, { args: ['--pac', fileOf(text)] })
      assert.equal(failed.symbol, 'ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT')
      // Told only of what would be tried again.
      assert.match(failed.sentence, /not tried again/u)
      assert.equal(getter.origin.count(new URL(url).pathname), 0)
    })
  }

  for (const [what, status, body] of [
    ['is not there', 404, ''],
    ['is not given to everybody', 401, ''],
    ['is empty', 204, ''],
    ['is longer than a MiB', 200, ' '.repeat(1_100_000)],
  ] as const) {
    test(`waits and does not go straight when the script ${what} (N60, N76)`, async (t) => {
      const server = await serve(t, (_, response) => response.writeHead(status).end(body))
      const url = getter.file('127.0.0.1')
      const failed = await getter.fail(url, { args: ['--pac', `${server}/x.pac`] })
      assert.equal(failed.symbol, 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT')
      assert.match(failed.sentence, /not tried again/u)
      assert.equal(getter.origin.count(new URL(url).pathname), 0)
    })
  }

  test('shows a script the host alone of https (N65)', async (t) => {
    const proxy = await gatewayFor(t, { answers: () => refusing(403) })
    const proxied = `return url == 'https://${HOST}/' ? 'PROXY ${proxy.place}' : 'PROXY leak.invalid:1'`
    const args = ['--pac', fileOf(script(proxied))]
    const { symbol } = await getter.fail(`https://${HOST}/secret-path?secret=query`, { args })
    assert.equal(symbol, 'BG_E_HTTP_ERROR_403')
    assert.deepEqual(proxy.asked, [`CONNECT ${HOST}:443`])
  })
})

suite('a script that the machine is set to', { concurrency: 2 }, () => {
  for (const [mandatory, what] of [
    [false, 'is passed over for the list'],
    [true, 'holds the job when it is mandatory'],
  ] as const) {
    test(`${what}, where it cannot be used (N5)`, async (t) => {
      const proxy = await gatewayFor(t)
      const broken = await serve(t, (_, response) => response.writeHead(404).end())
      const proxies = { script: `${broken}/x.pac`, list: proxy.place, scriptIsMandatory: mandatory }
      await using machine = new LullHome({ config: { proxies } })
      const url = getter.file()
      if (mandatory) {
        const { symbol } = await getter.fail(url, { from: machine })
        assert.equal(symbol, 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT')
      } else {
        await getter.get(url, { from: machine })
      }
      assert.equal(proxy.asked.length, mandatory ? 0 : 1)
    })
  }
})

suite('a script whose server asks who is there', { skip: cannotServe }, () => {
  for (const [scriptLogon, what] of [
    [false, 'is told nobody'],
    [true, 'is told who is logged on where the administrator lets it'],
  ] as const) {
    test(`${what} (N60, N84)`, async (t) => {
      await using lab = await Lab.start()
      const proxy = await gatewayFor(t)
      lab.apache.serve('proxy.pac', script(`return 'PROXY ${proxy.place}'`))
      await using from = new LullHome({ config: { proxies: { scriptLogon } } })
      const args = ['--pac', lab.apache.url('http', 'kerberos', 'proxy.pac')]
      const env = { ...lab.kdc.environment, KRB5CCNAME: lab.tickets }
      const url = getter.file()
      if (scriptLogon) {
        await getter.get(url, { from, args, env })
        return
      }
      const { symbol } = await getter.fail(url, { from, args, env })
      assert.equal(symbol, 'ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT')
    })
  }
})
