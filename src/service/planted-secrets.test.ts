/** Secrets are planted in every place that takes one, and looked for in every place that is read. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test, type TestContext } from 'node:test'
import { currentWorld, findHome, type Home } from '../client/home.ts'
import type { MethodName, Methods } from '../rpc/contract.ts'
import { RefusedError, RpcClient, type Transport } from '../rpc/client.ts'
import { migrate, migrations } from '../store/migrations.ts'
import { compose } from './compose.ts'
import { embedTransport } from './embed-transport.ts'

/** Part of every secret here, and of nothing else. */
const planted = 'pLanTed'

/** Names that belong to secrets are to be found nowhere, either (A17, A141). */
const plantedName = 'aNnPlAnted'

/** The forms in which a secret may turn up. */
const forms: readonly string[] = [planted, plantedName].flatMap((text) => {
  const bytes = Buffer.from(text)
  // Base64 of a text within another depends on where in the other it stands; the middle of each form is enough.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${text}`)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  )
  return [text, bytes.toString('hex'), bytes.toString('utf16le'), ...base64]
})

const folder = mkdtempSync(join(tmpdir(), 'lull-looked-'))
after(() => rmSync(folder, { recursive: true }))

function isAnywhereIn(text: string): string | undefined {
  const lower = text.toLowerCase()
  return forms.find((form) => text.includes(form) || lower.includes(form.toLowerCase()))
}

/** Asserts that no file of a home has a secret in it; `latin1` keeps every byte. */
function assertClean(home: Home, when: string): void {
  const files = readdirSync(home.folder, { recursive: true, withFileTypes: true })
  for (const file of files.filter((each) => each.isFile())) {
    const path = join(file.parentPath, file.name)
    const found = isAnywhereIn(readFileSync(path, 'latin1'))
    assert.equal(found, undefined, `${when}: ${file.name}`)
  }
}

/** A queue as version 1 left it, with a header in clear. */
function oldQueue(home: Home): void {
  mkdirSync(home.folder, { recursive: true, mode: 0o700 })
  using database = new DatabaseSync(home.queue)
  migrate(database, migrations.slice(0, 1))
  const record = {
    type: 'download',
    displayName: 'old',
    description: '',
    patience: {
      minimumRetryDelayS: 600,
      noProgressTimeoutS: 0,
      maximumDownloadTimeS: 9,
      stallTimeoutMs: 9,
    },
    transfer: {
      headers: [['Authorization', `Bearer ${planted}`]],
      redirects: { follow: 'silent', allowHttpsToHttp: false },
      overwrite: false,
      contentDisposition: false,
    },
    completesItself: false,
    created: Date.now(),
    tally: {
      filesTotal: 0,
      filesTransferred: 0,
      filesSized: 0,
      bytesSized: 0,
      bytesTransferred: 0,
    },
    errorCount: 0,
    attempts: 0,
    noProgressMs: 0,
    bytesBest: 0,
    touched: false,
    activeMs: 0,
    ownerName: 'me',
    facts: {},
  }
  database
    .prepare(
      "INSERT INTO jobs (id, owner_id, priority, state, turn, modified, record) VALUES (?, ?, 'normal', 'suspended', 1, ?, ?)",
    )
    .run(
      '0ld00000-0000-4000-8000-000000000000',
      currentWorld().user,
      Date.now(),
      JSON.stringify(record),
    )
}

/** A server that lets one name in by Basic; what it was sent is its own. */
async function guardedServer(t: TestContext): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(JSON.stringify(request.headers))
    const proof = Buffer.from(`${plantedName}:${planted}`).toString('base64')
    if (request.headers.authorization === `Basic ${proof}`) response.end('the file')
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `127.0.0.1:${port}`, seen }
}

/** A transport that keeps what comes back. */
function recorded(transport: Transport, answers: string[]): Transport {
  return {
    async post(message) {
      const answer = await transport.post(message)
      answers.push(answer)
      return answer
    },
    events: (jobs, options) => transport.events(jobs, options),
  }
}

