import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { FailureError } from '../job/failure.ts'
import { Authority, needsOpenssl, type Claims } from './certificates.suite.ts'
import { fetchText, get, KeepingSink, makeClient, ok, serve } from './servers.suite.ts'

describe('https', { skip: needsOpenssl }, () => {
  test('exchange() speaks TLS with a server whose authority is trusted', async (t) => {
    const authority = new Authority(t)
    const server = await serve(t, (peer, target) => peer.say(ok(target)), authority.issue())
    const client = makeClient(t)
    for (const host of ['localhost', '127.0.0.1']) {
      const url = `https://${host}:${server.port}/${host}`
      assert.equal((await fetchText(client, url, { caFile: authority.file })).text, `/${host}`)
    }
    const [named, addressed] = server.peers
    assert.ok(named?.socket instanceof TLSSocket && addressed?.socket instanceof TLSSocket)
    assert.equal(named.socket.alpnProtocol, false)
    assert.equal(Reflect.get(named.socket, 'servername'), 'localhost')
    assert.equal(Reflect.get(addressed.socket, 'servername'), false)
  })

  test('exchange() fills a slab with what TLS brings in small pieces', async (t) => {
    const authority = new Authority(t)
    const body = Buffer.alloc(4_000_000)
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(at, at)
    const server = await serve(
      t,
      (peer) => {
        peer.say(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
        peer.socket.write(body)
      },
      authority.issue(),
    )
    const sink = new KeepingSink()
    let flushes = 0
    const flush = sink.flush.bind(sink)
    sink.flush = () => {
      flushes++
      flush()
    }
    await makeClient(t).exchange(get(server.url, { caFile: authority.file }), sink)
    assert.ok(sink.body.equals(body))
    assert.ok(flushes < body.length / (16 * 1024), `${flushes} flushes`)
  })

  test('exchange() resumes the session of the connection before', async (t) => {
    const authority = new Authority(t)
    const server = await serve(
      t,
      (peer, target) => peer.say(ok(target, 'Connection: close\r\n')),
      authority.issue(),
    )
    const client = makeClient(t)
    const more = { caFile: authority.file }
    await fetchText(client, `${server.url}/1`, more)
    await fetchText(client, `${server.url}/2`, { ...more, stallTimeoutMs: 5_000 })
    const resumed = server.peers.findIndex(
      ({ socket }) => socket instanceof TLSSocket && socket.isSessionReused(),
    )
    assert.equal(resumed, 1)
  })

  const distrusted: readonly (readonly [what: string, claims: Claims, symbol: string])[] = [
    [
      'a certificate that has expired',
      { from: '20200101000000Z', to: '20200201000000Z' },
      'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID',
    ],
    [
      'a certificate of tomorrow',
      { from: '21000101000000Z', to: '21000201000000Z' },
      'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID',
    ],
    [
      'a certificate for another name',
      { names: ['DNS:example.org'] },
      'ERROR_WINHTTP_SECURE_CERT_CN_INVALID',
    ],
    ['a certificate for clients', { usage: 'clientAuth' }, 'ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE'],
  ]

  for (const [what, claims, symbol] of distrusted) {
    test(`exchange() makes ${symbol} of ${what}, and sends nothing`, async (t) => {
      const authority = new Authority(t)
      const server = await serve(t, (peer) => peer.say(ok('')), authority.issue(claims))
      await assertFails(t, server.url, authority.file, symbol, 'fatal')
      assert.deepEqual(server.targets, [])
    })
  }

  test('exchange() does not trust an authority that nobody named', async (t) => {
    const server = await serve(t, (peer) => peer.say(ok('')), new Authority(t).issue())
    await assertFails(t, server.url, new Authority(t).file, 'ERROR_WINHTTP_SECURE_INVALID_CA')
    await assertFails(t, server.url, undefined, 'ERROR_WINHTTP_SECURE_INVALID_CA')
    assert.deepEqual(server.targets, [])
  })

  test('exchange() reads the authorities again when their file has changed', async (t) => {
    const authority = new Authority(t)
    const server = await serve(t, (peer) => peer.say(ok('in')), authority.issue())
    const client = makeClient(t)
    const caFile = join(temporaryFolder(t), 'ca.pem')
    await assert.rejects(fetchText(client, server.url, { caFile }), {
      code: 'ERROR_FILE_NOT_FOUND',
    })
    writeFileSync(caFile, new Authority(t).issue().cert)
    await assert.rejects(fetchText(client, server.url, { caFile }))
    writeFileSync(caFile, `and the right one:\n${authority.pem}`)
    assert.equal((await fetchText(client, server.url, { caFile })).text, 'in')
  })

  const unusable = [
    ['is empty', ''],
    ['holds no certificate', 'hello'],
    ['holds a damaged one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ] as const

  for (const [what, text] of unusable) {
    test(`exchange() makes ERROR_FILE_NOT_FOUND of an authorities file that ${what}`, async (t) => {
      const caFile = join(temporaryFolder(t), 'ca.pem')
      writeFileSync(caFile, text)
      await assertFails(t, 'https://localhost:1/', caFile, 'ERROR_FILE_NOT_FOUND', 'fatal')
    })
  }

  test('exchange() takes no body up to the end of a TLS connection', async (t) => {
    const authority = new Authority(t)
    const server = await serve(
      t,
      (peer) => {
        peer.say('HTTP/1.0 200 OK\r\n\r\nperhaps all of it')
        peer.hangUp()
      },
      authority.issue(),
    )
    await assertFails(t, server.url, authority.file, 'BG_E_MISSING_FILE_SIZE', 'fatal')
  })

  test('exchange() tries again later when a handshake breaks off', async (t) => {
    const authority = new Authority(t)
    const server = createServer((socket) => socket.on('error', () => undefined).end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const url = `https://localhost:${address.port}/`
    await assertFails(t, url, authority.file, 'ERROR_WINHTTP_CONNECTION_ERROR', 'transient')
  })

  test('exchange() says when a server does not speak TLS', async (t) => {
    const authority = new Authority(t)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const url = `https://localhost:${address.port}/`
    await assertFails(t, url, authority.file, 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR', 'fatal')
  })

  test('exchange() refuses to be sent from https to http', async (t) => {
    const authority = new Authority(t)
    const server = await serve(
      t,
      (peer) =>
        peer.say('HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n'),
      authority.issue(),
    )
    await assertFails(t, server.url, authority.file, 'ERROR_WINHTTP_REDIRECT_FAILED', 'fatal')
  })
})

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'http-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function assertFails(
  t: TestContext,
  url: string,
  caFile: string | undefined,
  symbol: string,
  severity = 'fatal',
): Promise<void> {
  const more = caFile === undefined ? {} : { caFile }
  await assert.rejects(fetchText(makeClient(t), url, more), (error) => {
    assert.ok(error instanceof FailureError)
    assert.deepEqual([error.failure.symbol, error.failure.severity], [symbol, severity])
    return true
  })
}
