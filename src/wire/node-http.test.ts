/** Against Node's own HTTP: what it sends, we read as it reads it; what we send, it reads as we meant it. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer as createHttpServer,
  type IncomingMessage,
  request as openRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type Server,
  type Socket,
} from 'node:net'
import { suite, test } from 'node:test'

import * as fc from 'fast-check'

import type { Field } from './fields.ts'
import { decodeOctets, encodeOctets } from './octet.ts'
import { listOf } from './reading.suite.ts'
import { RequestReader } from './request-reader.ts'
import { ResponseReader } from './response-reader.ts'
import { formatChunk, formatLastChunk, formatRequest, formatResponse } from './write.ts'

/** A message as both sides may tell it. */
interface Told {
  readonly interim: readonly number[]
  readonly startLine: string
  readonly fields: readonly Field[]
  readonly body: string
  readonly trailers: readonly Field[]
}

/** A server of any kind on a port of its own, gone at the end of its scope. */
class Listening implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async on(server: Server): Promise<Listening> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Listening(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ('closeAllConnections' in this.#server) (this.#server.closeAllConnections as () => void)()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function pairs(raw: readonly string[]): readonly Field[] {
  return raw.flatMap((name, index): Field[] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [],
  )
}

async function textOf(message: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const bytes of message) text += decodeOctets(bytes)
  return text
}

/** What Node's client makes of an answer. */
async function tellByNode(
  options: RequestOptions,
  send: (request: ClientRequest) => void = (request) => request.end(),
): Promise<Told> {
  const outgoing = openRequest({ host: '127.0.0.1', ...options })
  const interim: number[] = []
  outgoing.on('information', ({ statusCode }: { statusCode: number }) => interim.push(statusCode))
  const answered = once(outgoing, 'response')
  send(outgoing)
  const [incoming] = (await answered) as [IncomingMessage]
  const body = await textOf(incoming)
  return {
    interim,
    startLine: `${incoming.httpVersion} ${incoming.statusCode} ${incoming.statusMessage}`,
    fields: pairs(incoming.rawHeaders),
    body,
    trailers: pairs(incoming.rawTrailers),
  }
}

/** What our reader makes of the answers on one connection to requests that were all sent at once. */
async function tellByReader(
  port: number,
  methods: readonly string[],
  bytes: Uint8Array,
): Promise<readonly Told[]> {
  const reader = new ResponseReader()
  for (const method of methods) reader.expect(method)
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  const told: Told[] = []
  let now = emptyTold
  const read = () => {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.kind === 'interim') now = { ...now, interim: [...now.interim, event.status] }
      if (event.kind === 'body') now = { ...now, body: now.body + decodeOctets(event.bytes) }
      if (event.kind === 'head') {
        const { version, status, reason, fields } = event.head
        now = { ...now, startLine: `${version} ${status} ${reason}`, fields: listOf(fields) }
      }
      if (event.kind === 'end') {
        told.push({ ...now, trailers: listOf(event.trailers) })
        now = emptyTold
      }
    }
  }
  for await (const piece of socket) {
    reader.push(piece)
    read()
    if (told.length === methods.length) break
  }
  if (told.length < methods.length) {
    reader.end()
    read()
  }
  socket.destroy()
  return told
}

const emptyTold: Told = { interim: [], startLine: '', fields: [], body: '', trailers: [] }
const long = 'abcdefghij'.repeat(100_000)

/** Answers by path; each is one way a server has of ending a body. */
const answers: Readonly<
  Record<string, (response: ServerResponse, request: IncomingMessage) => void>
> = {
  '/length': (response) => response.setHeader('Content-Length', 5).end('hello'),
  '/empty': (response) => response.setHeader('Content-Length', 0).end(),
  '/long': (response) => response.setHeader('Content-Length', long.length).end(long),
  '/chunked': (response) => {
    response.write('hello')
    response.write(long)
    response.end('!')
  },
  '/chunked-empty': (response) => {
    response.flushHeaders()
    response.end()
  },
  '/trailers': (response, { method }) => {
    if (method === 'GET') response.setHeader('Trailer', 'X-Digest')
    response.write('hello')
    response.addTrailers({ 'X-Digest': 'abc', 'x-other': 'caf\xe9' })
    response.end()
  },
  '/close': (response) => {
    response.useChunkedEncodingByDefault = false
    response.write('hello')
    response.end(long)
  },
  '/204': (response) => response.writeHead(204).end(),
  '/304': (response) => response.writeHead(304, { ETag: '"x"', 'Content-Length': '5' }).end(),
  '/reason': (response) => response.writeHead(418, 'Short and stout').end('x'),
  '/fields': (response) => {
    response.setHeader('Set-Cookie', ['a=b', 'c=d'])
    response.setHeader('X-Latin', 'caf\xe9')
    response.setHeader('X-Empty', '')
    response.end('x')
  },
  '/hints': (response) => {
    response.writeProcessing()
    response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.end('x'))
  },
}

