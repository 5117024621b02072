/** What the operator decides about proofs, from the configuration file to what a server hears. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import type { AuthTarget, BackgroundCopyJob, JobCredentialPair, JobView } from 'lull'
import type { Acceptor } from '../../src/auth/acceptor.ts'
import { basicAcceptor } from '../../src/auth/basic-server.ts'
import { ntlmAcceptor } from '../../src/auth/ntlm/ntlm-server.ts'
import type { ResponseKind } from '../../src/auth/ntlm/level.ts'
import { computeNtHash } from '../../src/auth/ntlm/password-keys.ts'
import { guarded, guards, realWorld, user, type Guard } from '../../src/http/guarded.suite.ts'
import type { AuthConfig } from '../../src/service/auth-config.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'

/** A server of NTLM that takes one generation of responses, and keeps the domain and the machine of who asks. */
function ntlmServer(kinds: readonly ResponseKind[], told: { domain?: string } = {}): Guard {
  const known = new WeakMap<object, Acceptor>()
  const hash = computeNtHash(new TextEncoder().encode(user.password))
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
          ntHashOf: (name, domain) => {
            told.domain = domain
            return name.toLowerCase() === user.name ? hash.slice() : undefined
          },
          accepts: kinds,
          hasTimestamp: false,
          hasSessionSecurity: false,
          bindingPolicy: 'ignore',
        },
        realWorld,
      )
    known.set(connection, acceptor)
    return acceptor
  }
}

function pairOf(scheme: JobCredentialPair['scheme'], target: AuthTarget = 'server') {
  return { target, scheme, credentials: { userName: user.name, password: user.password } }
}

suite('the configuration file', () => {
  const homes: LullHome[] = []
  after(async () => {
    for (const home of homes) await home[Symbol.asyncDispose]()
  })

  /** What becomes of one file of a job in a service with these settings. */
  async function fetched(
    authentication: AuthConfig,
    url: string,
    pairs: readonly JobCredentialPair[],
  ): Promise<JobView> {
    const home = new LullHome({ config: { authentication } })
    homes.push(home)
    const manager = await home.manager()
    const job: BackgroundCopyJob = await manager.createJob('policy', {
      files: [{ remoteName: url, localName: home.path('file') }],
      proxy: { usage: 'noProxy' },
      credentials: pairs,
      completesItself: true,
      resume: true,
    })
    return settle(job)
  }

  const levels: readonly (readonly [config: AuthConfig, kinds: ResponseKind, isIn: boolean])[] = [
    [{}, 'v2', true],
    [{}, 'v1', false],
    [{ lmCompatibilityLevel: 0 }, 'v1', true],
    [{ lmCompatibilityLevel: 2 }, 'v1', true],
    [{ lmCompatibilityLevel: 2 }, 'v2', false],
    [{ lmCompatibilityLevel: 3 }, 'v1', false],
    [{ lmCompatibilityLevel: 5 }, 'v2', true],
  ]
  for (const [config, kind, isIn] of levels) {
    const level = JSON.stringify(config)
    test(`says which responses NTLM sends: ${level} is ${isIn ? '' : 'not '}${kind} (A57, A58)`, async (t) => {
      const server = await guarded(t, [ntlmServer([kind])])
      const { state } = await fetched(config, `${server.url}/n`, [pairOf('ntlm')])
      assert.equal(state, isIn ? 'ACKNOWLEDGED' : 'ERROR')
    })
  }

  test('says the domain of a name that has none (A235)', async (t) => {
    const told: { domain?: string } = {}
    const server = await guarded(t, [ntlmServer(['v2'], told)])
    const view = await fetched({ defaultDomain: 'CORP' }, `${server.url}/d`, [pairOf('ntlm')])
    assert.deepEqual([view.state, told.domain], ['ACKNOWLEDGED', 'CORP'])
  })

  test('forbids Basic in clear text, and then no password goes out (A183)', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const { error } = await fetched({ allowClearText: false }, `${server.url}/b`, [pairOf('basic')])
    assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_401')
    assert(server.log.every(({ credentials }) => credentials === undefined))
  })

  test('says how Basic is written for servers that name no charset (A201)', async (t) => {
    const words: string[] = []
    const check = (_name: string, word: Uint8Array): boolean => {
      words.push(Buffer.from(word).toString('latin1'))
      return true
    }
    const acceptor = basicAcceptor({ realm: 'r', check })
    const server = await guarded(t, [() => acceptor])
    await fetched({ basicLegacyLatin1: true }, `${server.url}/l`, [pairOf('basic')])
    await fetched({}, `${server.url}/u`, [pairOf('basic')])
    const utf8 = Buffer.from(user.password).toString('latin1')
    assert.deepEqual(words, [user.password, utf8])
  })

  test('names other origins that get a job’s credentials behind a redirect (A380, A383)', async (t) => {
    const other = await guarded(t, [guards.digest()])
    const server = await guarded(t, [], {
      serve: (_request, response) =>
        void response.writeHead(302, { Location: `${other.url}/there` }).end(),
    })
    const pairs = [pairOf('digest')]
    const lost = await fetched({}, `${server.url}/r`, pairs)
    assert.equal(lost.error?.symbol, 'BG_E_HTTP_ERROR_401')
    assert(other.log.every(({ credentials }) => credentials === undefined))
    const found = await fetched({ trustedOrigins: [other.url] }, `${server.url}/r`, pairs)
    assert.equal(found.state, 'ACKNOWLEDGED', found.error?.message)
  })

  test('refuses URLs with a name and a password, if it is told to (A45)', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const { host } = new URL(server.url)
    const url = `http://${user.name}:planted@${host}/u`
    const refused = fetched({ refuseUrlCredentials: true }, url, [])
    await assert.rejects(refused, (error: Error & { symbol?: string }) => {
      assert.equal(error.symbol, 'E_INVALIDARG')
      assert.doesNotMatch(error.message, /planted/u)
      return true
    })
  })

  test('that is wrong keeps the service from starting, and says where', async () => {
    const home = new LullHome()
    homes.push(home)
    const wrong = { authentication: { useLmCompat: 3 } }
    writeFileSync(join(home.home, 'config.json'), JSON.stringify(wrong))
    const { status, stderr } = await home.run(['jobs'])
    assert.notEqual(status, 0)
    assert.match(
      stderr,
      /authentication\.useLmCompat: expected a whole number from 0 to 2, found 3/u,
    )
  })

  test('credentials outlive the service that was told them, and a kill of it (A13)', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const home = new LullHome()
    homes.push(home)
    const before = await (
      await home.manager()
    ).createJob('survivor', {
      files: [{ remoteName: `${server.url}/s`, localName: home.path('file') }],
      credentials: [pairOf('digest')],
      completesItself: true,
    })
    await home.killService()
    const manager = await home.manager()
    const job = await manager.getJob(before.id)
    assert.deepEqual(await job.listCredentials(), [{ target: 'server', scheme: 'digest' }])
    await job.resume()
    assert.equal((await settle(job)).state, 'ACKNOWLEDGED')
    assert.deepEqual(await job.listCredentials(), [])
  })
})
