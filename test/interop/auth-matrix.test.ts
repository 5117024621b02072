/** Every scheme against real servers, over http and https: Apache with MIT's Kerberos and gss-ntlmssp. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { Door, Place } from '../lab/apache.ts'
import { Authority, type CertificateFiles } from '../lab/authority.ts'
import { Content } from '../lab/content.ts'
import { cannotServe, Lab } from '../lab/lab.ts'
import { pairsFor, proofKinds, type ProofKind, type ProofName } from '../lab/proofs.ts'
import { Relay } from '../lab/relay.ts'
import { Visitor, type Visit } from '../lab/visitor.ts'

const content = new Content(1, 400_000)

/** What a connection carries before it is cut: the legs of every scheme, and a part of the file. */
const CUT_AFTER_BYTES = 150_000

/** One server of the matrix. */
interface Row {
  readonly name: string
  readonly place: Place
  readonly proof: ProofName
  /** What is answered to who is logged on; 401 unless it says. */
  readonly implicit?: 200
}

const rows: readonly Row[] = [
  { name: 'no authentication', place: 'none', proof: 'none', implicit: 200 },
  { name: 'Basic', place: 'basic', proof: 'basic' },
  { name: 'Digest', place: 'digest', proof: 'digest' },
  // Nobody is logged on by NTLM where Windows is not.
  { name: 'NTLM', place: 'ntlm', proof: 'ntlm' },
  { name: 'Negotiate with Kerberos', place: 'kerberos', proof: 'kerberos', implicit: 200 },
  { name: 'Negotiate with NTLM', place: 'ntlm', proof: 'negotiate-ntlm' },
  // The server knows both, and the client has only the one.
  {
    name: 'Negotiate of either, with Kerberos',
    place: 'negotiate',
    proof: 'kerberos',
    implicit: 200,
  },
  {
    name: 'Negotiate of either, with NTLM',
    place: 'negotiate',
    proof: 'negotiate-ntlm',
    implicit: 200,
  },
]

const doors = ['http', 'https'] as const satisfies readonly Door[]

/** What the server says to a request for the file. */
function statusOf({ proof, implicit }: Row, kind: ProofKind): number {
  if (proof === 'none') return 200
  switch (kind) {
    case 'right':
      return 200
    case 'wrong':
    case 'missing':
      return 401
    case 'implicit':
      return implicit ?? 401
    default:
      return kind satisfies never
  }
}

