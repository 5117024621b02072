/** Clients that are not ours: programs in other languages, and some that mean no good. None of them harms the service. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { LullHome, resultOf, until } from '../lab/lull.ts'

const home = new LullHome()
const socketPath = join(home.home, 'lull.sock')

/** Whatever a client does: the same process answers, and has no defect to tell of. */
let pid: number | undefined

before(async () => {
  await (await home.manager()).createJob('always there')
  pid = home.servicePid
})
after(() => home[Symbol.asyncDispose]())

afterEach(async () => {
  assert.equal((await (await home.manager()).getStatus()).pid, pid)
  const log = readFileSync(join(home.home, 'lull.log'), 'utf8')
  assert(!/defect/u.test(log), log)
})

/** Sends bytes and reads what comes until the service closes the connection. */
async function talk(text: string | Buffer, { end = false } = {}): Promise<string> {
  const socket = connect(socketPath)
  if (end) socket.end(text)
  else socket.write(text)
  return heard(socket)
}

async function heard(socket: Socket): Promise<string> {
  let answer = ''
  socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece))
  // A connection that is cut has said what it had to say.
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

function post(body: string, close = true): string {
  const connection = close ? 'connection: close\r\n' : ''
  return `POST /rpc HTTP/1.1\r\nhost: lull\r\n${connection}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function call(method: string, params: unknown = {}, id: unknown = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

/** The body of the answer. */
function bodyOf(answer: string): unknown {
  const text = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  return JSON.parse(text)
}

const curl = spawnSync('curl', ['--version']).status === 0

async function ask(...args: readonly string[]): Promise<string> {
  const words = ['-sS', '--unix-socket', socketPath, ...args]
  const { stdout, stderr } = await resultOf(
    spawn('curl', words, { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  return stdout + stderr
}

/** A batch of so many calls that are all refused. */
function batch(length: number): string {
  return `[${Array.from({ length }, () => call('job.get', { id: 'z' })).join(',')}]`
}

suite('curl --unix-socket', { skip: !curl && 'curl is not installed' }, () => {
  test('makes calls, batches and notifications', async () => {
    const one = JSON.parse(await ask('http://lull/rpc', '-d', call('service.status')))
    assert.equal(one.result.pid, pid)
    const several = `[${call('job.create', { displayName: 'a' }, 'x')},${call('job.get', { id: 'zz' }, 2)},${call('job.list', {}, null)}]`
    const many = JSON.parse(await ask('http://lull/rpc', '-d', several))
    assert.deepEqual(
      many.map(({ id, error }: { id: unknown; error?: { data: { symbol: string } } }) => [
        id,
        error?.data.symbol,
      ]),
      [
        ['x', undefined],
        [2, 'BG_E_NOT_FOUND'],
        [null, undefined],
      ],
    )
    const notification = JSON.stringify({ jsonrpc: '2.0', method: 'job.list' })
    const silent = await ask('http://lull/rpc', '-d', notification, '-w', '%{http_code}')
    assert.equal(silent, '204')
  })

  test('sends as many calls as a batch may have, and not one more', async () => {
    const child = spawn('curl', ['-sS', '--unix-socket', socketPath, 'http://lull/rpc', '-d', '@-'])
    child.stdin.end(batch(10_000))
    assert.equal(JSON.parse((await resultOf(child)).stdout).length, 10_000)
    const refused = spawn('curl', [
      '-sS',
      '--unix-socket',
      socketPath,
      'http://lull/rpc',
      '-d',
      '@-',
    ])
    refused.stdin.end(batch(10_001))
    assert.match((await resultOf(refused)).stdout, /-32600/u)
  })

  test('follows events, and is told of an unknown job as by a call', async () => {
    const refused = JSON.parse(await ask('http://lull/events?job=zz'))
    assert.equal(refused.error.data.symbol, 'BG_E_NOT_FOUND')
    const { id } = await (await home.manager()).createJob('followed by curl')
    const child = spawn('curl', [
      '-sSN',
      '--unix-socket',
      socketPath,
      `http://lull/events?job=${id}`,
    ])
    let seen = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text))
    await until(() => seen.includes('SUSPENDED'), 'the job as it is')
    await (await (await home.manager()).getJob(id)).cancel()
    await until(() => seen.includes('CANCELLED'), 'its end')
    assert.match(seen, /^event: job\ndata: \{"kind":"job","job":\{/u)
    child.kill()
    await once(child, 'close')
  })
})

