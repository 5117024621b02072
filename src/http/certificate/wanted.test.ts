import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { TLSSocket, type SecureVersion, type TlsOptions } from 'node:tls'
import type { CertificateOrder } from '../../engine/order.ts'
import { FailureError } from '../../job/failure.ts'
import { Authority, needsOpenssl } from '../certificates.suite.ts'
import type { HttpRequest } from '../http.ts'
import { fetchText, makeClient, ok, serve, type RawServer } from '../servers.suite.ts'
import { ClientFiles } from './client-files.suite.ts'

const versions = ['TLSv1.2', 'TLSv1.3'] as const

/** A server of an authority, and the files of its clients. */
class Scene {
  readonly t: TestContext
  readonly authority: Authority
  readonly files: ClientFiles

  constructor(t: TestContext) {
    this.t = t
    this.authority = new Authority(t)
    this.files = new ClientFiles(t)
  }

  /** Serves the subject of whoever asks. */
  async serve(version: SecureVersion, rules: TlsOptions): Promise<RawServer> {
    return serve(
      this.t,
      (peer) => {
        const { socket } = peer
        assert.ok(socket instanceof TLSSocket)
        const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string } }
        peer.say(ok(subject?.CN ?? 'nobody'))
      },
      {
        ...this.authority.issue(),
        ca: this.files.read('ca.pem'),
        minVersion: version,
        maxVersion: version,
        ...rules,
      } as TlsOptions & { key: string; cert: string },
    )
  }

  /** Issues a certificate. */
  certificate(name: string): CertificateOrder {
    this.files.issue(name)
    return { certificateFile: this.files.path(`${name}.pem`), keyFile: this.files.path(`${name}.key`) } // prettier-ignore
  }

  async fetch({ url }: Pick<RawServer, 'url'>, more: Partial<HttpRequest> = {}): Promise<string> {
    const request = { caFile: this.authority.file, ...more }
    return (await fetchText(makeClient(this.t), url, request)).text
  }
}

const required = { requestCert: true, rejectUnauthorized: true }
const optional = { requestCert: true, rejectUnauthorized: false }

