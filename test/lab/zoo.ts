/** Servers and proxies of many makes, each as its package brings it: they serve one folder, or lead to who does. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Daemon, makeFolder, type Command } from './daemon.ts'
import { whyMissing, type Needs } from './installed.ts'

/** Who may use a proxy that asks; tinyproxy knows letters and digits only. */
export const zooUser = { name: 'ann', password: 'secretOfAnn' } as const

/** What an animal is started with. */
interface Place {
  /** Its own folder, for what it is configured with. */
  readonly folder: string
  readonly port: number
  /** What it serves. */
  readonly files: string
  /** Of the server that it leads to. */
  readonly behind: number
}

/** One server or proxy. */
export interface Animal {
  readonly program: string
  /** The package of Debian that brings it. */
  readonly package: string
  readonly command: (place: Place) => Omit<Command, 'program'>
}

/** Configuration in a file of its own. @returns its path */
function written({ folder }: Place, text: string): string {
  const path = join(folder, 'configuration')
  writeFileSync(path, text)
  return path
}

/** After this many responses and one, lighttpd closes a connection. */
const LIGHTTPD_RESPONSES = 40

/** Serve a folder, or lead to lighttpd, which does. */
export const servers = {
  lighttpd: {
    program: 'lighttpd',
    package: 'lighttpd',
    command: (place) => {
      // To a file of a type that it does not know it gives no version.
      const text = `server.document-root = "${place.files}"
server.bind = "127.0.0.1"
server.port = ${place.port}
server.max-keep-alive-requests = ${LIGHTTPD_RESPONSES}
mimetype.assign = ("" => "application/octet-stream")
`
      return { args: ['-D', '-f', written(place, text)] }
    },
  },
  haproxy: {
    program: 'haproxy',
    package: 'haproxy',
    command: (place) => {
      const text = `defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:${place.port}
  server behind 127.0.0.1:${place.behind}
`
      return { args: ['-db', '-f', written(place, text)] }
    },
  },
  // Closes every connection, and forks for each.
  busybox: {
    program: 'busybox',
    package: 'busybox',
    command: ({ port, files }) => ({
      args: ['httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', files],
    }),
  },
  // Closes every connection, knows no ranges, and calls archives coded.
  'mini-httpd': {
    program: 'mini_httpd',
    package: 'mini-httpd',
    command: ({ port, files }) => ({
      args: ['-D', '-h', '127.0.0.1', '-p', String(port), '-d', files],
    }),
  },
} as const satisfies Readonly<Record<string, Animal>>

/** A proxy, how it is named, and whether it asks for {@link zooUser}. */
export interface ZooProxy extends Animal {
  readonly scheme: 'http' | 'socks5'
  readonly asks: boolean
}

/** Lead wherever they are asked to. */
export const proxies = {
  // Asks with Basic, and closes every connection.
  tinyproxy: {
    program: 'tinyproxy',
    package: 'tinyproxy',
    scheme: 'http',
    asks: true,
    command: (place) => {
      const text = `Port ${place.port}
Listen 127.0.0.1
Allow 127.0.0.1
BasicAuth ${zooUser.name} ${zooUser.password}
`
      return { args: ['-d', '-c', written(place, text)] }
    },
  },
  privoxy: {
    program: 'privoxy',
    package: 'privoxy',
    scheme: 'http',
    asks: false,
    command: (place) => {
      const text = `listen-address 127.0.0.1:${place.port}
keep-alive-timeout 5
tolerate-pipelining 1
`
      return { args: ['--no-daemon', written(place, text)] }
    },
  },
  dante: {
    program: 'danted',
    package: 'dante-server',
    scheme: 'socks5',
    asks: false,
    command: (place) => {
      const text = `logoutput: ${join(place.folder, 'log')}
internal: 127.0.0.1 port = ${place.port}
external: lo
clientmethod: none
socksmethod: none
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
`
      return { args: ['-f', written(place, text)] }
    },
  },
  microsocks: {
    program: 'microsocks',
    package: 'microsocks',
    scheme: 'socks5',
    asks: true,
    command: ({ port }) => ({
      args: ['-i', '127.0.0.1', '-p', String(port), '-u', zooUser.name, '-P', zooUser.password],
    }),
  },
} as const satisfies Readonly<Record<string, ZooProxy>>

/** What all of them need. */
export const zooNeeds: Needs = Object.fromEntries(
  [...Object.values(servers), ...Object.values(proxies)].map((each) => [
    each.program,
    each.package,
  ]),
)

/** Why one of them cannot be here; `false` when it can. */
export function cannotKeep({ program, package: name }: Animal): string | false {
  return whyMissing({ [program]: name })
}

/** One of them, in a process of its own. */
export class Kept implements AsyncDisposable {
  readonly port: number
  readonly #daemon: Daemon
  readonly #folder: string

  private constructor(port: number, daemon: Daemon, folder: string) {
    this.port = port
    this.#daemon = daemon
    this.#folder = folder
  }

  /** @param behind the port of the server that it leads to, for those that serve nothing themselves */
  static async start(animal: Animal, { files = '', behind = 0 } = {}): Promise<Kept> {
    const folder = makeFolder('zoo')
    try {
      const { daemon, ports } = await Daemon.onPorts(1, ([port = 0]) => ({
        program: animal.program,
        ...animal.command({ folder, port, files, behind }),
      }))
      return new Kept(ports[0] ?? 0, daemon, folder)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
