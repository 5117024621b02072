/** As whom a job asks, from programs: over the socket and in the same process. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  AuthIdentity,
  encodeAuthIdentityAsStrings,
  type BackgroundCopyJob,
  type JobCredentialPair,
} from 'lull'
import { acceptNtlm } from '../../src/auth/ntlm/ntlm-server.ts'
import { computeNtHash } from '../../src/auth/ntlm/password-keys.ts'
import type { Acceptor } from '../../src/auth/acceptor.ts'
import { mechanismIds } from '../../src/auth/spnego/mechanism-ids.ts'
import { negotiateAcceptor } from '../../src/auth/spnego/negotiate-server.ts'
import { guarded, guards, realWorld, user, type Guard } from '../../src/http/guarded.suite.ts'
import { waitState } from '../lab/follow.ts'
import { ways } from '../lab/engine-ways.ts'
import { LullHome } from '../lab/lull.ts'
import { atTerminal, noTerminal } from '../lab/terminal.ts'

/** Negotiate with NTLM inside, for one account of a domain. */
const negotiating: () => Guard = () => {
  const known = new WeakMap<object, Acceptor>()
  return (connection) => {
    const acceptor =
      known.get(connection) ??
      negotiateAcceptor({
        persists: true,
        mechanisms: [
          {
            id: mechanismIds.ntlm,
            open: () =>
              acceptNtlm(
                {
                  names: {
                    nbDomainName: 'LAB',
                    nbComputerName: 'SRV',
                    dnsDomainName: 'lab.test',
                    dnsComputerName: 'srv.lab.test',
                  },
                  ntHashOf: (name, domain) =>
                    name === user.name && domain === 'LAB'
                      ? computeNtHash(new TextEncoder().encode(user.password))
                      : undefined,
                  accepts: ['v2'],
                  hasTimestamp: true,
                  hasSessionSecurity: true,
                  bindingPolicy: 'ignore',
                },
                realWorld,
              ),
          },
        ],
      })
    known.set(connection, acceptor)
    return acceptor
  }
}

const right = { userName: user.name, password: user.password }

