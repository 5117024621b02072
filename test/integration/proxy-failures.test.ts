/** Proxies and networks that fail: with which code, whether it is tried again, and what is left of the file. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { JobView } from 'lull'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { serveSocks } from '../../src/http/tunnel/proxies.suite.ts'
import { deadPlace, gatewayFor, refusing, type Gateway } from '../lab/gateway.ts'
import { Getter, HOST, nameOf, noProxies } from '../lab/getter.ts'
import { LullHome, until } from '../lab/lull.ts'

let getter: Getter
before(async () => {
  getter = await Getter.start()
})
after(() => getter[Symbol.asyncDispose]())

const authority = needsOpenssl === false ? new Authority({ after }) : undefined

/** How a file cannot be got. */
interface Failing {
  readonly url?: string
  readonly args: readonly string[]
}

/** What it ends with. */
interface Ending {
  readonly symbol: string
  readonly context?: string
  /** Whether the service would try again by itself. */
  readonly isTransient: boolean
}

/** Fails to get a file, and checks with what. @returns what a person reads */
async function assertEnding({ url, args }: Failing, ending: Ending): Promise<string> {
  const asked = url ?? getter.file()
  const { symbol, context, sentence, stderr } = await getter.fail(asked, { args })
  const { symbol: expected, context: place = 'GENERAL_TRANSPORT', isTransient } = ending
  assert.deepEqual([symbol, context], [expected, place], stderr)
  assert.equal(/not tried again: the no-progress/u.test(sentence), isTransient, stderr)
  assert(!existsSync(getter.home.path(nameOf(asked))))
  return sentence
}

suite('a proxy list', { concurrency: 4 }, () => {
  const unreadable = ['http=', '=p', 'p:port', 'p:0', 'p:65536', 'ftp//x', 'a b:c', '[::1', 'x://p']
  for (const list of unreadable) {
    test(`that says ${list} ends the job when it runs (N2, N16)`, async () => {
      const ending = { symbol: 'BG_E_INVALID_PROXY_INFO', isTransient: false }
      await assertEnding({ args: ['--proxy', list] }, ending)
    })
  }

  test('of exceptions that cannot be read does too (N2)', async () => {
    const ending = { symbol: 'BG_E_INVALID_PROXY_INFO', isTransient: false }
    await assertEnding({ args: ['--proxy', 'p:1', '--noproxy', '[::1'] }, ending)
  })

  for (const [option, symbol] of [
    ['--proxy', 'BG_E_PROXY_LIST_TOO_LARGE'],
    ['--noproxy', 'BG_E_PROXY_BYPASS_LIST_TOO_LARGE'],
  ] as const) {
    test(`of 33,000 characters is refused with ${symbol} (N1)`, async () => {
      const long = 'x'.repeat(33_000)
      const args = option === '--proxy' ? ['--proxy', long] : ['--proxy', 'p', '--noproxy', long]
      const failed = await getter.fail(getter.file(), { args })
      assert.equal(failed.symbol, symbol)
    })
  }
})

suite('a proxy that cannot be reached', { concurrency: 4 }, () => {
  test('because its name does not resolve has a code of its own (N2)', async () => {
    const symbol = 'BG_E_PROXY_NAME_RESOLUTION_FAILURE'
    for (const scheme of ['http', 'socks5']) {
      const args = ['--proxy', `${scheme}://proxy.invalid:8080`]
      const ending = { symbol, context: 'REMOTE_FILE', isTransient: true }
      const sentence = await assertEnding({ args }, ending)
      assert.match(sentence, /proxy\.invalid/u)
    }
  })

  test('because nobody listens is tried again, by http, https and SOCKS (N75)', async () => {
    const dead = await deadPlace()
    for (const scheme of ['http', 'https', 'socks5', 'socks4']) {
      const ending = { symbol: 'ERROR_WINHTTP_CANNOT_CONNECT', isTransient: true }
      await assertEnding({ args: ['--proxy', `${scheme}://${dead}`] }, ending)
    }
  })

  test('because it is somebody else is left (N92)', { skip: needsOpenssl }, async (t) => {
    assert(authority !== undefined)
    const proxy = await gatewayFor(t, { tls: authority.issue({ names: ['DNS:other.test'] }) })
    const args = ['--proxy', proxy.url, '--cacert', authority.file]
    const ending = { symbol: 'ERROR_WINHTTP_SECURE_FAILURE_PROXY', isTransient: false }
    await assertEnding({ args }, ending)
    assert.deepEqual(proxy.asked, [])
  })
})

