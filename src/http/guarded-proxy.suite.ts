/** A forwarding proxy that asks for proof, and keeps one connection to a server for each of its clients. */

import {
  Agent,
  createServer,
  request as makeRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { Proxy, Routes } from '../job/route.ts'
import type { Guard } from './guarded.suite.ts'

/** What the proxy saw. */
export interface GuardedProxy {
  readonly proxy: Proxy
  readonly routes: Routes
  /** Request targets in their order, with the statuses they were given; 0 for what was passed on. */
  readonly log: readonly SeenByProxy[]
}

/** One request that came to the proxy. */
export interface SeenByProxy {
  readonly method: string
  readonly target: string
  readonly status: number
  /** What the server's `Authorization` said, where the proxy could see it. */
  readonly authorization: string | undefined
  readonly credentials: string | undefined
}

/** Begins to forward; stops after the test. */
export async function guardedProxy(
  t: Pick<TestContext, 'after'>,
  guard: Guard | undefined,
): Promise<GuardedProxy> {
  const log: SeenByProxy[] = []
  const agents = new WeakMap<Socket, Agent>()
  const tunnels = new Set<Socket>()
  const agentOf = (socket: Socket): Agent => {
    const known = agents.get(socket)
    if (known !== undefined) return known
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    agents.set(socket, agent)
    socket.once('close', () => agent.destroy())
    return agent
  }
  const admit = async (request: IncomingMessage): Promise<readonly string[] | undefined> => {
    const credentials = request.headers['proxy-authorization']
    const reception = await guard?.(request.socket).receive(credentials, {
      method: request.method ?? '',
      requestTarget: request.url ?? '',
    })
    const challenges = reception?.kind === 'challenged' ? reception.challenges : undefined
    log.push({
      method: request.method ?? '',
      target: request.url ?? '',
      status: challenges === undefined ? 0 : 407,
      authorization: request.headers.authorization,
      credentials,
    })
    return challenges
  }
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const challenges = await admit(request)
    if (challenges !== undefined) {
      request.resume()
      response.writeHead(407, { 'Proxy-Authenticate': [...challenges] }).end('who?')
      return
    }
    // One connection to the server for one of the client (RFC 4559 §6).
    const agent = agentOf(request.socket)
    const headers = { ...request.headers }
    delete headers['proxy-authorization']
    const onward = makeRequest(request.url ?? '', { agent, method: request.method, headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => response.destroy()).pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }
  const server = createServer((request, response) => void forward(request, response))
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined)
    void admit(request).then((challenges) => {
      if (challenges !== undefined) {
        const lines = challenges.map((value) => `Proxy-Authenticate: ${value}\r\n`)
        socket.write(`HTTP/1.1 407 No\r\n${lines.join('')}Content-Length: 4\r\n\r\nwho?`)
        // `node:http` has given the socket away: what comes next on it is read by nobody else.
        server.emit('connection', socket)
        return
      }
      const [host = '', port = ''] = (request.url ?? '').split(':')
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      tunnels.add(onward).add(socket)
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
    })
  })
  // Whoever waits for it to close a connection would wait for ever.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of tunnels) socket.destroy()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  const proxy: Proxy = { scheme: 'http', host: '127.0.0.1', port }
  return { proxy, routes: { find: () => [proxy], failed: () => undefined }, log }
}
