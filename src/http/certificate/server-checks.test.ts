import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { certificateFlags } from '../../job/security-flags.ts'
import { Authority, needsOpenssl, type Claims, type Identity } from '../certificates.suite.ts'
import { serve } from '../servers.suite.ts'
import { Trust, type TrustOptions } from '../trust.ts'
import { ClientFiles } from './client-files.suite.ts'
import { Handshake } from './handshake.ts'

const { ignoreName, ignoreDate, ignoreAuthority, ignoreUsage } = certificateFlags
const everything = ignoreName | ignoreDate | ignoreAuthority | ignoreUsage

const expired: Claims = { from: '20200101000000Z', to: '20200201000000Z' }
const early: Claims = { from: '21000101000000Z', to: '21000201000000Z' }
const elsewhere: Claims = { names: ['DNS:example.org'] }
const forClients: Claims = { usage: 'clientAuth' }

/** A server's certificate, by whether its authority is trusted, and what becomes of it with these flags. */
type Row = readonly [claims: Claims, trust: 'known' | 'unknown', flags: number, flaw?: string]

const rows: readonly Row[] = [
  [{}, 'known', 0],
  [{}, 'known', everything],
  [expired, 'known', 0, 'CERT_HAS_EXPIRED'],
  [expired, 'known', everything - ignoreDate, 'CERT_HAS_EXPIRED'],
  [expired, 'known', ignoreDate],
  [early, 'known', everything - ignoreDate, 'CERT_NOT_YET_VALID'],
  [early, 'known', ignoreDate],
  [elsewhere, 'known', everything - ignoreName, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [elsewhere, 'known', ignoreName],
  [forClients, 'known', everything - ignoreUsage, 'INVALID_PURPOSE'],
  [forClients, 'known', ignoreUsage],
  [{}, 'unknown', everything - ignoreAuthority, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [{}, 'unknown', ignoreAuthority],
  // OpenSSL names one of two flaws, and forgiving it must not forgive the other.
  [{ ...expired, ...elsewhere }, 'known', ignoreDate, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [{ ...expired, ...forClients }, 'known', ignoreDate, 'INVALID_PURPOSE'],
  [{ ...expired, ...forClients }, 'known', ignoreUsage, 'CERT_HAS_EXPIRED'],
  [{ ...expired, ...forClients }, 'known', ignoreUsage | ignoreDate],
  [expired, 'unknown', ignoreDate, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  [expired, 'unknown', ignoreAuthority, 'CERT_HAS_EXPIRED'],
  [expired, 'unknown', ignoreDate | ignoreAuthority],
  [elsewhere, 'unknown', ignoreAuthority, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [forClients, 'unknown', ignoreAuthority, 'INVALID_PURPOSE'],
  [forClients, 'unknown', ignoreUsage, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [{ ...expired, ...elsewhere, ...forClients }, 'unknown', everything],
]

describe('security flags', { skip: needsOpenssl }, () => {
  for (const [claims, trust, flags, flaw] of rows) {
    const what = `${JSON.stringify(claims)} of an authority that is ${trust}`
    test(`flags ${flags} make ${flaw ?? 'no flaw'} of ${what} (A79)`, async (t) => {
      const authority = new Authority(t)
      // Both authorities have the same name: only the signature tells.
      const { file } = trust === 'known' ? authority : new Authority(t)
      assert.equal(await flawOf(t, authority.issue(claims), { caFile: file }, flags), flaw)
    })
  }

  test('flags forgive what is signed by an authority between', async (t) => {
    const files = new ClientFiles(t)
    const identity = issueBelow(files)
    const caFile = files.path('ca.pem')
    assert.equal(await flawOf(t, identity, { caFile }, ignoreDate), undefined)
    assert.equal(await flawOf(t, identity, { caFile }, ignoreName), 'CERT_HAS_EXPIRED')
  })

  test('flags that forgive a date do not forgive what an authority between may not do', async (t) => {
    const rows: [root: string, middle: string, flags: number, flaw?: string][] = [
      ['CA:TRUE,pathlen:1', 'CA:TRUE', ignoreDate],
      ['CA:TRUE,pathlen:0', 'CA:TRUE', ignoreDate, 'PATH_LENGTH_EXCEEDED'],
      ['CA:TRUE,pathlen:0', 'CA:TRUE', everything, 'PATH_LENGTH_EXCEEDED'],
      ['CA:TRUE', 'CA:TRUE,pathlen:0', ignoreDate],
      ['CA:TRUE', 'CA:TRUE\nextendedKeyUsage=emailProtection', ignoreDate, 'INVALID_PURPOSE'],
      ['CA:TRUE', 'CA:TRUE\nextendedKeyUsage=emailProtection', ignoreDate | ignoreUsage],
      ['CA:TRUE', 'CA:TRUE\nextendedKeyUsage=serverAuth,clientAuth', ignoreDate],
    ]
    for (const [root, middle, flags, flaw] of rows) {
      const files = new ClientFiles(t)
      files.write('root.cnf', `basicConstraints=critical,${root}`)
      files.openssl(...'x509 -in ca.pem -signkey ca.key -clrext -extfile root.cnf -days 9 -out ca.pem'.split(' ')) // prettier-ignore
      const identity = issueBelow(files, middle)
      const options = { caFile: files.path('ca.pem') }
      assert.equal(await flawOf(t, identity, options, flags), flaw, `${root} ${middle} ${flags}`)
    }
  })

  test('flags that forgive something else do not forgive an address that is not in it', async (t) => {
    const authority = new Authority(t)
    const options = { caFile: authority.file }
    for (const [names, flaw] of [
      ['IP:127.0.0.1', undefined],
      ['DNS:localhost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ] as const) {
      // prettier-ignore
      const identity = authority.issue({ names: [names] })
      assert.equal(await flawOf(t, identity, options, ignoreDate, '127.0.0.1'), flaw)
    }
  })

  test('flags of redirects are none of certificates', async (t) => {
    const authority = new Authority(t)
    const claims = authority.issue(elsewhere)
    const flaw = await flawOf(t, claims, { caFile: authority.file }, 0x0f00)
    assert.equal(flaw, 'ERR_TLS_CERT_ALTNAME_INVALID')
  })
})

/** Issues an authority, and by that a certificate which has expired. */
function issueBelow(files: ClientFiles, constraints = 'CA:TRUE'): Identity {
  const run = (command: string): string => files.openssl(...command.split(' '))
  files.write('middle.cnf', `basicConstraints=critical,${constraints}`)
  run('req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout middle.key -out middle.csr -subj /CN=middle') // prettier-ignore
  run('x509 -req -in middle.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 9 -extfile middle.cnf -out middle.pem') // prettier-ignore
  for (const [from, to] of [
    ['ca', 'root'],
    ['middle', 'ca'],
  ] as const) {
    // prettier-ignore
    for (const ending of ['pem', 'key']) files.write(`${to}.${ending}`, files.read(`${from}.${ending}`)) // prettier-ignore
  }
  files.issue('leaf', { subject: '/CN=localhost', from: '20200101000000Z', to: '20200201000000Z' })
  files.write('ca.pem', files.read('root.pem'))
  const chain = Buffer.concat([files.read('leaf.pem'), files.read('middle.pem')])
  return { key: String(files.read('leaf.key')), cert: String(chain) }
}

/** Connects to a server with this certificate. @returns the code of what is wrong with it */
async function flawOf(
  t: TestContext,
  identity: Identity,
  options: TrustOptions,
  flags: number,
  host = 'localhost',
): Promise<string | undefined> {
  const trust = new Trust()
  const { port } = await serve(t, () => undefined, identity)
  const handshake = new Handshake(trust.terms(options, { securityFlags: flags }))
  const secureContext = trust.context(options)
  const socket = connect({ ...handshake.options, host, port, secureContext })
  handshake.watch(socket, host)
  await once(socket, 'secureConnect').catch(() => undefined)
  const { errored } = socket
  socket.destroy()
  return errored === null ? undefined : String(Reflect.get(errored, 'code'))
}