suite('a proxy that answers instead of the server', { concurrency: 4 }, () => {
  const statuses = [
    [302, false],
    [403, false],
    [404, false],
    [407, false],
    [429, true],
    [500, true],
    [501, false],
    [502, true],
    [503, true],
    [504, true],
    [511, true],
  ] as const
  for (const [status, isTransient] of statuses) {
    test(`${status} to CONNECT is told as the file’s, and ${isTransient ? 'tried again' : 'final'} (N91)`, async (t) => {
      const fields = 'Location: http://127.0.0.1:9/\r\nSet-Cookie: a=b\r\n'
      const proxy = await gatewayFor(t, { answers: () => refusing(status, fields) })
      const ending = {
        symbol: `BG_E_HTTP_ERROR_${status}`,
        context: 'REMOTE_FILE',
        isTransient,
      }
      const failing = { url: `https://${HOST}/${status}`, args: ['--proxy', proxy.url] }
      assert.match(await assertEnding(failing, ending), /proxy/u)
      assert.deepEqual(proxy.asked, [`CONNECT ${HOST}:443`])
    })

    if (status === 302) continue
    test(`${status} to GET is ${isTransient ? 'tried again' : 'final'}`, async (t) => {
      const proxy = await gatewayFor(t, { answers: () => refusing(status) })
      const ending = {
        symbol: `BG_E_HTTP_ERROR_${status}`,
        context: 'REMOTE_FILE',
        isTransient,
      }
      await assertEnding({ args: ['--proxy', proxy.url] }, ending)
    })
  }

  test('with nothing is tried again', async (t) => {
    const proxy = await gatewayFor(t, { answers: () => '' })
    for (const url of [getter.file(), `https://${HOST}/nothing`]) {
      const ending = { symbol: 'ERROR_WINHTTP_CONNECTION_ERROR', isTransient: true }
      await assertEnding({ url, args: ['--proxy', proxy.url] }, ending)
    }
  })

  for (const [reply, symbol, isTransient] of [
    [1, 'ERROR_WINHTTP_CANNOT_CONNECT', true],
    [2, 'ERROR_WINHTTP_CANNOT_CONNECT', false],
    [4, 'ERROR_WINHTTP_CANNOT_CONNECT', true],
    [5, 'ERROR_WINHTTP_CANNOT_CONNECT', true],
  ] as const) {
    test(`with reply ${reply} of SOCKS 5 is ${symbol} (N100)`, async (t) => {
      const proxy = await serveSocks(t, 'socks5', { reply })
      const args = ['--proxy', `socks5://127.0.0.1:${proxy.port}`]
      const { symbol: found, sentence } = await getter.fail(getter.file(), { args })
      assert.deepEqual([found, /not tried again/u.test(sentence)], [symbol, isTransient])
    })
  }

  test('for want of a SOCKS login is 407, so that new credentials mend the job (N102)', async (t) => {
    const proxy = await serveSocks(t, 'socks5', { login: 'user:right' })
    const args = ['--proxy', `socks5://127.0.0.1:${proxy.port}`]
    const ending = { symbol: 'BG_E_HTTP_ERROR_407', context: 'REMOTE_FILE', isTransient: false }
    await assertEnding({ args }, ending)
  })
})

suite('a scheme that is switched off for proxies', { concurrency: 2 }, () => {
  const challenge = 'Proxy-Authenticate: Basic realm="lab"\r\n'
  const asBasic = ['--proxy-user', 'user', '--proxy-scheme', 'basic', '--proxy-password-stdin']

  for (const [disableProxyAuthSchemes, attempts] of [
    [[], 2],
    [['basic'], 1],
  ] as const) {
    const which = disableProxyAuthSchemes.length > 0 ? 'is answered to none' : 'on again is'
    test(`${which}, not to SOCKS either (N96)`, async (t) => {
      const [proxy, socks] = [
        await gatewayFor(t, { answers: () => refusing(407, challenge) }),
        await serveSocks(t, 'socks5', { login: 'user:right' }),
      ]
      await using from = new LullHome({ config: { authentication: { disableProxyAuthSchemes } } })
      const given = { from, input: 'right\n' }
      const args = ['--proxy', proxy.url, ...asBasic]
      assert.equal(
        (await getter.fail(getter.file(), { args, ...given })).symbol,
        'BG_E_HTTP_ERROR_407',
      )
      assert.equal(proxy.asked.length, attempts)
      const toSocks = ['--proxy', `socks5://127.0.0.1:${socks.port}`, ...asBasic]
      const { status } = await getter.attempt(getter.file(), { args: toSocks, ...given })
      assert.equal(status, attempts === 2 ? 0 : 1)
    })
  }
})

