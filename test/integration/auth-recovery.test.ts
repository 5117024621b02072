/** Proofs that fail in the middle of a file, and what of it is kept: jobs against servers that change their minds. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import {
  AuthIdentity,
  encodeAuthIdentityAsStrings,
  type BackgroundCopyJob,
  type BackgroundCopyManager,
  type JobCredentialPair,
  type JobOptions,
} from 'lull'
import type { Acceptor } from '../../src/auth/acceptor.ts'
import { basicAcceptor } from '../../src/auth/basic-server.ts'
import { bearerAcceptor, TokenIssuer } from '../../src/auth/bearer-server.ts'
import { acceptNtlm, ntlmAcceptor } from '../../src/auth/ntlm/ntlm-server.ts'
import { computeNtHash } from '../../src/auth/ntlm/password-keys.ts'
import { Secret } from '../../src/auth/secret.ts'
import { mechanismIds } from '../../src/auth/spnego/mechanism-ids.ts'
import { negotiateAcceptor } from '../../src/auth/spnego/negotiate-server.ts'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { guardedProxy } from '../../src/http/guarded-proxy.suite.ts'
import { guarded, guards, realWorld, user, type Guard } from '../../src/http/guarded.suite.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'

/** More than fits into the buffers between two sockets, and not the same twice. */
const content = Buffer.from(Array.from({ length: 400_000 }, (_, place) => (place * 7919) >> 3))

/** What comes before the connection is cut. */
const CUT_AFTER_BYTES = 150_000

/** How the password of the one user is asked for. */
type Door = (password: string) => Guard

/** An acceptor for each connection. */
function perConnection(open: () => Acceptor): Guard {
  const known = new WeakMap<object, Acceptor>()
  return (connection) => {
    const acceptor = known.get(connection) ?? open()
    known.set(connection, acceptor)
    return acceptor
  }
}

function ntlmOf(password: string) {
  return {
    names: {
      nbDomainName: 'LAB',
      nbComputerName: 'SRV',
      dnsDomainName: 'lab.test',
      dnsComputerName: 'srv.lab.test',
    },
    ntHashOf: (name: string) =>
      name === user.name ? computeNtHash(new TextEncoder().encode(password)) : undefined,
    accepts: ['v2'],
    hasTimestamp: true,
    hasSessionSecurity: true,
    bindingPolicy: 'ignore',
  } as const
}

const doors = {
  basic: (password) => {
    const acceptor = basicAcceptor({
      realm: 'r',
      check: (name, word) => name === user.name && Buffer.from(word).toString() === password,
    })
    return () => acceptor
  },
  digest: (password) => guards.digest({ users: new Map([[user.name, Secret.fromText(password)]]) }),
  ntlm: (password) => perConnection(() => ntlmAcceptor(ntlmOf(password), realWorld)),
  negotiate: (password) =>
    perConnection(() =>
      negotiateAcceptor({
        persists: true,
        mechanisms: [
          { id: mechanismIds.ntlm, open: () => acceptNtlm(ntlmOf(password), realWorld) },
        ],
      }),
    ),
} as const satisfies Readonly<Record<string, Door>>

/** Serves the content with its ranges, and cuts the first answer off. */
function cutting(ranges: string[]): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const { range } = request.headers
    ranges.push(range ?? 'all')
    const start = Number(/^bytes=(\d+)-$/u.exec(range ?? '')?.[1] ?? 0)
    response.setHeader('ETag', '"v"')
    response.setHeader('Content-Length', content.length - start)
    if (range !== undefined) {
      response.statusCode = 206
      response.setHeader('Content-Range', `bytes ${start}-${content.length - 1}/${content.length}`)
    }
    if (ranges.length > 1) response.end(content.subarray(start))
    else {
      response.write(content.subarray(0, CUT_AFTER_BYTES), () => {
        response.socket?.end(() => response.socket?.destroy())
      })
    }
  }
}

function pairOf(
  target: 'server' | 'proxy',
  scheme: keyof typeof doors,
  password: string,
): JobCredentialPair {
  return { target, scheme, credentials: { userName: user.name, password } }
}