suite('messages that are none', () => {
  const rows: readonly (readonly [what: string, body: string, code: number])[] = [
    ['nothing', '', -32_700],
    ['no JSON', '{"jsonrpc"', -32_700],
    ['a lone surrogate and NUL', '"\\ud800\\u0000', -32_700],
    ['a number', '7', -32_600],
    ['null', 'null', -32_600],
    ['no call at all', '[]', -32_600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"job.list"}', -32_600],
    ['an id that is none', '{"jsonrpc":"2.0","id":{},"method":"job.list"}', -32_600],
    ['an id that would be rounded', call('job.list', {}, 2 ** 60), -32_600],
    ['an id beyond all numbers', '{"jsonrpc":"2.0","id":1e400,"method":"job.list"}', -32_600],
    ['parameters that are null', call('job.list', null), -32_600],
    ['parameters that are a text', call('job.list', 'all'), -32_600],
    ['a notification of a number', '{"jsonrpc":"2.0","method":"job.list","params":1}', -32_600],
    ['an unknown method', call('job.explode'), -32_601],
    ['a method of every object', call('toString'), -32_601],
    ['a prototype', call('__proto__'), -32_601],
    ['parameters in a list', call('job.get', ['a']), -32_602],
    ['a parameter too many', call('job.get', { id: 'a', really: true }), -32_602],
    ['a parameter of another type', call('job.get', { id: 7 }), -32_602],
    ['a parameter where there is none', call('service.status', { id: 'a' }), -32_602],
    [
      'a file of a name that no disk can have',
      '{"jsonrpc":"2.0","id":1,"method":"job.create","params":{"displayName":"x","files":[{"remoteName":"http://a/","localName":"/\\ud800"}]}}',
      -32_602,
    ],
    [
      'authorities beside the service',
      call('job.create', { displayName: 'x', caFile: 'ca.pem' }),
      -32_000,
    ],
    [
      'a prototype as a parameter',
      '{"jsonrpc":"2.0","id":1,"method":"job.get","params":{"__proto__":{"id":"a"}}}',
      -32_602,
    ],
    ['a page of nothing', call('job.list', { limit: 0 }), -32_602],
    ['a page of everything', call('job.list', { limit: 1e9 }), -32_602],
    ['a page from nowhere', call('job.list', { after: 1e300 }), -32_602],
    ['deep nesting', '['.repeat(100_000), -32_700],
  ]
  for (const [what, body, code] of rows) {
    test(`${what} is answered with ${code}`, async () => {
      const { error } = bodyOf(await talk(post(body))) as { error: { code: number } }
      assert.equal(error.code, code)
    })
  }

  test('nesting that is well-formed is answered too', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
    const answers = bodyOf(await talk(post(deep))) as readonly { error: { code: number } }[]
    assert.equal(answers[0]?.error.code, -32_600)
  })
})

/** The head of a message that is to be sent if it may be. */
function asking(length: number): string {
  return `POST /rpc HTTP/1.1\r\nhost: lull\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`
}