for (const { name, open } of ways) {
  // Two services, as BITS and Delivery Optimization are two: what holds for the one holds for the other.
  suite(`credentials of a job ${name}, by the one contract (A27)`, () => {
    const home = new LullHome({ config: { backgroundJobs: 100 } })
    let manager: Awaited<ReturnType<typeof open>>
    let job: BackgroundCopyJob

    before(async () => {
      manager = await open(home)
      job = await manager.createJob('as somebody')
    })
    after(async () => {
      await manager[Symbol.asyncDispose]?.()
      await home[Symbol.asyncDispose]()
    })

    test('one call sets one pair, a second replaces it, and nothing gives it back (A11, A12, A17)', async () => {
      const pair = { target: 'server', scheme: 'digest', credentials: right } as const
      await job.setCredentials(pair)
      await job.setCredentials({ ...pair, credentials: { userName: 'planted', password: '' } })
      await job.setCredentials({ ...pair, target: 'proxy' })
      const targets = (await job.listCredentials()).map(
        ({ target, scheme }) => `${target} ${scheme}`,
      )
      assert.deepEqual(targets.sort(), ['proxy digest', 'server digest'])
      assert.doesNotMatch(JSON.stringify(await job.getView()), /planted/u)
      assert.equal(await job.removeCredentials('server', 'digest'), true)
      // S_FALSE (A25).
      assert.equal(await job.removeCredentials('server', 'digest'), false)
      assert.equal(await job.removeCredentials('proxy', 'digest'), true)
    })

    test('who is logged on is null and null, for NTLM and Negotiate (A15, A50)', async () => {
      const credentials = { userName: null, password: null }
      await job.setCredentials({ target: 'proxy', scheme: 'ntlm', credentials })
      await job.setCredentials({ target: 'proxy', scheme: 'negotiate', credentials })
      for (const { target, scheme } of await job.listCredentials()) {
        assert(await job.removeCredentials(target, scheme))
      }
    })

    const refused: readonly (readonly [
      what: string,
      pair: Omit<JobCredentialPair, 'target'>,
      symbol: string,
    ])[] = [
      [
        'no name for Basic (A14)',
        { scheme: 'basic', credentials: { userName: null, password: null } },
        'E_INVALIDARG',
      ],
      [
        'no name for Passport (A15)',
        { scheme: 'passport', credentials: { userName: null, password: null } },
        'E_INVALIDARG',
      ],
      [
        'a name without a password (A15)',
        { scheme: 'ntlm', credentials: { userName: 'a', password: null } },
        'E_INVALIDARG',
      ],
      [
        'a name of 301 characters (A16)',
        { scheme: 'ntlm', credentials: { userName: 'a'.repeat(301), password: '' } },
        'BG_E_USERNAME_TOO_LARGE',
      ],
      [
        'a password of 65,537 characters (A16)',
        { scheme: 'ntlm', credentials: { userName: 'a', password: 'x'.repeat(65_537) } },
        'BG_E_PASSWORD_TOO_LARGE',
      ],
      [
        'an encoded identity that is none (A157)',
        { scheme: 'negotiate', credentials: { userName: 'a', password: 'BTAI1:garbage' } },
        'BG_E_INVALID_CREDENTIALS',
      ],
      [
        'a keytab for Digest',
        {
          scheme: 'digest',
          credentials: { kind: 'keytab', principal: 'a@B', keytab: '/etc/krb5.keytab' },
        },
        'E_INVALIDARG',
      ],
    ]
    for (const [what, pair, symbol] of refused) {
      test(`setCredentials() refuses ${what}`, async () => {
        await assert.rejects(job.setCredentials({ target: 'server', ...pair }), { symbol })
      })
    }

    test('names and passwords of the greatest length are taken (A16)', async () => {
      const credentials = { userName: 'é'.repeat(300), password: 'ß'.repeat(65_535) }
      await job.setCredentials({ target: 'server', scheme: 'digest', credentials })
      assert(await job.removeCredentials('server', 'digest'))
    })

    test('a job that has credentials from the start is let in, with a password of bytes', async (t) => {
      const server = await guarded(t, [guards.digest()])
      const password = Buffer.from(user.password)
      const localName = home.path('from-the-start')
      const made = await manager.createJob('from the start', {
        credentials: [{ target: 'server', scheme: 'digest', credentials: { ...right, password } }],
        proxy: { usage: 'noProxy' },
        files: [{ remoteName: `${server.url}/f`, localName }],
        completesItself: true,
        resume: true,
      })
      await waitState(made, 'ACKNOWLEDGED')
      assert.equal(readFileSync(localName, 'utf8'), '/f')
      // The caller's bytes are the caller's.
      assert.equal(password.toString(), user.password)
      assert.deepEqual(await made.getProxySettings(), { usage: 'noProxy' })
    })

    test('a job in ERROR goes on with new credentials (A140)', async (t) => {
      const server = await guarded(t, [guards.ntlm()])
      const localName = home.path('mended')
      const made = await manager.createJob('mended')
      await made.addFile(`${server.url}/e`, localName)
      await made.resume()
      await waitState(made, 'ERROR')
      const { symbol, hresult, context } = await made.getError()
      assert.deepEqual(
        [symbol, hresult, context],
        ['BG_E_HTTP_ERROR_401', 0x80190191, 'REMOTE_FILE'],
      )
      await made.setCredentials({ target: 'server', scheme: 'ntlm', credentials: right })
      await made.resume()
      await waitState(made, 'TRANSFERRED')
      await made.complete()
      // Credentials end with the job (A13).
      assert.deepEqual(await made.listCredentials(), [])
    })

    test('an encoded identity is let in with its domain (A151, A157)', async (t) => {
      const server = await guarded(t, [negotiating()])
      const identity = new AuthIdentity({
        kind: 'password',
        userName: `LAB\\${user.name}`,
        password: user.password,
      })
      const { user: userName, packed } = encodeAuthIdentityAsStrings(identity)
      const made = await manager.createJob('encoded', { completesItself: true })
      const credentials = { userName, password: packed }
      await made.setCredentials({ target: 'server', scheme: 'negotiate', credentials })
      await made.addFile(`${server.url}/n`, home.path('encoded'))
      await made.resume()
      await waitState(made, 'ACKNOWLEDGED')
    })

    test('proxy settings can be read back, and wrong ones are refused (N1, N2, N3)', async () => {
      const made = await manager.createJob('ways')
      assert.deepEqual(await made.getProxySettings(), { usage: 'preconfig' })
      await made.setProxySettings('override', 'http=p:8080', '*.corp <local>')
      const list = { usage: 'override', list: 'http=p:8080', bypass: '*.corp <local>' }
      assert.deepEqual(await made.getProxySettings(), list)
      await made.setProxyScript('http://p/x.pac')
      assert.deepEqual(await made.getProxySettings(), {
        usage: 'override',
        script: 'http://p/x.pac',
      })
      await assert.rejects(made.setProxySettings('override'), { symbol: 'E_INVALIDARG' })
      await assert.rejects(made.setProxySettings('noProxy', 'p:1'), { symbol: 'E_INVALIDARG' })
      const long = 'x'.repeat(33_000)
      const tooLong = { symbol: 'BG_E_PROXY_LIST_TOO_LARGE' }
      await assert.rejects(made.setProxySettings('override', long), tooLong)
      await made.setProxySettings('autodetect')
      await made.cancel()
    })

    test('a certificate can be read back by its name, and a passphrase cannot (A73, A74)', async () => {
      const made = await manager.createJob('certified')
      await assert.rejects(made.getClientCertificate(), { symbol: 'RPC_X_BAD_STUB_DATA' })
      const files = { certificateFile: home.path('c.pem'), keyFile: home.path('k.pem') }
      await made.setClientCertificate({ ...files, passphrase: Buffer.from('open sesame') })
      assert.deepEqual(await made.getClientCertificate(), files)
      await assert.rejects(made.setClientCertificateByID('currentUser', 'MY', Buffer.alloc(19)), {
        symbol: 'RPC_X_BAD_STUB_DATA',
      })
      assert.equal(await made.removeClientCertificate(), true)
      assert.equal(await made.removeClientCertificate(), false)
      await made.cancel()
    })

    test('a helper token is forgotten, and its flags stay (A92)', async () => {
      const made = await manager.createJob('helped')
      await made.setHelperToken({ kind: 'tickets', cache: 'FILE:/tmp/krb5cc_none' })
      await made.setHelperTokenFlags(2)
      assert.equal(await made.getHelperTokenSid(), 'FILE:/tmp/krb5cc_none')
      await made.clearHelperToken()
      assert.equal(await made.getHelperTokenSid(), undefined)
      assert.equal(await made.getHelperTokenFlags(), 2)
      await assert.rejects(made.setHelperTokenFlags(4), { symbol: 'E_INVALIDARG' })
      await made.cancel()
    })

    test('stored credentials are for proxies and for nobody else (A63)', async () => {
      const made = await manager.createJob('stored')
      assert.equal(await made.getUseStoredCredentials(), undefined)
      await assert.rejects(made.setUseStoredCredentials('server'), {
        symbol: 'BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED',
        hresult: 0x80200066,
      })
      await made.setUseStoredCredentials('proxy')
      assert.equal(await made.getUseStoredCredentials(), 'proxy')
      await made.setUseStoredCredentials(undefined)
      assert.equal(await made.getUseStoredCredentials(), undefined)
      await made.cancel()
    })

    test('a server that asks nobody is told who is there where the job says so, and not otherwise (A85, A86)', async (t) => {
      const knows = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
      const server = await guarded(t, [guards.basic()], {
        isPublic: () => true,
        serve: ({ headers }, response) =>
          void response.writeHead(headers.authorization === knows ? 200 : 404).end('whole'),
      })
      const target = home.path(`acl-${name.replaceAll(/\W/gu, '')}`)
      const made = await manager.createJob('behind a list', {
        files: [{ remoteName: `${server.url}/file`, localName: target }],
        credentials: [{ target: 'server', scheme: 'basic', credentials: right }],
        completesItself: true,
        resume: true,
      })
      await waitState(made, 'ERROR')
      const { error } = await made.getView()
      assert.equal(error?.symbol, 'BG_E_HTTP_ERROR_404')
      assert.match(error?.message ?? '', /was not used; preemptive authentication sends it/u)
      assert.equal(await made.getPreemptiveAuthentication(), false)
      await made.setPreemptiveAuthentication(true)
      assert.equal(await made.getPreemptiveAuthentication(), true)
      await made.resume()
      await waitState(made, 'ACKNOWLEDGED')
      assert.equal(readFileSync(target, 'utf8'), 'whole')
    })

    const skip = process.getuid?.() !== 0 && 'only administrators take jobs'
    test('whose job it is already takes nothing away with takeOwnership()', { skip }, async () => {
      const made = await manager.createJob('owned')
      await made.setCredentials({ target: 'server', scheme: 'digest', credentials: right })
      await made.takeOwnership()
      assert.equal((await made.listCredentials()).length, 1)
      await made.cancel()
    })

    test('rotateVault() leaves every secret usable', async (t) => {
      const server = await guarded(t, [guards.digest()])
      const made = await manager.createJob('rotated', { completesItself: true })
      await made.setCredentials({ target: 'server', scheme: 'digest', credentials: right })
      const { resealed, lost } = await manager.rotateVault()
      assert(resealed >= 1)
      assert.equal(lost, 0)
      await made.addFile(`${server.url}/r`, home.path('rotated'))
      await made.resume()
      await waitState(made, 'ACKNOWLEDGED')
    })
  })
}

suite('examples/encode-identity.ts', { skip: noTerminal }, () => {
  const program = join(import.meta.dirname, '..', '..', 'examples', 'encode-identity.ts')

  test('asks, encodes, and downloads as whom it was told (A150 to A156)', async (t) => {
    await using home = new LullHome()
    const server = await guarded(t, [negotiating()])
    const url = `${server.url}/example`
    const answers = [
      [/User name for \S+: $/u, `LAB\\${user.name}\n`],
      [/Password of LAB\\ann for \S+: $/u, `${user.password}\r`],
    ] as const
    const { status, screen } = await atTerminal(home, [url, 'example'], answers, { program })
    assert.equal(status, 0, screen)
    assert.match(screen, /^Encoded the identity of ann of LAB$/mu)
    assert(!screen.includes(user.password))
    assert.equal(readFileSync(home.path('example'), 'utf8'), '/example')
  })

  test('says so where there is nobody to ask', async () => {
    await using home = new LullHome()
    const { screen } = await atTerminal(home, ['http://h/x', 'x'], [[/: $/u, '\u0004']], {
      program,
    })
    assert.match(screen, /No credentials were given for h/u)
  })
})