/** That the job stands where its bytes are, and goes on from there once it has the new password. */
async function assertGoesOn(
  { job, target }: { readonly job: BackgroundCopyJob; readonly target: string },
  symbol: string,
  pair: JobCredentialPair,
  ranges: readonly string[],
): Promise<void> {
  const refused = await settle(job, { nudges: 1 })
  assert.deepEqual([refused.state, refused.error?.symbol], ['ERROR', symbol])
  assert(refused.bytesTransferred > 0)
  // What is awaited is a person, and no time.
  assert.equal(refused.retryAt, null)
  await job.setCredentials(pair)
  await job.resume()
  assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
  assert(readFileSync(target).equals(content))
  assert.match(ranges.at(-1) ?? '', /^bytes=[1-9]\d*-$/u)
}

suite('proofs that fail in the middle of a job', () => {
  let home: LullHome
  let manager: BackgroundCopyManager
  let jobs = 0

  before(async () => {
    home = new LullHome({ config: { backgroundJobs: 100 } })
    manager = await home.manager()
  })
  after(() => home[Symbol.asyncDispose]())

  async function begin(
    url: string,
    options: Partial<JobOptions>,
  ): Promise<{ readonly job: BackgroundCopyJob; readonly target: string }> {
    const target = home.path(`file-${++jobs}`)
    const job = await manager.createJob(`job ${jobs}`, {
      files: [{ remoteName: url, localName: target }],
      proxy: { usage: 'noProxy' },
      completesItself: true,
      resume: true,
      ...options,
    })
    return { job, target }
  }

  // The names of the table are its own.
  for (const scheme of Object.keys(doors) as (keyof typeof doors)[]) {
    test(`${scheme}: a server that wants another password gets it, and sends the rest only (A130, A132, A140)`, async (t) => {
      let door: Guard = doors[scheme]('first')
      const ranges: string[] = []
      const serve = cutting(ranges)
      const server = await guarded(t, [(connection) => door(connection)], {
        serve: (request, response) => {
          door = doors[scheme]('second')
          serve(request, response)
        },
      })
      const credentials = [pairOf('server', scheme, 'first')]
      const begun = await begin(`${server.url}/f`, { credentials })
      const pair = pairOf('server', scheme, 'second')
      await assertGoesOn(begun, 'BG_E_HTTP_ERROR_401', pair, ranges)
    })

    test(`${scheme}: a proxy that wants another password gets it, and the rest comes (A131, A132, A140)`, async (t) => {
      let door: Guard = doors[scheme]('first')
      const ranges: string[] = []
      const serve = cutting(ranges)
      const server = await guarded(t, [], {
        serve: (request, response) => {
          door = doors[scheme]('second')
          serve(request, response)
        },
      })
      const { proxy } = await guardedProxy(t, (connection) => door(connection))
      const begun = await begin(`${server.url}/f`, {
        credentials: [pairOf('proxy', scheme, 'first')],
        proxy: { usage: 'override', list: `127.0.0.1:${proxy.port}`, bypass: '<-loopback>' },
      })
      const pair = pairOf('proxy', scheme, 'second')
      await assertGoesOn(begun, 'BG_E_HTTP_ERROR_407', pair, ranges)
    })
  }

  test(
    'a token that is over in the middle of a file is fetched anew, and the rest comes (RFC 6749)',
    { skip: needsOpenssl },
    async (t) => {
      const authority = new Authority(t)
      const certificate = authority.issue()
      const clients = new Map([['mirror', Secret.fromText('a client secret')]])
      let now = Date.now()
      const world = { ...realWorld, clock: { now: () => now } }
      const issuer = new TokenIssuer({ clients, lifetimeS: 3_600 }, world)
      const endpoint = await secure(t, certificate, (request, response) => {
        void (async () => {
          const pieces: Buffer[] = []
          for await (const piece of request) pieces.push(piece as Buffer)
          const fields = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const) // prettier-ignore
          const { method = '' } = request
          const answer = issuer.answer({ method, fields, body: Buffer.concat(pieces) })
          response.writeHead(answer.status, Object.fromEntries(answer.fields)).end(answer.body)
        })()
      })
      const ranges: string[] = []
      const serve = cutting(ranges)
      const acceptor = bearerAcceptor('r', (token) => issuer.owner(token))
      const server = await guarded(t, [() => acceptor], {
        certificate,
        serve: (request, response) => {
          // Hours later, for the server alone.
          now += 7_200_000
          serve(request, response)
        },
      })
      const client = {
        kind: 'client',
        clientId: 'mirror',
        clientSecret: 'a client secret',
        tokenUrl: `${endpoint}/token`,
      } as const
      const { job, target } = await begin(`${server.url}/f`, {
        caFile: authority.file,
        credentials: [{ target: 'server', scheme: 'bearer', credentials: client }],
      })
      const view = await settle(job, { nudges: 2 })
      assert.equal(view.state, 'ACKNOWLEDGED', view.error?.message)
      assert(readFileSync(target).equals(content))
      assert.match(ranges.at(-1) ?? '', /^bytes=[1-9]\d*-$/u)
      const tokens = server.log.flatMap(({ credentials = [] }) => credentials)
      assert.equal(new Set(tokens).size, 2)
    },
  )

  test('a name and password in the URL win over what is set for Basic (A42), and not for NTLM (A43)', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const { host } = new URL(server.url)
    const named = `http://${user.name}:${encodeURIComponent(user.password)}@${host}/u`
    const set = [pairOf('server', 'basic', 'not this one')]
    const won = await begin(named, { credentials: set })
    assert.equal((await settle(won.job)).state, 'ACKNOWLEDGED')
    const other = named.replace(encodeURIComponent(user.password), 'wrong')
    const lost = await begin(other, { credentials: [pairOf('server', 'basic', user.password)] })
    assert.equal((await settle(lost.job)).error?.symbol, 'BG_E_HTTP_ERROR_401')
    const bound = await guarded(t, [guards.ntlm()])
    const unanswered = await begin(named.replace(host, new URL(bound.url).host), {})
    assert.equal((await settle(unanswered.job)).error?.symbol, 'BG_E_HTTP_ERROR_401')
    assert(bound.log.every(({ credentials }) => credentials === undefined))
    const answered = await begin(named.replace(host, new URL(bound.url).host), {
      credentials: [pairOf('server', 'ntlm', user.password)],
    })
    assert.equal((await settle(answered.job)).state, 'ACKNOWLEDGED')
  })

  test('an encoded identity proves itself with NTLM, too (A157)', async (t) => {
    const server = await guarded(t, [doors.ntlm('a password')])
    const identity = new AuthIdentity({
      kind: 'password',
      userName: `LAB\\${user.name}`,
      password: 'a password',
    })
    const { user: userName, packed } = encodeAuthIdentityAsStrings(identity)
    const credentials = { userName, password: packed }
    const { job, target } = await begin(`${server.url}/n`, {
      credentials: [{ target: 'server', scheme: 'ntlm', credentials }],
    })
    assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
    assert.equal(readFileSync(target, 'utf8'), '/n')
  })

  test('who failed stands in the log, with what helps and nothing secret (A141, A142)', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const credentials = [pairOf('server', 'digest', 'planted-in-vain')]
    const { job } = await begin(`${server.url}/secret?token=planted-query`, { credentials })
    const { error } = await settle(job)
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
    assert.doesNotMatch(error?.message ?? '', /planted|ann|digest/iu)
    const log = readFileSync(join(home.home, 'lull.log'), 'utf8')
    const line = log.split('\n').find((each) => each.includes(`${server.url}/secret"`)) ?? ''
    assert.match(line, /Credentials are missing or were refused/u)
    assert.match(line, /"challenger":"server"/u)
    assert.match(
      line,
      /"remedy":"set credentials for the server as the job's owner and resume it"/u,
    )
    assert.doesNotMatch(log, /planted-in-vain|planted-query/u)
  })
})

/** A server over TLS that asks for nothing. @returns its URL */
async function secure(
  t: TestContext,
  certificate: { readonly key: string; readonly cert: string },
  listener: RequestListener,
): Promise<string> {
  const server = createSecureServer(certificate, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has a port.
  return `https://localhost:${(server.address() as AddressInfo).port}`
}
