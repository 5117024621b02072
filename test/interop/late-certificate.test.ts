/**
 * A server that asks for a certificate only on some paths, as IIS does and Apache: in the middle of a connection, which
 * TLS 1.2 does by a renegotiation and TLS 1.3 not at all (A83).
 */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CertificateOrder } from '../../src/engine/order.ts'
import { HttpClient, type BodySink, type HttpRequest } from '../../src/http/http.ts'
import { FailureError } from '../../src/job/failure.ts'
import { Authority, type CertificateFiles } from '../lab/authority.ts'
import { Daemon, makeFolder, NOBODY, removeFolder } from '../lab/daemon.ts'
import { whyMissing } from '../lab/installed.ts'

const skip = whyMissing({ apache2: 'apache2-bin', openssl: 'openssl' })

/** By what its server speaks. */
type Door = 'any' | 'old'

/** What a lab is made of. */
interface Parts {
  readonly folder: string
  readonly authorities: readonly Authority[]
  readonly caFile: string
  readonly daemon: Daemon
  readonly ports: readonly number[]
}

/** The server, one client that it knows, and one that it does not. */
class Lab implements AsyncDisposable {
  readonly client: CertificateOrder
  readonly stranger: CertificateOrder
  readonly #parts: Parts

  private constructor(parts: Parts, client: CertificateFiles, stranger: CertificateFiles) {
    this.#parts = parts
    this.client = orderOf(client)
    this.stranger = orderOf(stranger)
  }

  static async start(): Promise<Lab> {
    const folder = makeFolder('late')
    const [authority, strange] = [await Authority.create(), await Authority.create()]
    for (const path of ['open', 'guarded']) {
      mkdirSync(join(folder, 'www', path), { recursive: true })
      writeFileSync(join(folder, 'www', path, 'file'), path)
    }
    const server = await authority.issue({ name: 'server', use: 'server' })
    const client = await authority.issue({ name: 'client', use: 'client' })
    const stranger = await strange.issue({ name: 'stranger', use: 'client' })
    const { daemon, ports } = await Daemon.onPorts(2, (ports) => {
      const config = join(folder, 'httpd.conf')
      writeFileSync(config, configOf(folder, ports, server, authority.cert))
      const args = ['-DFOREGROUND', '-d', folder, '-f', config]
      return { program: 'apache2', args, log: join(folder, 'error.log') }
    })
    const authorities = [authority, strange]
    return new Lab({ folder, authorities, caFile: authority.cert, daemon, ports }, client, stranger)
  }

  /** @returns the status and the body */
  async get(door: Door, path: string, certificate?: CertificateOrder): Promise<[number, string]> {
    const client = new HttpClient()
    let body = ''
    const sink: BodySink = {
      head: () => 'take',
      write: (bytes) => void (body += Buffer.from(bytes).toString('latin1')),
      flush: () => undefined,
    }
    const request: HttpRequest = {
      method: 'GET',
      url: `https://localhost:${this.#parts.ports[door === 'any' ? 0 : 1]}/${path}/file`,
      headers: [],
      redirects: { follow: 'disallow', allowHttpsToHttp: false },
      stallTimeoutMs: 20_000,
      signal: new AbortController().signal,
      party: 'a job',
      caFile: this.#parts.caFile,
      ...(certificate === undefined ? {} : { certificate }),
    }
    try {
      const { response } = await client.exchange(request, sink)
      return [response.status, body]
    } finally {
      await client.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { daemon, authorities, folder } = this.#parts
    await daemon[Symbol.asyncDispose]()
    for (const authority of authorities) authority[Symbol.dispose]()
    removeFolder(folder)
  }
}

function orderOf({ cert, key }: CertificateFiles): CertificateOrder {
  return { certificateFile: cert, keyFile: key }
}

function configOf(
  folder: string,
  ports: readonly number[],
  { cert, key }: CertificateFiles,
  authority: string,
): string {
  const modules = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl']
  const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`) // prettier-ignore
  const hosts = ports.map(
    (port, place) => `Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  SSLEngine on
  ${place === 0 ? '' : 'SSLProtocol TLSv1.2'}
  <Location /guarded>
    SSLVerifyClient require
  </Location>
</VirtualHost>`,
  )
  return `${load.join('\n')}
ServerName localhost
User #${NOBODY}
Group #${NOBODY}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
Mutex sem default
ErrorLog ${folder}/error.log
StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
SSLSessionCache none
SSLCertificateFile ${cert}
SSLCertificateKeyFile ${key}
SSLCACertificateFile ${authority}
DocumentRoot ${folder}/www
${hosts.join('\n')}
`
}

describe('a server that asks for a certificate late', { skip }, () => {
  let lab: Lab

  before(async () => {
    lab = await Lab.start()
  })

  after(() => lab[Symbol.asyncDispose]())

  for (const door of ['any', 'old'] as const) {
    const what = door === 'any' ? 'with TLS 1.3' : 'with TLS 1.2'

    test(`${what} is shown the certificate (A83)`, async () => {
      assert.deepEqual(await lab.get(door, 'guarded', lab.client), [200, 'guarded'])
    })

    test(`${what} is asked without one where it asks for none`, async () => {
      assert.deepEqual(await lab.get(door, 'open', lab.client), [200, 'open'])
      assert.deepEqual(await lab.get(door, 'open'), [200, 'open'])
    })

    test(`${what} does not take one of a stranger (A78)`, async () => {
      const failed = lab.get(door, 'guarded', lab.stranger)
      await assert.rejects(failed, (error) => {
        assert.ok(error instanceof FailureError, String(error))
        assert.equal(error.code, 'BG_E_HTTP_ERROR_403')
        return true
      })
    })
  }

  test('with TLS 1.3 answers 403 to whoever has none', async () => {
    assert.equal((await lab.get('any', 'guarded'))[0], 403)
  })

  test('with TLS 1.2 makes CLIENT_AUTH_CERT_NEEDED when there is none (A77)', async () => {
    await assert.rejects(lab.get('old', 'guarded'), {
      code: 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED',
    })
  })
})