test('no secret is in the queue, its log, the service’s log, an answer or an event', async (t) => {
  const home = findHome({ ...currentWorld(), env: { LULL_HOME: join(folder, 'home') } })
  oldQueue(home)
  const { url, seen } = await guardedServer(t)
  const service = compose(home, { stopRequested: () => undefined })
  const ended = new AbortController()
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= service.stop())
  t.after(stop)
  const transport = embedTransport(service, ended.signal)
  const answers: string[] = []
  const client = new RpcClient(recorded(transport, answers))
  const events: string[] = []
  const watching = (async () => {
    for await (const piece of transport.events(undefined, { signal: ended.signal }))
      events.push(piece)
  })().catch(() => undefined)

  /** Calls what may be refused; the refusal is an answer like any other. */
  const call = async <Name extends MethodName>(method: Name, params: Methods[Name]['params']) => {
    try {
      return await client.call(method, params)
    } catch (error) {
      assert(error instanceof RefusedError, String(error))
      return undefined
    }
  }
  const reached = async (id: string, state: string): Promise<void> => {
    for await (const event of client.watch([id], { signal: ended.signal })) {
      if (event.kind === 'job' && event.job.state === state) return
    }
  }

  const password = { userName: plantedName, password: planted }
  const wrong = { userName: plantedName, password: `wrong ${planted}` }
  const target = (name: string) => join(folder, name)
  const job = await client.call('job.create', {
    displayName: 'with secrets',
    files: [{ remoteName: `http://${url}/a?b`, localName: target('a') }],
    headers: [['X-Api-Key', planted]],
    credentials: [
      { target: 'server', scheme: 'basic', credentials: wrong },
      { target: 'proxy', scheme: 'digest', credentials: password },
      { target: 'server', scheme: 'bearer', credentials: { kind: 'bearer', token: planted } },
    ],
    certificate: { certificateFile: join(folder, 'c.pem'), passphrase: planted },
    resume: false,
  })
  const { id } = job
  const byUrl = await client.call('job.create', {
    displayName: 'by URL',
    files: [
      { remoteName: `http://${plantedName}:${planted}@${url}/b`, localName: target('b') },
      { remoteName: `http://${plantedName}:${planted}@${url}/c`, localName: target('c') },
    ],
    resume: true,
  })
  assertClean(home, 'set')
  const remoteName = `http://${plantedName}:${planted}@${url}/ d`
  await call('job.addFiles', { id, files: [{ remoteName, localName: target('d') }] })
  await call('job.set', { id, headers: [['X\n', planted]] })
  const longer = { ...password, password: planted.repeat(10_000) }
  await call('job.setCredentials', { id, target: 'server', scheme: 'ntlm', credentials: longer })
  const damaged = { ...password, password: `BTAI1:${planted}` }
  await call('job.setCredentials', { id, target: 'server', scheme: 'ntlm', credentials: damaged })
  // What no contract knows is refused without being shown, too.
  const broken = [planted, [planted], { [planted]: 1 }, { kind: 'bearer', token: [planted] }]
  for (const credentials of broken) {
    const params = { id, target: 'server', scheme: 'basic', credentials }
    const message = { jsonrpc: '2.0', id: 1, method: 'job.setCredentials', params }
    answers.push(await transport.post(JSON.stringify(message)))
  }
  assert.equal((await call('job.removeClientCertificate', { id }))?.removed, true)
  await client.call('job.resume', { id })
  await reached(id, 'ERROR')
  await client.call('job.setCredentials', {
    id,
    target: 'server',
    scheme: 'basic',
    credentials: password,
  })
  await client.call('job.resume', { id })
  await reached(id, 'TRANSFERRED')
  await reached(byUrl.id, 'TRANSFERRED')
  assert.equal(
    seen.some((headers) => headers.includes('x-api-key')),
    true,
  )
  await client.call('job.listCredentials', { id })
  await client.call('job.files', { id: byUrl.id })
  await client.call('job.list', {})
  await client.call('vault.rotate', {})
  await client.call('job.removeCredentials', { id, target: 'proxy', scheme: 'digest' })
  assertClean(home, 'while it ran')
  await client.call('job.complete', { id })
  await client.call('job.cancel', { id: byUrl.id })
  ended.abort()
  await watching
  await stop()
  assertClean(home, 'in the end')
  assert(existsSync(join(home.folder, 'master.key')))
  // The tests of the test: what was looked through is not empty, and would have been found.
  assert(answers.length > 20 && events.length > 0)
  for (const text of [...answers, ...events]) {
    // The names of damaged parameters are told: they are what is wrong.
    if (!text.includes(`credentials.${planted}`)) assert.equal(isAnywhereIn(text), undefined, text)
  }
  assert.notEqual(isAnywhereIn(Buffer.from(`x${planted}y`).toString('base64')), undefined)
  assert.match(readFileSync(home.log, 'utf8'), /Credentials are missing or were refused/u)
})
