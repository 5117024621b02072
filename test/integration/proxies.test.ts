/** Ways out of a network as a person names them: in the environment, on the command line, in a script. */

import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, suite, test } from 'node:test'
import { BackgroundCopyManager } from 'lull'
import { Authority, needsOpenssl, type Identity } from '../../src/http/certificates.suite.ts'
import { serveSocks } from '../../src/http/tunnel/proxies.suite.ts'
import { waitState } from '../lab/follow.ts'
import { GatedOrigin } from '../lab/gated-origin.ts'
import { deadPlace, gatewayFor, refusing } from '../lab/gateway.ts'
import { Getter, HOST, nameOf, noProxies } from '../lab/getter.ts'
import { LullHome, until } from '../lab/lull.ts'

const needsIpv6: string | false = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
  ? false
  : 'this machine has no IPv6'

let getter: Getter
before(async () => {
  getter = await Getter.start()
})
after(() => getter[Symbol.asyncDispose]())

const authority = needsOpenssl === false ? new Authority({ after }) : undefined

/** What the server and the proxies of these tests show, and who trusts it. */
interface Shown {
  readonly identity: Identity
  readonly trusting: readonly string[]
}

function issue(names: readonly string[] = [`DNS:${HOST}`, 'IP:127.0.0.1', 'IP:::1']): Shown {
  assert(authority !== undefined)
  return { identity: authority.issue({ names }), trusting: ['--cacert', authority.file] }
}

/** Waits until a service answers that no command has started. */
async function serving({ home }: LullHome): Promise<void> {
  const asks = (): Promise<boolean> =>
    BackgroundCopyManager.connect({ home, start: false }).then(
      () => true,
      () => false,
    )
  await until(asks, 'the service answers')
}