suite('HTTP that is wrong', () => {
  test('a message that is no UTF-8 is not taken for one', async () => {
    const message = call('job.create', { displayName: 'caf\u00e9' }, 'latin1')
    const bytes = Buffer.from(message, 'latin1')
    const head = `POST /rpc HTTP/1.1\r\nhost: lull\r\nconnection: close\r\ncontent-length: ${bytes.length}\r\n\r\n`
    const { error, id } = bodyOf(await talk(Buffer.concat([Buffer.from(head), bytes]))) as {
      error: { code: number }
      id: unknown
    }
    assert.deepEqual([error.code, id], [-32_700, null])
  })

  test('a refusal can be read whatever else is being sent, and the connection goes on', async () => {
    const body = ' '.repeat(1024 * 1024)
    const misled = post(body, false).replace('/rpc', '/other')
    const answers = await talk(misled + post(call('service.status')))
    assert.match(answers, /^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 200 [\s\S]*"pid"/u)
  })

  test('a wrong method is told which one there is', async () => {
    assert.match(
      await talk('PUT /rpc HTTP/1.0\r\n\r\n'),
      /^HTTP\/1\.1 405 [\s\S]*\nallow: POST\r/iu,
    )
    assert.match(await talk('PUT /events HTTP/1.0\r\n\r\n'), /\nallow: GET\r/iu)
  })

  test('who asks before sending is told to go on, or not to send what is too long', async () => {
    assert.match(await talk(asking(2 ** 30)), /^HTTP\/1\.1 413 /u)
    const body = call('service.status')
    const answer = await talk(asking(body.length) + body)
    assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/u)
  })

  const rows: readonly (readonly [what: string, text: string, status: number])[] = [
    ['another path', 'GET / HTTP/1.1\r\nhost: lull\r\n\r\n', 404],
    ['a path that is none', 'GET // HTTP/1.1\r\nhost: lull\r\n\r\n', 400],
    ['a path that leads up', 'GET /../../etc/passwd HTTP/1.1\r\nhost: lull\r\n\r\n', 404],
    ['events of something else', 'GET /events?jobs=a HTTP/1.1\r\nhost: lull\r\n\r\n', 400],
    ['GET of a call', 'GET /rpc HTTP/1.1\r\nhost: lull\r\n\r\n', 405],
    ['POST of events', 'POST /events HTTP/1.1\r\nhost: lull\r\ncontent-length: 0\r\n\r\n', 405],
    [
      'a message that is compressed',
      'POST /rpc HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}',
      415,
    ],
    ['DELETE', 'DELETE /rpc HTTP/1.1\r\nhost: lull\r\n\r\n', 405],
    ['no HTTP', 'hello\r\n\r\n', 400],
    [
      'two lengths',
      'POST /rpc HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
      400,
    ],
  ]
  for (const [what, text, status] of rows) {
    test(`${what} is answered with ${status}`, async () => {
      assert.match(await talk(text, { end: true }), new RegExp(`^HTTP/1.1 ${status} `, 'u'))
    })
  }

  test('a head without an end is cut', async () => {
    const answer = await talk(`GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`)
    assert(answer === '' || answer.startsWith('HTTP/1.1 431 '), answer)
  })

  test('a message longer than 64 MiB is refused, and its sender can read why', async () => {
    const length = 65 * 1024 * 1024
    const socket = connect(socketPath)
    socket.write(`POST /rpc HTTP/1.1\r\nhost: lull\r\ncontent-length: ${length}\r\n\r\n`)
    const answer = heard(socket)
    socket.write(Buffer.alloc(length, ' '))
    assert.match(await answer, /^HTTP\/1.1 413 [\s\S]*more than 67108864 bytes/u)
  })

  test('requests on one connection without waiting are answered in order', async () => {
    const requests = [1, 2, 3].map((id) => post(call('service.status', {}, id), id === 3))
    const answers = await talk(requests.join(''))
    assert.deepEqual(
      [...answers.matchAll(/"id":(\d)/gu)].map(([, id]) => id),
      ['1', '2', '3'],
    )
  })

  test('a client that closes its half still gets its answer', async () => {
    const { result } = bodyOf(await talk(post(call('service.status')), { end: true })) as {
      result: { pid: number }
    }
    assert.equal(result.pid, pid)
  })

  test('clients that say half a request and leave are forgotten', async () => {
    const whole = post(call('job.create', { displayName: 'never' }))
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const socket = connect(socketPath)
        await once(socket, 'connect')
        socket.write(whole.slice(0, 1 + index * 3))
        socket.on('error', () => undefined)
        socket.destroy()
        await new Promise((resolve) => socket.once('close', resolve))
      }),
    )
    const names = (await home.jobs()).map(({ displayName }) => displayName)
    assert(!names.includes('never'))
  })

  test('two hundred clients that say one byte and wait keep nobody else waiting', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = connect(socketPath)
        await once(socket, 'connect')
        socket.write('P')
        return socket
      }),
    )
    assert.equal((await (await home.manager()).getStatus()).pid, pid)
    for (const socket of sockets) socket.destroy()
  })

  test('a watcher that never reads costs the others nothing', async () => {
    const deaf = connect(socketPath)
    deaf.pause()
    deaf.write('GET /events HTTP/1.1\r\nhost: lull\r\n\r\n')
    await once(deaf, 'connect')
    const manager = await home.manager()
    const jobs = await manager.createJobs(
      Array.from({ length: 500 }, (_, index) => ({
        displayName: `deaf ${index}`,
        description: 'z'.repeat(1_000),
      })),
    )
    for (const job of jobs.slice(0, 100)) await job.setPriority('high')
    assert.equal((await jobs[99]?.getView())?.priority, 'high')
    deaf.destroy()
  })
})
