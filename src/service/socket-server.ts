/** Answers at the local socket: `POST /rpc`, `GET /events`. Only this user and the administrator get in. */

import { isUtf8 } from 'node:buffer'
import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LullError } from '../base/error.ts'
import { makeFolder } from '../client/make-folder.ts'
import { createServer } from '../client/node-http.ts'
import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import { JobError } from '../job/failure.ts'
import { answer, errorResponse, notTextResponse, type Dispatch } from '../rpc/dispatch.ts'
import { EventStream } from './event-stream.ts'

/** Bytes of one message: a job of a hundred thousand files fits. */
const MESSAGE_LIMIT = 64 * 1024 * 1024

/** How long a message may take to arrive. */
const MESSAGE_TIMEOUT_MS = 60_000

/** How long streams may end in order when the service ends, and how long calls may take: it ends within two seconds. */
const STREAM_GRACE_MS = 100
const ANSWER_GRACE_MS = 1_000

/** What is said to calls that come too late. */
const ENDING = 'Cannot answer: the service ends, and has done nothing; ask the next one'

/** What the server works with. */
export interface SocketService {
  readonly engine: Engine
  readonly dispatch: Dispatch<Caller>
  /** Who is at the other end; `undefined` turns them away. */
  readonly identify: (socket: Socket) => Caller | undefined
}

/** The same, with what the server itself knows. */
interface Door extends SocketService {
  /** Whether calls are still taken: one that comes too late is told to look for the next service. */
  readonly isOpen: () => boolean
  /** Every event stream that is open. */
  readonly streams: Set<ServerResponse>
}

/** A server that listens. */
export interface SocketServer {
  /**
   * Ends every event stream in order: whoever follows knows then that somebody wants the service to end. A stream that
   * is cut says that it was killed, and its reader starts the next one.
   */
  readonly endStreams: () => void
  /** Lets answers go out that are being made, cuts everything else, removes the socket. */
  stop(): Promise<void>
}

/**
 * Listens at `path`. The caller holds the lock of this home, so a socket that is there is left over from a crash.
 *
 * @throws {LullError} `ERR_SERVICE_SOCKET` when the socket cannot be made
 */
export async function listen(path: string, service: SocketService): Promise<SocketServer> {
  const isPipe = path.startsWith('\\\\')
  if (!isPipe) prepareFolder(dirname(path))
  const streams = new Set<ServerResponse>()
  let isOpen = true
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response, { ...service, streams, isOpen: () => isOpen }).catch(
      (error: unknown) => {
        service.dispatch.broken(error)
        response.destroy()
      },
    )
  }
  const server = createServer({ requestTimeout: MESSAGE_TIMEOUT_MS }, take)
  server.keepAliveTimeout = 5_000
  // Who asks first need not send what is not read (RFC 9110 §10.1.1).
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length'] ?? 0) > MESSAGE_LIMIT) return tooLong(response)
    response.writeContinue()
    take(request, response)
  })
  try {
    if (!isPipe) rmSync(path, { force: true })
    server.listen(path)
    await once(server, 'listening')
    if (!isPipe) chmodSync(path, 0o600)
  } catch (error) {
    throw new LullError('ERR_SERVICE_SOCKET', `Cannot listen at ${path}: ${String(error)}`, {
      cause: error,
    })
  }
  return {
    endStreams: () => streams.forEach((response) => response.end()),
    stop: () => {
      isOpen = false
      // Whoever comes from now on finds nobody there.
      if (!isPipe) rmSync(path, { force: true })
      return stop(server, streams)
    },
  }
}

/**
 * The folder must be ours alone: whoever can write there could put a socket of their own in place. So must a link to
 * it, unless the administrator has made it.
 */
function prepareFolder(folder: string): void {
  makeFolder(folder)
  const link = lstatSync(folder)
  const facts = statSync(folder)
  const uid = process.getuid?.()
  const isOurs =
    facts.uid === uid && (link.uid === uid || (link.isSymbolicLink() && link.uid === 0))
  if (!facts.isDirectory() || (uid !== undefined && !isOurs)) {
    throw new LullError(
      'ERR_SERVICE_SOCKET',
      `Cannot use the folder ${folder}: it belongs to somebody else`,
    )
  }
}