suite('servers of every scheme', { skip: cannotServe }, () => {
  let lab: Lab
  let visitor: Visitor
  let elsewhere: Authority
  let stranger: CertificateFiles

  before(async () => {
    lab = await Lab.start()
    lab.apache.serve('file', content.bytes())
    elsewhere = await Authority.create()
    stranger = await elsewhere.issue({ name: 'stranger', use: 'client' })
    const environment = { ...lab.kdc.environment, KRB5CCNAME: lab.tickets }
    visitor = new Visitor(lab.authority.cert, environment)
  })

  after(async () => {
    await visitor[Symbol.asyncDispose]()
    elsewhere[Symbol.dispose]()
    await lab[Symbol.asyncDispose]()
  })

  for (const row of rows) {
    const { name, place, proof } = row
    for (const door of doors) {
      for (const kind of proofKinds) {
        const status = statusOf(row, kind)
        test(`${name} over ${door} with ${kind} credentials: ${status}`, async () => {
          const visit = { pairs: pairsFor('server', proof, kind) }
          const brought = await visitor.get(lab.apache.url(door, place, 'file'), visit)
          assert.equal(brought.status, status)
          if (status === 200) assert(brought.bytes.equals(content.bytes()))
        })
      }

      test(`${name} over ${door} goes on where the connection was cut`, async () => {
        await using relay = await Relay.start(lab.apache.port(door), CUT_AFTER_BYTES)
        const url = new URL(lab.apache.url(door, place, 'file'))
        url.port = String(relay.port)
        const visit = { pairs: pairsFor('server', proof, 'right') }
        const { status, bytes, exchanges } = await visitor.resume(url.href, visit)
        assert.equal(status, 206)
        assert(bytes.equals(content.bytes()))
        assert.equal(exchanges, 3)
      })

      test(`${name} over ${door} stores what is put, and nothing of who may not`, async () => {
        for (const kind of ['right', 'wrong', 'missing'] as const) {
          const file = `${proof}-${place}-${door}-${kind}`
          const visit = { pairs: pairsFor('server', proof, kind) }
          const url = lab.apache.url(door, place, file)
          const { status } = await visitor.put(url, content.bytes(), visit)
          const isIn = statusOf(row, kind) === 200
          assert.equal(status, isIn ? 201 : 401)
          assert.equal(existsSync(lab.apache.path(file)), isIn)
          if (isIn) assert(readFileSync(lab.apache.path(file)).equals(content.bytes()))
        }
      })
    }

    test(`${name} is proved again on every connection of a server that closes them`, async () => {
      const url = lab.apache.url('impatient', place, 'file')
      const visit = { pairs: pairsFor('server', proof, 'right') }
      const brought = await visitor.getAll(
        Array.from({ length: 9 }, () => url),
        visit,
      )
      for (const { status, bytes } of brought) {
        assert.equal(status, 200)
        assert(bytes.equals(content.bytes()))
      }
    })
  }

  const certificates: readonly {
    readonly name: string
    readonly door: Door
    readonly certificate?: () => CertificateFiles
    readonly place?: Place
    readonly pairs?: Visit['pairs']
    readonly status: number | string
  }[] = [
    {
      name: 'the right one',
      door: 'certificate',
      certificate: () => lab.client,
      status: 200,
    },
    {
      name: 'one of an authority that it does not know (A78)',
      door: 'certificate',
      certificate: () => stranger,
      status: 'BG_E_HTTP_ERROR_403',
    },
    { name: 'none', door: 'certificate', status: 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED' },
    {
      name: 'the right one, where none is needed',
      door: 'optional',
      certificate: () => lab.client,
      status: 200,
    },
    { name: 'none, where none is needed', door: 'optional', status: 200 },
    {
      name: 'the right one, and a password besides',
      door: 'certificate',
      certificate: () => lab.client,
      place: 'basic',
      pairs: pairsFor('server', 'basic', 'right'),
      status: 200,
    },
    {
      name: 'the right one, and Kerberos besides',
      door: 'certificate',
      certificate: () => lab.client,
      place: 'kerberos',
      pairs: pairsFor('server', 'kerberos', 'right'),
      status: 200,
    },
    {
      name: 'the right one, and no password',
      door: 'certificate',
      certificate: () => lab.client,
      place: 'digest',
      status: 401,
    },
  ]
  for (const { name, door, certificate, place = 'none', pairs = [], status } of certificates) {
    test(`a server that asks for a certificate is shown ${name}: ${status}`, async () => {
      const visit = { pairs, ...certificateOf(certificate?.()) }
      const brought = await visitor.get(lab.apache.url(door, place, 'file'), visit)
      assert.equal(brought.status, status)
      if (status === 200) assert(brought.bytes.equals(content.bytes()))
    })
  }

  test('a certificate is shown again where the connection was cut', async () => {
    await using relay = await Relay.start(lab.apache.port('certificate'), CUT_AFTER_BYTES)
    const url = new URL(lab.apache.url('certificate', 'none', 'file'))
    url.port = String(relay.port)
    const visit = certificateOf(lab.client)
    const { status, bytes, exchanges } = await visitor.resume(url.href, visit)
    assert.deepEqual([status, exchanges], [206, 3])
    assert(bytes.equals(content.bytes()))
  })

  test('a file is put by who shows a certificate, and by nobody else', async () => {
    for (const certificate of [lab.client, undefined]) {
      const file = `certificate-${certificate === undefined ? 'missing' : 'right'}`
      const url = lab.apache.url('certificate', 'none', file)
      const { status } = await visitor.put(url, content.bytes(), certificateOf(certificate))
      const isIn = certificate !== undefined
      assert.equal(status, isIn ? 201 : 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED')
      assert.equal(existsSync(lab.apache.path(file)), isIn)
    }
  })
})

function certificateOf(files: CertificateFiles | undefined): Pick<Visit, 'certificate'> {
  if (files === undefined) return {}
  return { certificate: { certificateFile: files.cert, keyFile: files.key } }
}