describe('a client certificate', { skip: needsOpenssl }, () => {
  for (const version of versions) {
    test(`is shown to a server that asks for it: ${version} (A70)`, async (t) => {
      const scene = new Scene(t)
      const server = await scene.serve(version, required)
      assert.equal(await scene.fetch(server, { certificate: scene.certificate('alice') }), 'alice')
    })

    test(`that a server needs and we have not makes CLIENT_AUTH_CERT_NEEDED: ${version} (A77)`, async (t) => {
      // prettier-ignore
      const scene = new Scene(t)
      const server = await scene.serve(version, required)
      const failure = await failureOf(scene.fetch(server))
      assert.equal(failure.hresult, 0x80072f0c)
      assert.deepEqual([failure.severity, failure.context], ['fatal', 'GENERAL_TRANSPORT'])
      assert.match(failure.sentence, /^Cannot connect to localhost: it wants a certificate from us$/u) // prettier-ignore
      assert.deepEqual(server.targets, [])
    })

    test(`that a server only likes to see is not needed: ${version} (A77, the default)`, async (t) => {
      const scene = new Scene(t)
      assert.equal(await scene.fetch(await scene.serve(version, optional)), 'nobody')
    })

    test(`that a server only likes to see is needed in strict mode: ${version} (A77)`, async (t) => {
      const scene = new Scene(t)
      const server = await scene.serve(version, optional)
      const failure = await failureOf(scene.fetch(server, { strictCertificates: true }))
      assert.equal(failure.symbol, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED')
      assert.match(failure.sentence, /it asks for a certificate from us$/u)
      assert.deepEqual(server.targets, [])
      const certificate = scene.certificate('alice')
      assert.equal(await scene.fetch(server, { strictCertificates: true, certificate }), 'alice')
    })

    test(`that nobody asks for is not needed in strict mode, nor shown: ${version} (A77)`, async (t) => {
      const scene = new Scene(t)
      const server = await scene.serve(version, {})
      assert.equal(await scene.fetch(server, { strictCertificates: true }), 'nobody')
      assert.equal(await scene.fetch(server, { certificate: scene.certificate('alice') }), 'nobody')
    })

    test(`is no explanation for a server with which no cipher is shared: ${version}`, async (t) => {
      const scene = new Scene(t)
      const ciphers = version === 'TLSv1.2' ? 'ECDHE-RSA-AES128-GCM-SHA256' : 'TLS_AES_128_CCM_8_SHA256' // prettier-ignore
      const server = await scene.serve(version, { ...required, ciphers })
      const failure = await failureOf(scene.fetch(server))
      assert.equal(failure.symbol, 'ERROR_WINHTTP_SECURE_CHANNEL_ERROR')
      assert.match(failure.sentence, /it knows no way of TLS that is known here$/u)
    })

    test(`of an authority that a server does not trust makes 403: ${version} (A78)`, async (t) => {
      const scene = new Scene(t)
      const url = await serveOpenssl(scene, version)
      const stranger = new Scene(t).certificate('mallory')
      const failure = await failureOf(scene.fetch({ url }, { certificate: stranger }))
      assert.deepEqual([failure.symbol, failure.severity], ['BG_E_HTTP_ERROR_403', 'fatal'])
      assert.match(failure.sentence, /^Cannot get in at localhost: our certificate comes from an authority that it does not trust$/u) // prettier-ignore
    })

    test(`is wanted by servers of OpenSSL, too: ${version} (A77)`, async (t) => {
      const scene = new Scene(t)
      const url = await serveOpenssl(scene, version)
      const failure = await failureOf(scene.fetch({ url }))
      assert.equal(failure.symbol, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED')
    })
  }

  test('of one job is not shown for another', async (t) => {
    const scene = new Scene(t)
    const server = await scene.serve('TLSv1.3', required)
    const client = makeClient(t)
    const ask = async (certificate: CertificateOrder): Promise<string> =>
      (await fetchText(client, server.url, { caFile: scene.authority.file, certificate })).text
    const [alice, bob] = [scene.certificate('alice'), scene.certificate('bob')]
    assert.equal(await ask(alice), 'alice')
    assert.equal(await ask(bob), 'bob')
    assert.equal(await ask(alice), 'alice')
    assert.equal(server.peers.length, 2)
  })

  test('is read again when its file has changed', async (t) => {
    const scene = new Scene(t)
    const server = await scene.serve('TLSv1.3', required)
    const client = makeClient(t)
    const certificate = scene.certificate('alice')
    const more = { caFile: scene.authority.file, certificate }
    assert.equal((await fetchText(client, server.url, more)).text, 'alice')
    scene.files.issue('bob')
    for (const ending of ['pem', 'key']) {
      renameSync(scene.files.path(`bob.${ending}`), scene.files.path(`alice.${ending}`))
    }
    assert.equal((await fetchText(client, server.url, more)).text, 'bob')
    writeFileSync(scene.files.path('alice.key'), '')
    const failure = await failureOf(fetchText(client, server.url, more))
    assert.equal(failure.symbol, 'ERROR_INVALID_DATA')
  })

  test('is not opened again with another passphrase', async (t) => {
    const scene = new Scene(t)
    const server = await scene.serve('TLSv1.3', required)
    scene.files.issue('alice')
    const certificateFile = scene.files.pkcs12('alice', 'x')
    const client = makeClient(t)
    const ask = (word: string): Promise<unknown> => {
      const certificate = { certificateFile, passphrase: new TextEncoder().encode(word) }
      return fetchText(client, server.url, { caFile: scene.authority.file, certificate })
    }
    await ask('x')
    const failure = await failureOf(ask('y'))
    assert.equal(failure.symbol, 'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY')
    await ask('x')
  })

  test('is not shown where a redirect leads (A82)', async (t) => {
    const scene = new Scene(t)
    const target = await scene.serve('TLSv1.3', optional)
    const server = await serve(
      t,
      (peer) => peer.say(`HTTP/1.1 302 Found\r\nLocation: ${target.url}/\r\nContent-Length: 0\r\n\r\n`), // prettier-ignore
      scene.authority.issue(),
    )
    const certificate = scene.certificate('alice')
    assert.equal(await scene.fetch(target, { certificate }), 'alice')
    assert.equal(await scene.fetch(server, { certificate }), 'nobody')
  })

  test('does not have its authorities trusted for the server', async (t) => {
    const scene = new Scene(t)
    scene.files.issue('alice')
    scene.files.issue('server', { subject: '/CN=localhost' })
    const identity = {
      key: String(scene.files.read('server.key')),
      cert: String(scene.files.read('server.pem')),
    }
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const certificate = { certificateFile: scene.files.pkcs12('alice', '') }
    assert.equal(await scene.fetch(server, { caFile: scene.files.path('ca.pem') }), 'in')
    const failure = await failureOf(scene.fetch(server, { certificate }))
    assert.equal(failure.symbol, 'ERROR_WINHTTP_SECURE_INVALID_CA')
  })

  test('with a key that is too short is not shown at all', async (t) => {
    const scene = new Scene(t)
    const { files } = scene
    files.openssl('req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-keyout', 's.key', '-out', 's.pem', '-subj', '/CN=s') // prettier-ignore
    const certificate = { certificateFile: files.path('s.pem'), keyFile: files.path('s.key') }
    const failure = await failureOf(scene.fetch({ url: 'https://localhost:1/' }, { certificate }))
    assert.equal(failure.symbol, 'ERROR_NOT_SUPPORTED')
    assert.match(failure.sentence, /not safe enough for TLS \(ee key too small\)$/u)
  })
})

/** Serves with openssl, whose alerts say what is wrong with a certificate. @returns its URL */
async function serveOpenssl({ t, authority, files }: Scene, version: string): Promise<string> {
  const { key, cert } = authority.issue()
  const [keyFile, certFile] = [files.write('server.key', key), files.write('server.pem', cert)]
  const verify = ['-Verify', '1', '-verify_return_error', '-CAfile', join(files.folder, 'ca.pem')]
  const protocol = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-key', keyFile, '-cert', certFile, protocol, ...verify, '-www']) // prettier-ignore
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill()
    await exited
  })
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text)
    const port = /ACCEPT \S+:(\d+)/u.exec(said)?.[1]
    if (port !== undefined) return `https://localhost:${port}/`
  }
  throw new Error(`openssl does not serve: ${said}`)
}

async function failureOf(call: Promise<unknown>): Promise<FailureError['failure']> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof FailureError, String(error))
    return error.failure
  }
  return assert.fail('it did not fail')
}