suite('lull get with variables', { concurrency: 4 }, () => {
  for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']) {
    test(`goes by ${name} of its own environment, whatever the service was started with (N40)`, async (t) => {
      const proxy = await gatewayFor(t)
      const url = getter.file()
      await getter.get(url, { env: { [name]: proxy.url } })
      assert.deepEqual(proxy.asked, [`GET ${url}`])
    })
  }

  for (const name of ['https_proxy', 'HTTPS_PROXY', 'all_proxy']) {
    test(`goes by ${name} to servers of https alone, unless it is for all (N40)`, async (t) => {
      const proxy = await gatewayFor(t, { answers: () => refusing(403) })
      const env = { [name]: proxy.url, HTTP_PROXY: await deadPlace() }
      const { symbol } = await getter.fail(`https://${HOST}/secure`, { env })
      assert.equal(symbol, 'BG_E_HTTP_ERROR_403')
      assert.deepEqual(proxy.asked, [`CONNECT ${HOST}:443`])
      const plain = await getter.fail(getter.file(), { env })
      assert.equal(plain.symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
    })
  }

  test('takes lower case before upper case, and a proxy for http before one for all (N40)', async (t) => {
    const [taken, other] = [await gatewayFor(t), await gatewayFor(t)]
    const url = getter.file()
    await getter.get(url, {
      env: { http_proxy: taken.place, HTTP_PROXY: other.url, all_proxy: other.url },
    })
    assert.deepEqual([taken.asked, other.asked], [[`GET ${url}`], []])
  })

  test('does not believe HTTP_PROXY in a CGI program (N40)', async (t) => {
    const proxy = await gatewayFor(t)
    const url = getter.file('127.0.0.1')
    await getter.get(url, { env: { HTTP_PROXY: proxy.url, REQUEST_METHOD: 'GET' } })
    assert.deepEqual(proxy.asked, [])
  })

  test('goes straight where no_proxy says so, and else through the proxy (N41)', async (t) => {
    const proxy = await gatewayFor(t)
    const env = { http_proxy: proxy.url, no_proxy: 'x.test, .0.0.1,127.0.0.0/8' }
    await getter.get(getter.file('127.0.0.1'), { env })
    const url = getter.file('localhost')
    await getter.get(url, { env })
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })

  test('goes straight where no_proxy alone says so, past what the service is configured with (N41)', async (t) => {
    const proxy = await gatewayFor(t)
    await using fresh = new LullHome({
      config: { proxies: { list: proxy.url, bypass: '<-loopback>' } },
    })
    const env = { no_proxy: '127.0.0.0/8' }
    await getter.get(getter.file('127.0.0.1'), { from: fresh, env })
    const url = getter.file('localhost')
    await getter.get(url, { from: fresh, env })
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })

  test('asks a proxy of all_proxy by SOCKS, and has it find the name (N40, N101)', async (t) => {
    const proxy = await serveSocks(t, 'socks5')
    const url = getter.file()
    await getter.get(url, { env: { all_proxy: `socks5://127.0.0.1:${proxy.port}` } })
    assert.deepEqual(proxy.heard, [`5.1 ${new URL(url).host} 0 `])
  })

  test('uses no name and no password of a variable, and shows them nowhere (N15)', async (t) => {
    const proxy = await gatewayFor(t, {
      answers: () =>
        'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    })
    const env = { http_proxy: proxy.url.replace('//', '//user:Xyzzy-42@') }
    const { status, stdout, stderr } = await getter.attempt(getter.file(), { env })
    assert.equal(status, 1)
    assert.match(stderr, /BG_E_HTTP_ERROR_407/u)
    assert.doesNotMatch(stdout + stderr, /Xyzzy/u)
    assert.doesNotMatch(JSON.stringify(await getter.home.jobs()), /Xyzzy/u)
  })

  test('has variables for itself: neither the service nor the next command has them (N40)', async (t) => {
    const proxy = await gatewayFor(t)
    await using fresh = new LullHome()
    const url = getter.file()
    await getter.get(url, { from: fresh, env: { http_proxy: proxy.url } })
    await getter.get(getter.file('127.0.0.1'), { from: fresh })
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })

  test('count for jobs that a program makes, too (N40)', async (t) => {
    const proxy = await gatewayFor(t)
    const before = process.env['http_proxy']
    process.env['http_proxy'] = proxy.url
    t.after(() => {
      if (before === undefined) delete process.env['http_proxy']
      else process.env['http_proxy'] = before
    })
    const manager = await getter.home.manager()
    const job = await manager.createJob('by a program')
    const { environment } = await job.getProxySettings()
    assert.equal(environment?.http_proxy, proxy.url)
    const url = getter.file()
    await job.addFile(url, getter.home.path(nameOf(url)))
    await job.resume()
    await waitState(job, 'TRANSFERRED')
    assert.deepEqual(proxy.asked, [`GET ${url}`])
    await job.setProxySettings('noProxy')
    assert.deepEqual(await job.getProxySettings(), { usage: 'noProxy' })
    await job.setProxySettings('preconfig')
    assert.equal((await job.getProxySettings()).environment?.http_proxy, proxy.url)
    await job.complete()
  })

  test('goes as the service was told when it was started by name, and nobody says otherwise (N5)', async (t) => {
    const [ofService, ofCommand] = [await gatewayFor(t), await gatewayFor(t)]
    await using fresh = new LullHome()
    fresh.start(['serve'], { env: { ...noProxies, http_proxy: ofService.url } })
    await serving(fresh)
    const urls = [getter.file(), getter.file()] as const
    await getter.get(urls[0], { from: fresh })
    await getter.get(urls[1], { from: fresh, env: { http_proxy: ofCommand.url } })
    assert.deepEqual([ofService.asked, ofCommand.asked], [[`GET ${urls[0]}`], [`GET ${urls[1]}`]])
  })
})

/** How proxies are named, and what they hear of a URL over http and over https. */
const kinds = [
  { named: 'host and port', name: (place: string) => place },
  { named: 'http://', name: (place: string) => `http://${place}` },
  { named: 'http= and https=', name: (place: string) => `http=${place} https=http://${place}` },
] as const

suite('lull get --proxy', { concurrency: 4, skip: needsOpenssl }, () => {
  const { identity, trusting } = issue()
  let secureOrigin: GatedOrigin
  before(async () => {
    secureOrigin = await GatedOrigin.start({ tls: identity })
  })
  after(() => secureOrigin[Symbol.asyncDispose]())

  for (const { named, name } of kinds) {
    test(`asks a proxy named by ${named} for URLs of http, and to connect to https (N10, N11, N90)`, async (t) => {
      const proxy = await gatewayFor(t)
      const [plain, secure] = [getter.file(), getter.file(HOST, secureOrigin)]
      for (const url of [plain, secure]) {
        await getter.get(url, { args: ['--proxy', name(proxy.place), ...trusting] })
      }
      assert.deepEqual(proxy.asked, [`GET ${plain}`, `CONNECT ${new URL(secure).host}`])
    })
  }

  test('speaks TLS to an https proxy, and TLS again inside it (N92)', async (t) => {
    const proxy = await gatewayFor(t, { tls: identity })
    const [plain, secure] = [getter.file(), getter.file(HOST, secureOrigin)]
    for (const url of [plain, secure]) {
      await getter.get(url, { args: ['--proxy', proxy.url, ...trusting] })
    }
    assert.deepEqual(proxy.asked, [`GET ${plain}`, `CONNECT ${new URL(secure).host}`])
  })

  for (const [scheme, version, login] of [
    ['socks5', '5', ' 0 '],
    ['socks5h', '5', ' 0 '],
    ['socks4', '4', ' '],
    ['socks4a', '4', ' '],
    ['socks', '5', ' 0 '],
  ] as const) {
    test(`has a proxy of ${scheme}:// find the name of the server (N11, N100, N101)`, async (t) => {
      const proxy = await serveSocks(t, version === '5' ? 'socks5' : 'socks4')
      const urls = [getter.file(), getter.file(HOST, secureOrigin)]
      for (const url of urls) {
        const args = ['--proxy', `${scheme}://127.0.0.1:${proxy.port}`, ...trusting]
        await getter.get(url, { args })
      }
      const expected = urls.map((url) => `${version}.1 ${new URL(url).host}${login}`)
      assert.deepEqual(proxy.heard, expected)
    })
  }

  test('tries the proxies of a list in order, those that are away last the next time (N14, N75)', async (t) => {
    const [dead, proxy] = [await deadPlace(), await gatewayFor(t)]
    const urls = [getter.file(), getter.file()]
    for (const url of urls) await getter.get(url, { args: ['--proxy', `${dead} ${proxy.place}`] })
    assert.deepEqual(
      proxy.asked,
      urls.map((url) => `GET ${url}`),
    )
  })

  test('never goes straight because the proxy is away (N76)', async () => {
    const url = getter.file('127.0.0.1')
    const { symbol } = await getter.fail(url, { args: ['--proxy', await deadPlace()] })
    assert.equal(symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
    assert.equal(getter.origin.count(new URL(url).pathname), 0)
  })

  test('goes straight to what --noproxy names, and to nothing else (N20, N24)', async (t) => {
    const proxy = await gatewayFor(t)
    const args = ['--proxy', proxy.url, '--noproxy', '*.0.0.1 <local>']
    for (const host of ['127.0.0.1', 'localhost']) await getter.get(getter.file(host), { args })
    const proxied = [getter.file(), getter.file('a.localhost')]
    for (const url of proxied) await getter.get(url, { args })
    assert.deepEqual(
      proxy.asked,
      proxied.map((url) => `GET ${url}`),
    )
  })

  test('is none, whatever variables and the service say (N1)', async (t) => {
    const proxy = await gatewayFor(t)
    await using machine = new LullHome({
      config: { proxies: { list: proxy.place, bypass: '<-loopback>', binding: true } },
    })
    const env = { http_proxy: proxy.url }
    await getter.get(getter.file('127.0.0.1'), { from: machine, args: ['--proxy', 'none'], env })
    assert.deepEqual(proxy.asked, [])
    const url = getter.file('127.0.0.1')
    await getter.get(url, { from: machine, args: ['--proxy', 'system'] })
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })

  test('is system, and so what the variables say (N3, N40)', async (t) => {
    const proxy = await gatewayFor(t)
    const url = getter.file()
    await getter.get(url, { args: ['--proxy', 'system'], env: { http_proxy: proxy.url } })
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })

  test('is an address of IPv6, and so is the server (N16, N90)', { skip: needsIpv6 }, async (t) => {
    const proxy = await gatewayFor(t, { address: '::1' })
    const urls = [getter.file('[::1]'), getter.file('[::1]', secureOrigin)] as const
    for (const url of urls) await getter.get(url, { args: ['--proxy', proxy.url, ...trusting] })
    assert.deepEqual(proxy.asked, [`GET ${urls[0]}`, `CONNECT ${new URL(urls[1]).host}`])
  })

  for (const [host, ascii] of [
    ['bücher.corp.test', 'xn--bcher-kva.corp.test'],
    ['printer.local', 'printer.local'],
    ['intranet', 'intranet'],
    ['EXAMPLE.Corp.Test.', 'example.corp.test.'],
  ] as const) {
    test(`lets the proxy find ${host} (N101, RFC 5891)`, async (t) => {
      const [proxy, socks] = [await gatewayFor(t), await serveSocks(t, 'socks5')]
      const urls = [getter.file(host), getter.file(host)] as const
      await getter.get(urls[0], { args: ['--proxy', proxy.url] })
      await getter.get(urls[1], { args: ['--proxy', `socks5://127.0.0.1:${socks.port}`] })
      const { port } = new URL(urls[0])
      assert.deepEqual(proxy.asked, [`GET ${urls[0].replace(host, ascii)}`])
      assert.deepEqual(socks.heard, [`5.1 ${ascii.replace(/\.$/u, '')}:${port} 0 `])
    })
  }

  test('is set for a job that is there, and read back (N1)', async (t) => {
    const proxy = await gatewayFor(t)
    const url = getter.file()
    const { stderr } = await getter.fail(url, { args: ['--proxy', 'p:port'] })
    const [, id = ''] = /lull resume ([0-9a-f]{8})/u.exec(stderr) ?? []
    for (const [args, settings] of [
      [['--proxy', 'auto'], { usage: 'autodetect' }],
      [['--proxy', 'none'], { usage: 'noProxy' }],
      [['--proxy', 'system'], { usage: 'preconfig' }],
      [['--pac', 'http://p.test/x.pac'], { usage: 'override', script: 'http://p.test/x.pac' }],
      [['--proxy', proxy.url], { usage: 'override', list: proxy.url }],
    ] as const) {
      const { status, stdout } = await getter.home.run(['proxy', 'set', id, ...args, '--json'], {
        env: noProxies,
      })
      assert.equal(status, 0)
      const { id: job, ...read }: { readonly id: string } = JSON.parse(stdout)
      assert(job.startsWith(id))
      assert.deepEqual(read, settings)
    }
    assert.equal((await getter.home.run(['resume', id])).status, 0)
    await until(() => getter.home.files.includes(nameOf(url)), 'it goes on')
    assert.deepEqual(proxy.asked, [`GET ${url}`])
  })
})