function nodeServer() {
  const server = createHttpServer((request, response) => {
    response.sendDate = false
    answers[request.url ?? '']?.(response, request)
  })
  return Listening.on(server)
}

const host: Field = ['Host', '127.0.0.1']

suite("ResponseReader reads what Node's server sends as Node's client does", () => {
  for (const path of Object.keys(answers)) {
    for (const method of ['GET', 'HEAD']) {
      test(`${method} ${path}`, async () => {
        await using server = await nodeServer()
        const agent = new Agent({ keepAlive: true })
        const byNode = await tellByNode({ port: server.port, path, method, agent })
        agent.destroy()
        const fields: Field[] = [host, ['Connection', 'keep-alive']]
        const bytes = formatRequest({ method, target: path, fields })
        assert.deepEqual(await tellByReader(server.port, [method], bytes), [byNode])
      })
    }
  }

  test('a pipeline of all of them', async () => {
    await using server = await nodeServer()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const paths = Object.keys(answers).filter((path) => path !== '/close')
    const byNode: Told[] = []
    for (const path of paths) byNode.push(await tellByNode({ port: server.port, path, agent }))
    agent.destroy()
    const fields: Field[] = [host, ['Connection', 'keep-alive']]
    const text = paths
      .map((target) => decodeOctets(formatRequest({ method: 'GET', target, fields })))
      .join('')
    const methods = paths.map(() => 'GET')
    assert.deepEqual(await tellByReader(server.port, methods, encodeOctets(text)), byNode)
  })
})

test("ResponseReader reads any formatted response as Node's client does", async () => {
  let answer: readonly Uint8Array[] = []
  const raw = createNetServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      for (const piece of answer) socket.write(piece)
      socket.end()
    })
  })
  await using server = await Listening.on(raw)
  const bytes = formatRequest({ method: 'GET', target: '/', fields: [host] })
  await fc.assert(
    fc.asyncProperty(responses, async ({ status, reason, fields, chunks, trailers }) => {
      const all: Field[] = [...fields, ['Transfer-Encoding', 'chunked']]
      answer = [
        formatResponse({ status, reason, fields: all }),
        ...chunks.flatMap((chunk) => formatChunk(encodeOctets(chunk))),
        formatLastChunk(trailers),
      ]
      const body = chunks.join('')
      const meant = {
        interim: [],
        startLine: `1.1 ${status} ${reason}`,
        fields: all,
        body,
        trailers,
      }
      assert.deepEqual(await tellByReader(server.port, ['GET'], bytes), [meant])
      assert.deepEqual(await tellByNode({ port: server.port, agent: false }), meant)
    }),
    { numRuns: 40 },
  )
})

const characters = fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code))
const words = fc
  .string({ unit: characters, maxLength: 12 })
  .map((text) => text.replaceAll('\x7f', ''))
const fieldLists = fc.array(
  fc.tuple(
    fc.stringMatching(/^X-[A-Za-z]{1,8}$/),
    fc.tuple(words, words).map((both) => both.join(' ').trim()),
  ),
  { maxLength: 4 },
)
const responses = fc.record({
  status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
  reason: fc.stringMatching(/^[!-~]{0,10}$/),
  fields: fieldLists,
  chunks: fc.array(fc.string({ unit: characters, minLength: 1, maxLength: 30 }), { maxLength: 3 }),
  trailers: fieldLists,
})

