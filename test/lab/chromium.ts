/** Chromium as one who knows scripts: it is given one, loads a page, and tells what it made of it. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where nothing else runs, the whole of it takes two seconds. */
const TIME_LIMIT_MS = 60_000

/** The host of the page. What Chromium asks for its own sake goes to the proxy too, and nowhere else. */
const PAGE_HOST = 'probe.test'

/** What Chromium did. */
export interface ScriptRun {
  /** The lists of proxies it took from the answers of the script, without the one that everything goes to. */
  readonly answers: readonly string[]
}

/** What a run is made of. */
export interface ScriptRunOptions {
  readonly script: string
  /** The address of the page, at {@link PAGE_HOST}. */
  readonly page?: string
  /** What the page is. */
  readonly html?: string
  /** Whether answers about other hosts count too. */
  readonly hosts?: readonly string[]
  readonly names: Readonly<Record<string, readonly string[]>>
}

const program = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
)

/** Why there is no Chromium to ask; false when there is. */
export const chromiumIsMissing = program === undefined ? 'chromium is not installed' : false

/** Lets Chromium run a script for a page (and what it refers to), and reads its own record of what it did. */
export async function runInChromium(options: ScriptRunOptions): Promise<ScriptRun> {
  const folder = mkdtempSync(join(tmpdir(), 'lull-chromium-'))
  let script = ''
  const server = createServer((request, response) => {
    const isScript = request.url === '/proxy.pac'
    response.setHeader('Content-Type', isScript ? 'application/x-ns-proxy-autoconfig' : 'text/html')
    response.end(isScript ? script : (options.html ?? '<p>here</p>'))
  })
  // Tunnels lead nowhere.
  server.on('connect', (_, socket) => socket.end('HTTP/1.1 502 No tunnel\r\n\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Listening on TCP, so the address is none of a pipe.
  const { port } = server.address() as AddressInfo
  script = viaProxy(options, port)
  try {
    await browse(folder, port, options)
    return { answers: answersIn(readFileSync(join(folder, 'log.json'), 'utf8'), port) }
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same script, with a proxy that answers in front of every list, so that Chromium tries no other. */
function viaProxy({ script, hosts = [PAGE_HOST] }: ScriptRunOptions, port: number): string {
  return `${script}
  ;var findForPage = FindProxyForURL
  FindProxyForURL = function (url, host) {
    if (${JSON.stringify(hosts)}.indexOf(host) < 0) return 'PROXY 127.0.0.1:${port}'
    return 'PROXY 127.0.0.1:${port}; ' + findForPage(url, host)
  }`
}

async function browse(folder: string, port: number, options: ScriptRunOptions): Promise<void> {
  const { names, page = `http://${PAGE_HOST}/` } = options
  const rules = Object.entries(names).map(([name, [address = '']]) => `MAP ${name} ${address}`)
  const child = spawn(
    program ?? 'chromium',
    [
      '--headless',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${join(folder, 'profile')}`,
      `--proxy-pac-url=http://127.0.0.1:${port}/proxy.pac`,
      `--host-resolver-rules=${[...rules, 'MAP *.invalid ~NOTFOUND'].join(', ')}`,
      `--log-net-log=${join(folder, 'log.json')}`,
      '--dump-dom',
      page,
    ],
    { stdio: 'ignore', timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL' },
  )
  await once(child, 'exit')
}

/** Chromium's record: the numbers of its events have names in the head of it. */
interface NetLog {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> }
  readonly events: readonly {
    readonly type: number
    readonly params?: { readonly proxy_info?: string }
  }[]
}

function answersIn(log: string, port: number): readonly string[] {
  // Chromium's own format, as it stands since many versions.
  const { constants, events } = JSON.parse(log) as NetLog
  const resolved = constants.logEventTypes['PROXY_RESOLUTION_SERVICE_RESOLVED_PROXY_LIST']
  const own = `PROXY 127.0.0.1:${port};`
  return events.flatMap(({ type, params }) => {
    const info = type === resolved ? (params?.proxy_info ?? '') : ''
    return info.startsWith(own) ? [info.slice(own.length)] : []
  })
}
