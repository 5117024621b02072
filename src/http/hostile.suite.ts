/** A server that answers any request with anything, and remembers everything that it was told. */

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** One request as the server read it. */
export interface Heard {
  readonly connection: number
  readonly line: string
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>
  /** Octets of the body that came before the answer. */
  readonly body: string
}

/** What is done about one request: octets to send, and what becomes of the connection. */
export interface Move {
  readonly say: string
  /** Absent: the next request is waited for. */
  readonly end?: 'close' | 'reset' | undefined
}

/** The server. */
export interface HostileServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly port: number
  readonly heard: readonly Heard[]
  /** What came where a request line had to be. */
  readonly nonsense: readonly string[]
  /** Resolves with the next connection. */
  connection(): Promise<Socket>
}

/** Begins to serve; stops after the test. @param next decides about each request, whichever connection it comes on */
export async function hostile(
  t: Pick<TestContext, 'after'>,
  next: (heard: Heard) => Move,
): Promise<HostileServer & AsyncDisposable> {
  const heard: Heard[] = []
  const nonsense: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let text = ''
    let due: { readonly request: Heard; readonly length: number } | undefined
    const act = (request: Heard): void => {
      heard.push(request)
      const { say, end } = next(request)
      if (say !== '') socket.write(Buffer.from(say, 'latin1'))
      if (end === 'close') socket.end()
      if (end === 'reset') socket.resetAndDestroy()
    }
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (;;) {
        if (due !== undefined) {
          if (text.length < due.length) return
          const { request, length } = due
          due = undefined
          const body = text.slice(0, length)
          text = text.slice(length)
          act({ ...request, body })
          continue
        }
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) return
        const [line = '', ...lines] = text.slice(0, end).split('\r\n')
        text = text.slice(end + 4)
        if (!/^[A-Z]+ \S+ HTTP\/1\.1$/u.test(line)) nonsense.push(line)
        const fields = new Map(lines.map(splitField))
        const length = Number(fields.get('content-length') ?? 0)
        const request = { connection, line, fields, body: '' }
        if (length === 0) act(request)
        else {
          due = { request, length }
          if (fields.has('expect')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        }
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = async (): Promise<Socket> => {
    const [socket] = (await once(server, 'connection')) as [Socket] // What the event of that name comes with.
    return socket
  }
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  t.after(stop)
  const { port } = server.address() as AddressInfo // A TCP server's address is of this kind.
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    heard,
    nonsense,
    connection,
    [Symbol.asyncDispose]: stop,
  }
}

function splitField(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

/** A whole response with a length. */
export function answer(status: number, fields: readonly string[] = [], body = ''): string {
  const lines = fields.map((field) => `${field}\r\n`).join('')
  return `HTTP/1.1 ${status} X\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`
}