test("formatRequest() is read by Node's server as it was meant", async () => {
  let told: Told | undefined
  const node = createHttpServer((request, response) => {
    void textOf(request).then((body) => {
      told = {
        interim: [],
        startLine: `${request.method} ${request.url} ${request.httpVersion}`,
        fields: pairs(request.rawHeaders),
        body,
        trailers: pairs(request.rawTrailers),
      }
      response.end()
    })
  })
  await using server = await Listening.on(node)
  const requests = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'PROPFIND', 'M-SEARCH'),
    target: fc.stringMatching(/^\/[!-~]{0,20}$/),
    fields: fieldLists,
    chunks: fc.array(fc.string({ unit: characters, minLength: 1, maxLength: 30 }), {
      maxLength: 3,
    }),
    trailers: fieldLists,
  })
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, target, fields, chunks, trailers }) => {
      const all: Field[] = [host, ...fields, ['Transfer-Encoding', 'chunked']]
      const pieces = [
        formatRequest({ method, target, fields: all }),
        ...chunks.flatMap((chunk) => formatChunk(encodeOctets(chunk))),
        formatLastChunk(trailers),
      ]
      await tellByReader(server.port, [method], new Uint8Array(Buffer.concat(pieces)))
      const startLine = `${method} ${target} 1.1`
      assert.deepEqual(told, {
        interim: [],
        startLine,
        fields: all,
        body: chunks.join(''),
        trailers,
      })
    }),
    { numRuns: 40 },
  )
})

/** A server made of our reader: tells what it read, asks for a body that is held back, and answers. */
function readerServer(told: Told[]) {
  const serve = async (socket: Socket) => {
    const reader = new RequestReader()
    let now = emptyTold
    for await (const piece of socket) {
      reader.push(piece as Uint8Array)
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === 'head') {
          const { method, target, version, fields, expectContinue } = event.head
          now = { ...now, startLine: `${method} ${target} ${version}`, fields: listOf(fields) }
          if (expectContinue) socket.write(formatResponse({ status: 100, fields: [] }))
        }
        if (event.kind === 'body') now = { ...now, body: now.body + decodeOctets(event.bytes) }
        if (event.kind === 'end') {
          told.push({ ...now, trailers: listOf(event.trailers) })
          now = emptyTold
          const fields: Field[] = [['Content-Length', '2']]
          socket.write(formatResponse({ status: 200, reason: 'Fine', fields }))
          socket.write('ok')
        }
      }
    }
  }
  return Listening.on(createNetServer((socket) => void serve(socket).catch(() => socket.destroy())))
}

suite("RequestReader reads what Node's client sends", () => {
  const [, Host] = host
  const keep: Field = ['Connection', 'keep-alive']
  const rows: readonly (readonly [
    what: string,
    options: RequestOptions,
    send: (outgoing: ClientRequest) => void,
    told: Omit<Told, 'interim'>,
    interim?: readonly number[],
  ])[] = [
    [
      'GET',
      { path: '/a?b', headers: { Host, 'X-Latin': 'caf\xe9' } },
      (outgoing) => outgoing.end(),
      {
        startLine: 'GET /a?b 1.1',
        fields: [host, ['X-Latin', 'caf\xe9'], keep],
        body: '',
        trailers: [],
      },
    ],
    [
      'a body with a length',
      { method: 'PUT', headers: { Host, 'Content-Length': long.length } },
      (outgoing) => outgoing.end(long),
      {
        startLine: 'PUT / 1.1',
        fields: [host, ['Content-Length', `${long.length}`], keep],
        body: long,
        trailers: [],
      },
    ],
    [
      'a chunked body with trailers',
      { method: 'POST', headers: { Host, Trailer: 'X-T' } },
      (outgoing) => {
        outgoing.write('hello')
        outgoing.write(long)
        outgoing.addTrailers({ 'X-T': 'u' })
        outgoing.end()
      },
      {
        startLine: 'POST / 1.1',
        fields: [host, ['Trailer', 'X-T'], keep, ['Transfer-Encoding', 'chunked']],
        body: `hello${long}`,
        trailers: [['X-T', 'u']],
      },
    ],
    [
      'a body that is held back until 100',
      { method: 'POST', headers: { Host, Expect: '100-continue', 'Content-Length': 5 } },
      (outgoing) => {
        outgoing.flushHeaders()
        outgoing.once('continue', () => outgoing.end('hello'))
      },
      {
        startLine: 'POST / 1.1',
        fields: [host, ['Expect', '100-continue'], ['Content-Length', '5'], keep],
        body: 'hello',
        trailers: [],
      },
      [100],
    ],
  ]
  for (const [what, options, send, meant, interim = []] of rows) {
    test(what, async () => {
      const told: Told[] = []
      await using server = await readerServer(told)
      const agent = new Agent({ keepAlive: true })
      const answer = await tellByNode(
        { ...options, port: server.port, agent, setHost: false },
        send,
      )
      agent.destroy()
      assert.deepEqual(told, [{ ...meant, interim: [] }])
      assert.deepEqual(answer, {
        interim,
        startLine: '1.1 200 Fine',
        fields: [['Content-Length', '2']],
        body: 'ok',
        trailers: [],
      })
    })
  }
})
