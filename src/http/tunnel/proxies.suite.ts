/** Real proxies for the tests of this folder, small enough to misbehave in every way. */

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TestContext } from 'node:test'
import type { Acceptor, Reception } from '../../auth/acceptor.ts'
import { Authenticator } from '../../auth/authenticator.ts'
import type { CredentialPair } from '../../auth/credentials.ts'
import { tlsServerEndPoint } from '../../auth/spnego/end-point.ts'
import { describeProxy, type Proxy, type ProxyScheme } from '../../job/route.ts'
import type { Identity } from '../certificates.suite.ts'
import { realWorld } from '../guarded.suite.ts'
import { nodeHashes } from '../node-hashes.ts'
import { Trust } from '../trust.ts'
import type { ConnectionTls } from './tls.ts'

/** One connection as the proxy sees it. */
export interface Seat {
  /** Its place, from 0, in the order in which they came. */
  readonly index: number
  readonly socket: Socket
  /** Sends text, each character an octet. */
  say(text: string): void
  /** Connects to a port of this machine and passes bytes on from here on, after having said this. */
  open(port: number, said?: string): void
}

/** One CONNECT. */
export interface ConnectRequest {
  /** The whole head. */
  readonly head: string
  readonly authority: string
  /** Where it wants to go, on this machine. */
  readonly port: number
  /** Its place on its connection, from 0. */
  readonly place: number
}

/** Hears each CONNECT. */
export type ConnectAnswer = (seat: Seat, request: ConnectRequest) => unknown

/** A proxy under way. */
export interface ProxyServer {
  readonly proxy: Proxy
  readonly port: number
  /** The heads of every request, in the order of arrival; of SOCKS, what was asked for. */
  readonly heard: readonly string[]
  readonly seats: readonly Seat[]
}

/** Opens the tunnel that is asked for. */
export const opening: ConnectAnswer = (seat, { port }) =>
  seat.open(port, 'HTTP/1.1 200 Connection established\r\n\r\n')

/** Begins to be an HTTP proxy; stops after the test. */
export async function serveConnect(
  t: Pick<TestContext, 'after'>,
  answer: ConnectAnswer = opening,
  identity?: Identity,
): Promise<ProxyServer> {
  const heard: string[] = []
  const { port, seats } = await listen(t, identity, (seat) => {
    let text = ''
    let place = 0
    const hear = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = text.slice(0, end + 4)
      text = text.slice(end + 4)
      heard.push(head)
      const authority = head.split(' ')[1] ?? ''
      const port = Number(/:(\d+)$/.exec(authority)?.[1])
      answer(seat, { head, authority, port, place: place++ })
    }
    seat.socket.on('data', hear)
  })
  const scheme = identity === undefined ? 'http' : 'https'
  return { proxy: { scheme, host: 'localhost', port }, port, heard, seats }
}

/** How a guarded proxy behaves. */
export interface GuardedProxyOptions {
  /** What it shows; then proofs are bound to it. */
  readonly identity?: Identity
  /** The fields and the body of each 407, without the challenges. */
  readonly refusal?: string
  /** Whether the connection ends behind a 407, and how: having said so, or not. @param count of 407s before */
  readonly closes?: (count: number) => 'said' | 'unsaid' | false
}

/** A proxy that asks for proof. @param accept the acceptor of each connection */
export async function serveGuarded(
  t: Pick<TestContext, 'after'>,
  accept: (seat: Seat) => Acceptor,
  { identity, refusal = 'Content-Length: 2\r\n\r\nno', closes }: GuardedProxyOptions = {},
): Promise<ProxyServer> {
  const channelBinding =
    identity === undefined
      ? undefined
      : tlsServerEndPoint(new X509Certificate(identity.cert).raw, nodeHashes)
  let count = 0
  const judge = async (seat: Seat, request: ConnectRequest): Promise<void> => {
    const credentials = /^Proxy-Authorization: (.*)\r$/im.exec(request.head)?.[1]
    const reception = await accept(seat).receive(credentials, {
      method: 'CONNECT',
      requestTarget: request.authority,
      ...(channelBinding === undefined ? {} : { channelBinding }),
    })
    if (reception.kind === 'granted') {
      seat.open(request.port, `HTTP/1.1 200 OK\r\n${infoOf(reception)}\r\n`)
      return
    }
    const lines = reception.challenges.map((value) => `Proxy-Authenticate: ${value}\r\n`)
    const closing = closes?.(count++) ?? false
    if (closing === 'said') lines.push('Connection: close\r\n')
    seat.say(`HTTP/1.1 407 Proof, please\r\n${lines.join('')}${refusal}`)
    if (closing !== false) seat.socket.end()
  }
  return serveConnect(t, (seat, request) => void judge(seat, request), identity)
}

function infoOf({ fields }: Extract<Reception, { readonly kind: 'granted' }>): string {
  return fields.map(([name, value]) => `Proxy-${name}: ${value}\r\n`).join('')
}

/** How a SOCKS proxy behaves. */
export interface SocksOptions {
  /** `user:password` that it wants. */
  readonly login?: string
  /** What it replies instead of 0, or 0x5a. */
  readonly reply?: number
  /** The address in its reply, from its type on; eight zeros of IPv4 when absent. */
  readonly bound?: readonly number[]
  /** What it says behind its reply. */
  readonly said?: string
}

