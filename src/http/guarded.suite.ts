/** Servers that ask for proof: `node:http` in front of the acceptors of the room `auth`. */

import { createHash, X509Certificate } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import type { Acceptor } from '../auth/acceptor.ts'
import { basicAcceptor } from '../auth/basic-server.ts'
import type { AuthTarget } from '../auth/auth.ts'
import type { CredentialPair, PasswordCredentials } from '../auth/credentials.ts'
import { digestAcceptor, type DigestAcceptorOptions } from '../auth/digest/digest-server.ts'
import { computeNtHash } from '../auth/ntlm/password-keys.ts'
import { ntlmAcceptor } from '../auth/ntlm/ntlm-server.ts'
import { tlsServerEndPoint } from '../auth/spnego/end-point.ts'
import { Secret } from '../auth/secret.ts'
import { noMechanisms } from '../auth/world.suite.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import type { AuthWorld } from '../auth/scheme.ts'
import type { Identity as Certificate } from './certificates.suite.ts'
import { Identity, type IdentityOptions } from './identity.ts'
import { nodeHashes } from './node-hashes.ts'

/** The one user of every server here. */
export const user = { name: 'ann', password: 'Söme pass:word' } as const

/** A world with real hashes and real randomness. */
export const realWorld: AuthWorld = {
  hashes: nodeHashes,
  random: {
    fraction: () => Math.random(),
    bytes: (length) => new Uint8Array(crypto.getRandomValues(new Uint8Array(length))),
  },
  clock: { now: () => Date.now() },
  mechanisms: noMechanisms,
  settings: defaultAuthSettings,
}

/** Makes an acceptor for one connection. */
export type Guard = (connection: object) => Acceptor

export const guards = {
  basic: (): Guard => {
    const acceptor = basicAcceptor({
      realm: 'r',
      utf8: true,
      check: (name, password) =>
        name === user.name && new TextDecoder().decode(password) === user.password,
    })
    return () => acceptor
  },
  digest: (options: Partial<DigestAcceptorOptions> = {}): Guard => {
    const users = new Map([[user.name, Secret.fromText(user.password)]])
    const acceptor = digestAcceptor({ realm: 'r', users, ...options }, realWorld)
    return () => acceptor
  },
  ntlm: (bindingPolicy: 'ignore' | 'require' = 'ignore'): Guard => {
    const known = new WeakMap<object, Acceptor>()
    return (connection) => {
      const acceptor =
        known.get(connection) ??
        ntlmAcceptor(
          {
            names: {
              nbDomainName: 'LAB',
              nbComputerName: 'SRV',
              dnsDomainName: 'lab.test',
              dnsComputerName: 'srv.lab.test',
            },
            ntHashOf: (name) =>
              name.toLowerCase() === user.name
                ? computeNtHash(new TextEncoder().encode(user.password))
                : undefined,
            accepts: ['v2'],
            hasTimestamp: true,
            hasSessionSecurity: true,
            bindingPolicy,
          },
          realWorld,
        )
      known.set(connection, acceptor)
      return acceptor
    }
  },
} as const

/** Credentials of the one user. */
export function passwordOf(password: string = user.password): PasswordCredentials {
  return { kind: 'password', userName: user.name, password: Secret.fromText(password) }
}

/** Somebody with these credentials. */
export function identityWith(
  t: Pick<TestContext, 'after'>,
  pairs: readonly CredentialPair[],
  options: Omit<IdentityOptions, 'wallet' | 'world'> = {},
): Identity {
  const identity = new Identity({ wallet: { pairs }, world: realWorld, ...options })
  t.after(() => identity.close())
  return identity
}

/** The pair of a scheme with the right password, or with another. */
export function pair(
  scheme: CredentialPair['scheme'],
  target: AuthTarget = 'server',
  password?: string,
): CredentialPair {
  return { target, scheme, credentials: passwordOf(password) }
}

/** What the server saw and did. */
export interface GuardedServer {
  /** `http://127.0.0.1:PORT` or `https://localhost:PORT`. */
  readonly url: string
  readonly port: number
  /** For each request: its connection from 0, method, path, status, and whether a proof came with it. */
  readonly log: readonly LoggedRequest[]
  /** How many connections there were. */
  readonly connections: () => number
}

/** One request. */
export interface LoggedRequest {
  readonly connection: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly credentials: string | undefined
  /** What `Proxy-Authorization` said, which is for no server. */
  readonly forProxy: string | undefined
  readonly bytes: number
}

/** How a server behaves. */
export interface GuardedOptions {
  readonly certificate?: Certificate
  /** Answers who was let in; `request.url` otherwise. */
  readonly serve?: RequestListener
  /** Whether the connection closes behind a 401. */
  readonly closes?: (request: IncomingMessage, place: number) => boolean
  /** The body of a 401. */
  readonly refusal?: string
  /** Paths that need no proof. */
  readonly isPublic?: (path: string) => boolean
}

/** Begins to serve what needs proof; stops after the test. */
export async function guarded(
  t: Pick<TestContext, 'after'>,
  guard: readonly Guard[],
  options: GuardedOptions = {},
): Promise<GuardedServer> {
  const log: LoggedRequest[] = []
  const places = new Map<Socket, number>()
  const counts = new Map<Socket, number>()
  const { certificate } = options
  const channelBinding =
    certificate === undefined
      ? undefined
      : tlsServerEndPoint(new X509Certificate(certificate.cert).raw, nodeHashes)
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request
    const place = counts.get(socket) ?? 0
    counts.set(socket, place + 1)
    const path = request.url ?? ''
    const credentials = request.headers.authorization
    const isAsking = request.headers.expect !== undefined
    let body = isAsking ? Buffer.alloc(0) : await read(request)
    const digest = (algorithm: string): Uint8Array =>
      createHash(algorithm.replace('sha-', 'sha')).update(body).digest()
    const note = (status: number): void => {
      const connection = places.get(socket) ?? -1
      const method = request.method ?? ''
      const forProxy = request.headers['proxy-authorization']
      const bytes = body.length
      log.push({ connection, method, path, status, credentials, forProxy, bytes })
    }
    const challenges: string[] = []
    for (const make of options.isPublic?.(path) === true ? [] : guard) {
      const reception = await make(socket).receive(credentials, {
        method: request.method ?? '',
        requestTarget: path,
        bodyHash: digest,
        ...(channelBinding === undefined ? {} : { channelBinding }),
      })
      if (reception.kind === 'granted') {
        for (const [name, value] of reception.fields) response.setHeader(name, value)
        challenges.length = 0
        break
      }
      challenges.push(...reception.challenges)
    }
    if (challenges.length > 0) {
      note(401)
      if (options.closes?.(request, place) === true) response.setHeader('Connection', 'close')
      response.setHeader('WWW-Authenticate', challenges)
      response.statusCode = 401
      response.end(options.refusal ?? 'no')
      return
    }
    if (isAsking) {
      response.writeContinue()
      body = await read(request)
    }
    note(200)
    if (options.serve === undefined) response.end(path)
    else options.serve(request, response)
  }
  const listener: RequestListener = (request, response) => void handle(request, response)
  const server: Server =
    certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener)
  server.on('checkContinue', listener)
  const event = certificate === undefined ? 'connection' : 'secureConnection'
  server.on(event, (socket: Socket) => places.set(socket, places.size))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  const url = certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`
  return { url, port, log, connections: () => places.size }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
