/** What a service that has nothing to do still knows of the secrets it was given: nothing, in its whole heap. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { MethodName, Methods } from '../../src/rpc/contract.ts'
import { LullHome, until } from '../lab/lull.ts'

const home = new LullHome()
after(() => home[Symbol.asyncDispose]())

/** Part of every secret here. */
const planted = 'pLanTed'

/** What every service knows: shows that the heap was searched. */
const known = 'job.setHelperTokenFlags'

/** Makes one call as any program would. */
async function call<Name extends MethodName>(
  method: Name,
  params: Methods[Name]['params'],
): Promise<Methods[Name]['result']> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const socketPath = join(home.home, 'lull.sock')
  const asked = request({ socketPath, method: 'POST', path: '/rpc', agent: false })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>]
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  const { result, error } = JSON.parse(Buffer.concat(pieces).toString()) as {
    result: Methods[Name]['result']
    error?: { message: string }
  }
  assert.equal(error, undefined, error?.message)
  return result
}

/** How often each of these stands in a file. */
async function count(path: string, words: readonly string[]): Promise<readonly number[]> {
  const counts = words.map(() => 0)
  let rest = ''
  for await (const piece of createReadStream(path, 'latin1')) {
    const text = rest + String(piece)
    for (const [index, word] of words.entries()) {
      counts[index] = (counts[index] ?? 0) + text.split(word).length - 1
    }
    // No word is longer, and none is counted twice.
    rest = text.slice(-Math.min(...words.map(({ length }) => length)) + 1)
  }
  return counts
}

test(
  'the heap of an idle service holds no secret',
  { skip: process.platform === 'win32' ? 'there are no signals to ask for a snapshot' : false },
  async (t) => {
    const server = createServer((asked, answer) => {
      const isProven = asked.headers.authorization !== undefined
      answer.writeHead(isProven ? 200 : 401, { 'www-authenticate': 'Basic realm="here"' }).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo

    const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${home.folder}`
    const started = await home.run(['jobs'], { env: { NODE_OPTIONS: options } })
    assert.equal(started.status, 0, started.stderr)
    const credentials = { userName: `${planted} name`, password: `${planted} password` }
    const { id } = await call('job.create', {
      displayName: 'with secrets',
      files: [
        { remoteName: `http://127.0.0.1:${port}/a`, localName: home.path('a') },
        {
          remoteName: `http://${planted}:${planted}@127.0.0.1:${port}/b`,
          localName: home.path('b'),
        },
      ],
      headers: [['X-Key', planted]],
      credentials: [
        { target: 'server', scheme: 'basic', credentials },
        { target: 'proxy', scheme: 'ntlm', credentials },
        { target: 'server', scheme: 'bearer', credentials: { kind: 'bearer', token: planted } },
      ],
      certificate: { certificateFile: home.path('c.pem'), passphrase: planted },
    })
    await call('job.removeClientCertificate', { id })
    await call('job.setCredentials', { id, target: 'server', scheme: 'digest', credentials })
    await call('job.resume', { id })
    await until(
      async () => (await call('job.get', { id })).state === 'TRANSFERRED',
      'everything is transferred',
    )
    await call('service.status', {})
    const { servicePid } = home
    assert(servicePid !== undefined)
    process.kill(servicePid, 'SIGUSR2')
    const snapshot = () => readdirSync(home.folder).find((name) => name.endsWith('.heapsnapshot'))
    await until(() => snapshot() !== undefined, 'the snapshot begins')
    // The service answers again when it is written.
    await call('service.status', {})
    const path = join(home.folder, snapshot() ?? '')
    assert(existsSync(path))
    const [secrets, others] = await count(path, [planted, known])
    assert(others !== undefined && others > 0)
    assert.equal(secrets, 0)
  },
)
