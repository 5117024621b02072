/** TLS: whole files from servers that prove themselves, and nothing that an enemy on the way has cut short. */

import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { cannotCertify, makeCertificate } from '../lab/certificate.ts'
import { assertWhole, parseLastLine } from '../lab/expect.ts'
import { FaultServer } from '../lab/fault-server.ts'
import { LullHome } from '../lab/lull.ts'
import { Relay } from '../lab/relay.ts'

suite('https', { skip: cannotCertify, concurrency: 4 }, () => {
  const home = new LullHome()
  const cacert = home.path('authority.pem')
  const trusting = ['-p', 'foreground', '--quiet', '--no-progress-timeout', '0', '--cacert', cacert]
  let server: FaultServer

  before(async () => {
    const certificate = makeCertificate()
    writeFileSync(cacert, certificate.cert)
    server = await FaultServer.start({ tls: certificate })
  })
  after(async () => {
    await home[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  async function failing(url: string, name: string, args = trusting): Promise<string> {
    const { status, lastLine } = await home.run(['get', url, '-o', home.path(name), ...args])
    assert.equal(status, 1)
    assert(!readdirSync(home.target).includes(name))
    const { symbol, context } = parseLastLine(lastLine)
    return `${symbol} ${context}`
  }

  test('a file is whole', async () => {
    const url = server.url('good', { size: 1_000_000 })
    const { status, lastLine } = await home.run(['get', url, '-o', home.path('good'), ...trusting])
    assert.equal(status, 0, lastLine)
    assertWhole(home.path('good'), server.resource(url))
  })

  test('a file in chunks is whole', async () => {
    const url = server.url('chunked', { size: 300_000 })
    const { status } = await home.run(['get', url, '-o', home.path('chunked'), ...trusting])
    assert.equal(status, 0)
    assertWhole(home.path('chunked'), server.resource(url))
  })

  test('a server that nobody vouches for is not trusted, and not asked', async () => {
    const url = server.url('good', { row: 'untrusted' })
    const args = ['-p', 'foreground', '--quiet', '--no-progress-timeout', '0']
    assert.equal(
      await failing(url, 'untrusted', args),
      'ERROR_WINHTTP_SECURE_INVALID_CA GENERAL_TRANSPORT',
    )
    assert.equal(server.requests(url).length, 0)
  })

  test('a certificate for another host is not trusted', async () => {
    const other = makeCertificate(['127.0.0.2'])
    const authority = home.path('other.pem')
    writeFileSync(authority, other.cert)
    await using stranger = await FaultServer.start({ tls: other })
    const args = [
      '-p',
      'foreground',
      '--quiet',
      '--no-progress-timeout',
      '0',
      '--cacert',
      authority,
    ]
    const ended = await failing(stranger.url('good'), 'stranger', args)
    assert.equal(ended, 'ERROR_WINHTTP_SECURE_CERT_CN_INVALID GENERAL_TRANSPORT')
    assert.equal(stranger.log.length, 0)
  })

  test('a body without a length is not taken: its end cannot be told from a cut', async () => {
    const url = server.url('close-delimited')
    assert.equal(await failing(url, 'close-delimited'), 'BG_E_MISSING_FILE_SIZE REMOTE_FILE')
  })

  for (const fault of ['good', 'chunked', 'close-delimited'] as const) {
    test(`an answer (${fault}) that an enemy cuts short is not taken`, async () => {
      await using relay = await Relay.start(server.port, 50_000)
      const url = server
        .url(fault, { size: 200_000, row: 'cut' })
        .replace(`:${server.port}`, `:${relay.port}`)
      await failing(url, `cut-${fault}`)
    })
  }

  test('a redirect from https to http is not followed', async () => {
    await using plain = await FaultServer.start()
    const url = server.url('redirect', { to: plain.url('good') })
    assert.equal(await failing(url, 'downgraded'), 'ERROR_WINHTTP_REDIRECT_FAILED REMOTE_FILE')
    assert.equal(plain.log.length, 0)
  })

  test('http where https was asked for is an error and no file', async () => {
    await using plain = await FaultServer.start()
    const url = plain.url('good').replace('http:', 'https:')
    assert.equal(
      await failing(url, 'plain'),
      'ERROR_WINHTTP_SECURE_CHANNEL_ERROR GENERAL_TRANSPORT',
    )
  })
})

suite('redirects', { concurrency: true }, () => {
  test('a header with credentials goes to no other origin', async () => {
    await using home = new LullHome()
    await using first = await FaultServer.start()
    await using second = await FaultServer.start()
    const to = second.url('good')
    const url = first.url('redirect', { to })
    const header = ['--header', 'Authorization: Bearer secret', '--header', 'Cookie: secret=1']
    const { status } = await home.run(['get', url, '-o', home.path('file'), ...header])
    assert.equal(status, 0)
    assert.equal(first.log[0]?.headers.get('authorization'), 'Bearer secret')
    assert.equal(second.log[0]?.headers.get('authorization'), undefined)
    assert.equal(second.log[0]?.headers.get('cookie'), undefined)
    assertWhole(home.path('file'), second.resource(to))
  })
})