/** Who has come before is let in and told that it is too late: a door that shuts on them would leave them in doubt. */
async function stop(server: Server, streams: ReadonlySet<ServerResponse>): Promise<void> {
  let came = 0
  server.on('connection', () => came++)
  // One is let in at a turn of the loop.
  for (let before = -1; came > before;) {
    before = came
    await nextTurn()
  }
  const closed = once(server, 'close')
  server.close()
  // These have no end of their own.
  setTimeout(() => streams.forEach((response) => response.destroy()), STREAM_GRACE_MS).unref()
  setTimeout(() => server.closeAllConnections(), ANSWER_GRACE_MS).unref()
  await closed
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  service: Door,
): Promise<void> {
  const caller = service.identify(request.socket)
  if (caller === undefined)
    return refuse(response, 403, 'Cannot serve this user: the service belongs to another')
  const url = URL.parse(request.url ?? '/', 'http://lull')
  if (url === null) return refuse(response, 400, 'Cannot answer: this is no path')
  const { pathname, searchParams } = url
  if (pathname === '/rpc') {
    if (request.method !== 'POST')
      return refuseMethod(response, 'POST', 'Cannot answer: POST a JSON-RPC message here')
    if (isCoded(request)) return refuse(response, 415, 'Cannot read a message that is compressed')
    return call(request, response, caller, service)
  }
  if (pathname === '/events') {
    if (request.method !== 'GET')
      return refuseMethod(response, 'GET', 'Cannot answer: GET the events here')
    const unknown = searchParams.keys().find((name) => name !== 'job')
    if (unknown !== undefined)
      return refuse(response, 400, `Cannot follow by ${JSON.stringify(unknown)}: there is job=ID`)
    if (!service.isOpen()) return refuse(response, 503, ENDING)
    return follow(response, caller, searchParams.getAll('job'), service)
  }
  return refuse(response, 404, 'Cannot answer: there are /rpc and /events')
}

async function call(
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
  { dispatch, isOpen }: Door,
): Promise<void> {
  const message = await read(request)
  if (message === 'broken off') return
  if (message === 'too long') return tooLong(response)
  if (!isOpen()) return refuse(response, 503, ENDING)
  // What is no UTF-8 would become other text: a file of another name, say (RFC 8259 §8.1).
  const isText = isUtf8(message)
  const text = message.toString('utf8')
  // There may be passwords in it; what becomes of the text is the collector's.
  message.fill(0)
  const pieces = isText ? await answer(text, caller, dispatch) : notTextResponse()
  if (pieces === undefined) {
    response.writeHead(204).end()
    return
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
  // Pieces of one answer travel together.
  response.cork()
  for (const piece of pieces) response.write(piece)
  response.end()
}

/** Reads the whole message. What is too long is read to its end and dropped, so that the refusal can be read. */
async function read(request: IncomingMessage): Promise<Buffer | 'too long' | 'broken off'> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      length += piece.length
      if (length <= MESSAGE_LIMIT) pieces.push(piece)
      else pieces.length = 0
    }
  } catch {
    // Whoever sent it is gone, or took longer than a message may take.
    return 'broken off'
  }
  if (length > MESSAGE_LIMIT) return 'too long'
  const message = Buffer.concat(pieces)
  for (const piece of pieces) piece.fill(0)
  return message
}

function follow(
  response: ServerResponse,
  caller: Caller,
  ids: readonly string[],
  { engine, streams }: Door,
): void {
  let full: string[]
  try {
    full = [...new Set(ids.map((id) => engine.get(caller, id).id))]
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    const status = error.code === 'E_ACCESSDENIED' ? 403 : 404
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(errorResponse(error))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const stream = new EventStream(engine, caller, full.length === 0 ? undefined : full, {
    get isFull() {
      return response.writableNeedDrain
    },
    write: (text) => {
      if (!response.writableEnded) response.write(text)
    },
  })
  response.on('drain', () => stream.drained())
  streams.add(response)
  response.once('close', () => {
    streams.delete(response)
    stream[Symbol.dispose]()
  })
}

/** Whether a message comes in a coding, which nobody needs on one machine (RFC 9110 §15.5.16). */
function isCoded({ headers }: IncomingMessage): boolean {
  const coding = headers['content-encoding'] ?? 'identity'
  return coding.toLowerCase() !== 'identity'
}

function tooLong(response: ServerResponse): void {
  refuse(response, 413, `Cannot read a message of more than ${MESSAGE_LIMIT} bytes`)
}

/** Names the method that there is (RFC 9110 §15.5.6). */
function refuseMethod(response: ServerResponse, allowed: string, sentence: string): void {
  response.setHeader('allow', allowed)
  refuse(response, 405, sentence)
}

/** What the client still sends is read and dropped, so that it comes to read why. */
function refuse(response: ServerResponse, status: number, sentence: string): void {
  const body = Buffer.from(`${sentence}\n`)
  const head = { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length }
  response.writeHead(status, head).end(body)
}
