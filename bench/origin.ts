/** The origin of the benchmarks: a real nginx on loopback, http and https, with files made for it. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const MEBIBYTE = 1024 * 1024

/** What the origin serves. */
export interface Origin extends AsyncDisposable {
  readonly http: string
  readonly https: string
  /** The certificate that https is signed with. */
  readonly ca: string
}

/** Sizes of what is served. */
export interface Content {
  readonly largeBytes: number
  readonly smallFiles: number
  readonly smallBytes: number
}

/** Starts nginx over files in a folder below `parent`: `/large`, and `/small/0` onwards. */
export async function startOrigin(parent: string, content: Content): Promise<Origin> {
  const folder = mkdtempSync(join(parent, 'lull-bench-origin-'))
  makeFiles(join(folder, 'www'), content)
  const httpPort = await freePort()
  let httpsPort = await freePort()
  // A port that was just closed may be given again.
  while (httpsPort === httpPort) httpsPort = await freePort()
  const ca = makeCertificate(folder)
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, nginxConfig(folder, httpPort, httpsPort))
  const nginx = spawn('nginx', ['-c', config, '-p', folder, '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await answering(httpPort, nginx)
  return {
    http: `http://127.0.0.1:${httpPort}`,
    https: `https://127.0.0.1:${httpsPort}`,
    ca,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => nginx.once('exit', resolve))
      nginx.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function makeFiles(www: string, { largeBytes, smallFiles, smallBytes }: Content): void {
  mkdirSync(join(www, 'small'), { recursive: true })
  const block = randomBytes(MEBIBYTE)
  const large = openSync(join(www, 'large'), 'w')
  for (let written = 0; written < largeBytes; written += MEBIBYTE) {
    writeSync(large, block, 0, Math.min(MEBIBYTE, largeBytes - written))
  }
  closeSync(large)
  for (let index = 0; index < smallFiles; index++) {
    writeFileSync(
      join(www, 'small', String(index)),
      block.subarray(index % 1_000, (index % 1_000) + smallBytes),
    )
  }
}

function makeCertificate(folder: string): string {
  const certificate = join(folder, 'certificate.pem')
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(folder, 'key.pem'),
  ]
  const { status } = spawnSync(
    'openssl',
    ['req', '-x509', '-days', '2', ...key, ...subject, '-out', certificate],
    {
      stdio: 'ignore',
    },
  )
  if (status !== 0) throw new Error('Cannot make a certificate: openssl failed')
  return certificate
}

function nginxConfig(folder: string, http: number, https: number): string {
  return `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; root ${folder}/www; default_type application/octet-stream;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${http}; }
  server { listen 127.0.0.1:${https} ssl; ssl_certificate certificate.pem; ssl_certificate_key key.pem; ssl_session_cache shared:s:1m; }
}
`
}

async function answering(port: number, nginx: ChildProcess): Promise<void> {
  for (;;) {
    if (nginx.exitCode !== null) throw new Error('Cannot start nginx: it ended')
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await delay(20)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      )
    })
  })
}
