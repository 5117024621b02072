/** The servers of the lab do what the matrix says they do: curl is our witness. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Place } from './apache.ts'
import { cannotCurl, curl } from './curl.ts'
import { PASSWORD } from './kdc-contexts.ts'
import { cannotProxyWith, cannotServe, Lab } from './lab.ts'
import { NTLM_DOMAIN, NTLM_USER, USER } from './people.ts'
import { proxySchemes, type ProxyScheme } from './squid.ts'

/** How curl proves who it is. */
interface Proof {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

type Kind = 'right' | 'wrong' | 'missing'

suite('the lab', { skip: cannotCurl || cannotServe }, () => {
  let lab: Lab
  let users: Readonly<Record<Exclude<Kind, 'missing'>, string>>

  before(async () => {
    lab = await Lab.start({ proxies: proxySchemes })
    lab.apache.serve('file', 'what is served')
    const path = (kind: string): string => join(lab.kdc.folder, `ntlm-${kind}`)
    users = { right: path('right'), wrong: path('wrong') }
    writeFileSync(users.right, `${NTLM_DOMAIN}:${USER}:${PASSWORD}\n`)
    writeFileSync(users.wrong, `${NTLM_DOMAIN}:${USER}:wrong\n`)
  })

  after(async () => {
    await lab[Symbol.asyncDispose]()
  })

  function passwordOf(kind: Kind): readonly string[] {
    return kind === 'missing' ? [] : ['-u', `${USER}:${kind === 'right' ? PASSWORD : 'wrong'}`]
  }

  /** NTLM inside SPNEGO comes from gss-ntlmssp in curl: curl's own NTLM is too short for gss-ntlmssp in Apache. */
  function ntlm(kind: Kind): Proof {
    if (kind === 'missing') return { args: [] }
    const env = { KRB5CCNAME: 'FILE:/nowhere', NTLMUSER: USER, NTLM_USER_FILE: users[kind] }
    return { args: ['--negotiate', '-u', ':'], env }
  }

  function kerberos(kind: Kind): Proof {
    if (kind === 'missing') return { args: [] }
    const cache = kind === 'right' ? lab.tickets : 'FILE:/nowhere'
    const env = { KRB5_CONFIG: lab.kdc.config, KRB5CCNAME: cache }
    return { args: ['--negotiate', '-u', ':'], env }
  }

  const proofs: Readonly<Record<Place, (kind: Kind) => Proof>> = {
    none: (kind) => ({ args: passwordOf(kind) }),
    basic: (kind) => ({ args: ['--basic', ...passwordOf(kind)] }),
    digest: (kind) => ({ args: ['--digest', ...passwordOf(kind)] }),
    kerberos,
    ntlm,
    negotiate: kerberos,
  }

  for (const [place, proof] of Object.entries(proofs) as [Place, (kind: Kind) => Proof][]) {
    test(`${place} opens for the right proof, over http and https, and for no other`, async () => {
      for (const door of ['http', 'https', 'impatient'] as const) {
        for (const kind of ['right', 'wrong', 'missing'] as const) {
          const { args, env } = proof(kind)
          const url = lab.apache.url(door, place, 'file')
          const status = await curl(['--cacert', lab.authority.cert, ...args, url], env)
          assert.equal(status, kind === 'right' || place === 'none' ? 200 : 401, `${door} ${kind}`)
        }
      }
    })
  }

  test('what was put is there, and a part of it can be asked for', async () => {
    const source = join(lab.kdc.folder, 'put')
    writeFileSync(source, 'what was put')
    for (const place of ['none', 'basic', 'digest', 'kerberos'] as const) {
      const { args, env } = proofs[place]('right')
      const url = lab.apache.url('http', place, `put-${place}`)
      assert.equal(await curl([...args, '-T', source, url], env), 201, place)
      assert.equal(readFileSync(lab.apache.path(`put-${place}`), 'utf8'), 'what was put')
      assert.equal(await curl([...args, '-r', '5-7', url], env), 206, place)
    }
  })

  test('a certificate is asked for where it is said', async () => {
    const own = ['--cert', lab.client.cert, '--key', lab.client.key]
    const stranger = await lab.authority.issue({ name: 'stranger', use: 'server' })
    const wrong = ['--cert', stranger.cert, '--key', stranger.key]
    const rows = [
      ['certificate', own, 200],
      ['certificate', wrong, 0],
      ['certificate', [], 0],
      ['optional', own, 200],
      ['optional', [], 200],
    ] as const
    for (const [door, args, status] of rows) {
      const url = lab.apache.url(door, 'none', 'file')
      assert.equal(await curl(['--cacert', lab.authority.cert, ...args, url]), status, door)
    }
  })

  const proxyProofs: Readonly<Record<ProxyScheme, (kind: Kind) => Proof>> = {
    basic: (kind) => ({ args: ['--proxy-basic', ...proxyPassword(kind)] }),
    digest: (kind) => ({ args: ['--proxy-digest', ...proxyPassword(kind)] }),
    ntlm: (kind) => ({ args: ['--proxy-ntlm', ...proxyPassword(kind, NTLM_USER)] }),
    negotiate(kind) {
      const { args, env = {} } = kerberos(kind)
      return { args: args.length === 0 ? [] : ['--proxy-negotiate', '-U', ':'], env }
    },
  }

  function proxyPassword(kind: Kind, user = USER): readonly string[] {
    return kind === 'missing' ? [] : ['-U', `${user}:${kind === 'right' ? PASSWORD : 'wrong'}`]
  }

  for (const scheme of proxySchemes) {
    const skip = cannotProxyWith(scheme)
    test(
      `a ${scheme} proxy lets through who proves it, over TLS too, and nobody else`,
      { skip },
      async () => {
        const trust = ['--cacert', lab.authority.cert, '--proxy-cacert', lab.authority.cert]
        for (const proxyDoor of ['http', 'https'] as const) {
          const proxy = ['-x', `${proxyDoor}://localhost:${lab.squid(scheme).port(proxyDoor)}`]
          for (const door of ['http', 'https'] as const) {
            for (const kind of ['right', 'wrong', 'missing'] as const) {
              const { args, env } = proxyProofs[scheme](kind)
              const url = lab.apache.url(door, 'none', 'file')
              const status = await curl([...trust, ...proxy, ...args, url], env)
              assert.equal(status, kind === 'right' ? 200 : 407, `${proxyDoor} ${door} ${kind}`)
            }
          }
        }
      },
    )
  }

  test(
    'a proxy has doors where nobody is asked, or for a certificate',
    { skip: cannotProxyWith('basic') },
    async () => {
      const own = ['--proxy-cert', lab.client.cert, '--proxy-key', lab.client.key]
      const rows = [
        ['http', 'openHttp', [], 200],
        ['https', 'openHttps', [], 200],
        ['https', 'certificate', own, 200],
        ['https', 'certificate', [], 0],
      ] as const
      for (const [scheme, door, args, status] of rows) {
        const proxy = ['-x', `${scheme}://localhost:${lab.squid('basic').port(door)}`, ...args]
        const trust = ['--proxy-cacert', lab.authority.cert]
        const url = lab.apache.url('http', 'none', 'file')
        assert.equal(await curl([...trust, ...proxy, url]), status, door)
      }
    },
  )
})