/** Begins to be a SOCKS proxy, of both versions; stops after the test. What it hears is `version host:port login`. */
export async function serveSocks(
  t: Pick<TestContext, 'after'>,
  scheme: ProxyScheme,
  options: SocksOptions = {},
): Promise<ProxyServer> {
  const heard: string[] = []
  const { port, seats } = await listen(t, undefined, (seat) => {
    const socks = new SocksSeat(seat, options, heard)
    void socks.run().catch(() => seat.socket.destroy())
  })
  return { proxy: { scheme, host: '127.0.0.1', port }, port, heard, seats }
}

class SocksSeat {
  readonly #seat: Seat
  readonly #options: SocksOptions
  readonly #heard: string[]
  #bytes = Buffer.alloc(0)
  #wake: (() => void) | undefined

  constructor(seat: Seat, options: SocksOptions, heard: string[]) {
    this.#seat = seat
    this.#options = options
    this.#heard = heard
    seat.socket.on('data', (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes])
      this.#wake?.()
    })
  }

  async run(): Promise<void> {
    const [version] = await this.#take(1)
    if (version === 4) await this.#run4()
    else await this.#run5()
  }

  async #run5(): Promise<void> {
    const { login, reply = 0, bound = [1, 0, 0, 0, 0, 0, 0], said = '' } = this.#options
    const [count = 0] = await this.#take(1)
    const methods = [...(await this.#take(count))]
    const method = login === undefined ? 0 : 2
    this.#say(5, methods.includes(method) ? method : 255)
    if (!methods.includes(method)) return
    const told = method === 2 ? await this.#login() : ''
    if (login !== undefined) this.#say(1, told === login ? 0 : 1)
    if (login !== undefined && told !== login) return
    const [, command, , type] = await this.#take(4)
    const host = await this.#host(type)
    const port = (await this.#take(2)).readUInt16BE()
    this.#heard.push(`5.${command} ${host}:${port} ${methods.join(',')} ${told}`)
    this.#say(5, reply, 0, ...bound)
    if (reply === 0) this.#seat.open(port, said)
  }

  async #login(): Promise<string> {
    const [, userLength = 0] = await this.#take(2)
    const user = await this.#take(userLength)
    const [passwordLength = 0] = await this.#take(1)
    return `${user.toString()}:${(await this.#take(passwordLength)).toString()}`
  }

  async #host(type: number | undefined): Promise<string> {
    if (type === 1) return [...(await this.#take(4))].join('.')
    if (type === 4) return (await this.#take(16)).toString('hex')
    const [length = 0] = await this.#take(1)
    return (await this.#take(length)).toString()
  }

  async #run4(): Promise<void> {
    const { reply = 0x5a, said = '' } = this.#options
    const [command] = await this.#take(1)
    const port = (await this.#take(2)).readUInt16BE()
    const address = [...(await this.#take(4))].join('.')
    const user = await this.#text()
    const host = address === '0.0.0.1' ? await this.#text() : address
    this.#heard.push(`4.${command} ${host}:${port} ${user}`)
    this.#say(0, reply, 0, 0, 0, 0, 0, 0)
    if (reply === 0x5a) this.#seat.open(port, said)
  }

  async #text(): Promise<string> {
    let text = ''
    for (;;) {
      const [octet = 0] = await this.#take(1)
      if (octet === 0) return text
      text += String.fromCharCode(octet)
    }
  }

  #say(...octets: readonly number[]): void {
    this.#seat.socket.write(Uint8Array.from(octets))
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const taken = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    return taken
  }
}

async function listen(
  t: Pick<TestContext, 'after'>,
  identity: Identity | undefined,
  serve: (seat: Seat) => void,
): Promise<{ readonly port: number; readonly seats: readonly Seat[] }> {
  const seats: Seat[] = []
  const sockets = new Set<Socket>()
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const seat: Seat = {
      index: seats.length,
      socket,
      say: (text) => void socket.write(Buffer.from(text, 'latin1')),
      open: (port, said = '') => sockets.add(passOn(socket, port, said)),
    }
    seats.push(seat)
    serve(seat)
  }
  const server: Server =
    identity === undefined ? createServer(accept) : createTlsServer(identity, accept)
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  return { port, seats }
}

function passOn(socket: Socket, port: number, said: string): Socket {
  socket.removeAllListeners('data')
  // What comes before the way is open must not flow past everybody.
  socket.pause()
  const onward = connect(port, '127.0.0.1')
  onward.on('error', () => undefined)
  onward.on('close', () => socket.destroy())
  socket.on('close', () => onward.destroy())
  onward.on('connect', () => {
    if (said !== '') socket.write(Buffer.from(said, 'latin1'))
    socket.pipe(onward).pipe(socket)
  })
  return onward
}

/** Who answers a proxy with these pairs; closed after the test. */
export function authenticatorFor(
  t: Pick<TestContext, 'after'>,
  proxy: Proxy,
  pairs: readonly CredentialPair[],
): Authenticator {
  const authenticator = new Authenticator({
    situation: { target: 'proxy', peer: new URL(describeProxy(proxy)), isForeign: false },
    wallet: { pairs },
    world: realWorld,
  })
  t.after(() => authenticator.close())
  return authenticator
}

/** TLS that trusts the authorities in a file. */
export function tlsWith(caFile: string, sessions: Buffer[] = []): ConnectionTls {
  return {
    context: new Trust().context({ caFile }),
    session: sessions.at(-1),
    keepSession: (session) => void sessions.push(session),
  }
}