const page = '<!doctype html><title>Welcome</title>'
/** What a network that wants a sign-in answers to whatever is asked. */
const portal = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`

suite('a network that wants a sign-in first', { concurrency: 4 }, () => {
  test('does not pass its page off as a file whose digest is known', async (t) => {
    const proxy = await gatewayFor(t, { answers: () => portal })
    const digest = ['--sha256', getter.origin.content.digest('sha256')]
    const url = getter.file()
    const { sentence } = await getter.fail(url, { args: ['--proxy', proxy.url, ...digest] })
    assert.match(sentence, /digest|SHA-256|sha-256/u)
    assert(!existsSync(getter.home.path(nameOf(url))))
  })

  test('cannot answer for a server of https', async (t) => {
    const proxy = await gatewayFor(t, { answers: () => portal })
    const url = `https://${HOST}/portal`
    const { symbol, sentence } = await getter.fail(url, { args: ['--proxy', proxy.url] })
    assert.equal(symbol, 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR')
    assert.match(sentence, /perhaps a page to sign in/u)
    assert(!existsSync(getter.home.path('portal')))
  })
})

async function look(id: string): Promise<JobView> {
  // The command prints the job as the contract has it.
  return (await getter.home.json(['job', id])) as JobView
}

/** Begins a job that tries again when it is told to, and waits until it has half of its file. */
async function beginThrough(proxy: Gateway, url: string): Promise<string> {
  const args = ['get', url, '-o', nameOf(url), '--detach', '--proxy', proxy.url]
  const begun = await getter.home.run([...args, '--retry-delay', '1d'], { env: noProxies })
  const id = begun.stdout.trim()
  await until(async () => (await look(id)).bytesTransferred > 0, 'the first half is there')
  return id
}

suite('names and addresses of servers', { concurrency: 4 }, () => {
  const straight = ['--proxy', 'none']

  for (const host of ['nowhere.invalid', 'printer-that-is-not-there.local']) {
    test(`${host} that does not resolve is tried again`, async () => {
      const ending = {
        symbol: 'ERROR_WINHTTP_NAME_NOT_RESOLVED',
        context: 'REMOTE_FILE',
        isTransient: true,
      }
      const sentence = await assertEnding({ url: getter.file(host), args: straight }, ending)
      assert(sentence.includes(host))
    })
  }

  test('a connection that is refused is tried again', async () => {
    const ending = { symbol: 'ERROR_WINHTTP_CANNOT_CONNECT', isTransient: true }
    const port = new URL(`http://${await deadPlace()}`).port
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      await assertEnding({ url: `http://${host}:${port}/refused`, args: straight }, ending)
    }
  })

  for (const host of ['localhost', 'LOCALHOST', 'a.b.localhost', 'localhost.']) {
    test(`${host} is this machine, by whichever of its addresses answers (RFC 6761, RFC 8305)`, async () => {
      await getter.get(getter.file(host), { args: straight })
    })
  }
})

suite('a proxy that ends in the middle of a file', () => {
  test('leaves what has come, and once it is back the rest is asked for', async (t) => {
    const proxy = await gatewayFor(t)
    const url = getter.file(HOST, getter.origin, 'held')
    const id = await beginThrough(proxy, url)
    await proxy.stop()
    await until(async () => (await look(id)).state === 'TRANSIENT_ERROR', 'the job waits')
    const { bytesTransferred } = await look(id)
    assert(bytesTransferred > 0)
    getter.origin.release()
    await proxy.restart()
    assert.equal((await getter.home.run(['resume', id])).status, 0)
    await until(() => existsSync(getter.home.path(nameOf(url))), 'it goes on')
    getter.assertWhole(url)
    getter.origin.hold()
    const path = new URL(url).pathname
    const ranges = getter.origin.requests
      .filter((request) => request.path === path)
      .map(({ headers }) => headers.range)
    assert.deepEqual(ranges, [undefined, `bytes=${bytesTransferred}-`])
  })

  test('and comes back as a page to sign in costs nothing of what has come', async (t) => {
    let isSignedIn = true
    const proxy = await gatewayFor(t, { answers: () => (isSignedIn ? undefined : portal) })
    const url = getter.file(HOST, getter.origin, 'held')
    const id = await beginThrough(proxy, url)
    const { bytesTransferred } = await look(id)
    isSignedIn = false
    await proxy.stop()
    await proxy.restart()
    await until(async () => (await look(id)).state === 'TRANSIENT_ERROR', 'the job waits')
    await getter.home.run(['resume', id])
    const isAnswered = async (): Promise<boolean> =>
      (await look(id)).error?.symbol === 'BG_E_INVALID_SERVER_RESPONSE'
    await until(isAnswered, 'the page has come')
    assert.equal((await look(id)).state, 'TRANSIENT_ERROR')
    isSignedIn = true
    getter.origin.release()
    await getter.home.run(['resume', id])
    await until(() => existsSync(getter.home.path(nameOf(url))), 'it goes on')
    getter.assertWhole(url)
    getter.origin.hold()
    const { pathname } = new URL(url)
    const asked = getter.origin.requests.filter(({ path }) => path === pathname)
    assert.equal(asked.at(-1)?.headers.range, `bytes=${bytesTransferred}-`)
  })
})
