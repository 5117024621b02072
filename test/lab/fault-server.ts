/**
 * An origin server that can do everything wrong, as bytes on a socket. What a resource does stands in its URL:
 *
 * ```
 * http://127.0.0.1:PORT/FAULT/NAME?size=100000&seed=7&…
 * ```
 *
 * FAULT is a name of {@link faults}; NAME is free. The query says what the file is like ({@link ResourceOptions}) and
 * how bad the fault is. Two URLs that differ are two resources, each with its own memory of what was asked for.
 */

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { answerTo, give } from './answer.ts'
import { bodyFaults, cutOff } from './body-faults.ts'
import { ClientGone, Exchange, type LabRequest, type LoggedRequest } from './exchange.ts'
import { headFaults } from './head-faults.ts'
import { Resource, type Fault, type Options, type ResourceOptions } from './situation.ts'

/** Everything a resource may do, by the first segment of its path. */
export const faults = {
  good: ({ exchange, answer }) => give(exchange, answer),
  ...bodyFaults,
  ...headFaults,
} as const satisfies Readonly<Record<string, Fault>>

/** The name of a fault. */
export type FaultName = keyof typeof faults

/** How a server is started. */
export interface FaultServerOptions {
  /** With a key and a certificate it speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** A port that is known to be free; any other when absent. */
  readonly port?: number
}

/** A server on a port of its own, on the loopback. */
export class FaultServer implements AsyncDisposable {
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly #sockets = new Set<Socket>()
  readonly #resources = new Map<string, Resource>()
  readonly #log: LoggedRequest[] = []
  readonly #defects: unknown[] = []
  #connections = 0

  private constructor({ tls }: FaultServerOptions) {
    this.#scheme = tls === undefined ? 'http' : 'https'
    const accept = (socket: Socket): void => this.#accept(socket)
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
  }

  static async start(options: FaultServerOptions = {}): Promise<FaultServer> {
    const server = new FaultServer(options)
    const { port = 0 } = options
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    // Never a path: the server listens on a port.
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  /** Everything that was asked for, in the order in which it came. */
  get log(): readonly LoggedRequest[] {
    return this.#log
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#connections
  }

  /** The URL of a resource. */
  url(fault: FaultName, options: ResourceOptions = {}, name = 'file'): string {
    const query = Object.entries(options).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${encodeURIComponent(String(value))}`],
    )
    return `${this.origin}/${fault}/${name}${query.length === 0 ? '' : `?${query.join('&')}`}`
  }

  /** The resource behind a URL of this server. */
  resource(url: string): Resource {
    const { pathname, search, searchParams } = new URL(url, this.origin)
    const target = pathname + search
    const known = this.#resources.get(target)
    if (known !== undefined) return known
    const resource = new Resource(searchParams, Date.now())
    this.#resources.set(target, resource)
    return resource
  }

  /** What was asked for of one URL. */
  requests(url: string): readonly LoggedRequest[] {
    const { pathname, search } = new URL(url)
    return this.#log.filter(({ target }) => target === pathname + search)
  }

  /** Ends every connection at once. @throws {AggregateError} defects of the server itself */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (this.#defects.length > 0) throw new AggregateError(this.#defects, 'The lab has a defect')
  }

  #accept(socket: Socket): void {
    this.#connections++
    this.#sockets.add(socket)
    // Clients that break off are what is tested.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.setNoDelay(true)
    let waiting = Buffer.alloc(0)
    let isBusy = false
    const serve = async (): Promise<void> => {
      isBusy = true
      for (;;) {
        const end = waiting.indexOf('\r\n\r\n')
        if (end < 0 || !socket.writable) break
        const head = waiting.subarray(0, end).toString('latin1')
        waiting = waiting.subarray(end + 4)
        await this.#answer(socket, parseRequest(head))
      }
      isBusy = false
    }
    socket.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, bytes])
      if (!/^[A-Z]/u.test(waiting.toString('latin1', 0, 1))) {
        socket.end('HTTP/1.1 400 Not HTTP\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      if (!isBusy) void serve()
    })
  }

  async #answer(socket: Socket, request: LabRequest): Promise<void> {
    const record: LoggedRequest = { ...request, status: 0, sent: 0, from: 0, isAnswered: false }
    this.#log.push(record)
    const { pathname } = new URL(request.target, this.origin)
    const resource = this.resource(request.target)
    using exchange = new Exchange(socket, record, () => resource.rate)
    const count = resource.visit()
    const { options } = resource
    const file = resource.file(Date.now())
    const fault = chooseFault(pathname, count, options)
    try {
      const answer = answerTo(asHeard(request, options), file)
      if (fault === undefined) await exchange.head(404, [['Content-Length', '0']])
      else await fault({ exchange, answer, file, count, options })
      record.isAnswered = true
    } catch (error) {
      if (!(error instanceof ClientGone)) this.#defects.push(error)
    }
  }
}

/** The request as a server hears it that does not know everything. */
function asHeard(request: LabRequest, options: Options): LabRequest {
  const ignores = options.text('ignores', 'nothing')
  const deafTo = { ranges: ['range', 'if-range'], conditions: ['if-range'] }
  const unheard = Object.entries(deafTo).flatMap(([what, names]) => (what === ignores ? names : []))
  const headers = [...request.headers].filter(([name]) => !unheard.includes(name))
  return { ...request, headers: new Map(headers) }
}

/** What the present answer is to suffer from; `undefined` when there is no such fault. */
function chooseFault(pathname: string, count: number, options: Options): Fault | undefined {
  if (options.number('cut', 0) > 0 && count <= options.number('cuts', 1)) return cutOff
  const from = options.number('from', 1)
  const isDue = count >= from && count < from + options.number('times', Infinity)
  return isDue ? faultNamed(pathname) : faults.good
}

function faultNamed(pathname: string): Fault | undefined {
  const name = pathname.split('/')[1] ?? ''
  // The table is this module's own; the cast only widens its keys.
  return Object.hasOwn(faults, name) ? (faults as Record<string, Fault>)[name] : undefined
}

function parseRequest(head: string): LabRequest {
  const [line = '', ...fields] = head.split('\r\n')
  const [method = '', target = '/', version = ''] = line.split(' ')
  const headers = new Map<string, string>()
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    const value = field.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return { method, target, version, headers }
}
