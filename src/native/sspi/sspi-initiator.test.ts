import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OpenRequest } from '../gssapi/conversation.ts'
import {
  followBuffers,
  FoundMemory,
  secur32,
  type Secur32,
  type Secur32Value,
} from './secur32.suite.ts'
import { SspiInitiator } from './sspi-initiator.ts'

const OK = 0
const CONTINUE_NEEDED = 0x0009_0312
const LOGON_DENIED = 0x8009_030c
const INVALID_TOKEN = 0x8009_0308
const NO_CREDENTIALS = 0x8009_030e

/** ISC_RET_MUTUAL_AUTH and ISC_RET_INTEGRITY. */
const [MUTUAL, INTEGRITY] = [0x2, 0x1_0000]

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const said = (memory: Uint8Array | undefined): string => Buffer.from(memory ?? []).toString()

const request: OpenRequest = {
  kind: 'open',
  context: 1,
  mechanism: 'kerberos',
  identity: { kind: 'implicit' },
  targetName: 'HTTP@files.corp.example',
  mutual: true,
  delegation: 'never',
}

const noParts = { password: undefined, channelBinding: undefined }

/** Two legs that end well, unless functions say otherwise; what was called is kept. */
function twoLegs(functions: Secur32 = {}, offered = MUTUAL + INTEGRITY) {
  const calls: { readonly name: string; readonly values: readonly Secur32Value[] }[] = []
  let leg = 0
  const all: Secur32 = {
    AcquireCredentialsHandleW: () => OK,
    InitializeSecurityContextW: (...values) => {
      const isLast = leg++ > 0
      const [token] = followBuffers(values[9])
      token?.fill(bytes(isLast ? '' : 'ours'))
      const attributes = values[10]
      if (attributes instanceof Uint32Array) attributes[0] = offered
      return isLast ? OK : CONTINUE_NEEDED
    },
    DeleteSecurityContext: () => OK,
    ...functions,
  }
  const recorded = Object.fromEntries(
    Object.entries(all).map(([name, call]) => [
      name,
      (...values: readonly Secur32Value[]) => {
        calls.push({ name, values })
        return call(...values)
      },
    ]),
  )
  return { initiator: new SspiInitiator(secur32(recorded)), calls }
}

describe('SspiInitiator', () => {
  test('goes on until both sides are proved, and deletes the context once', () => {
    const { initiator, calls } = twoLegs()
    const context = initiator.open(request, noParts)
    assert.deepEqual(context.step(undefined), {
      token: new Uint8Array(bytes('ours')),
      complete: false,
    })
    assert.deepEqual(context.step(bytes('theirs')), { complete: true })
    context.close()
    assert.deepEqual(
      calls.map(({ name }) => name),
      [
        'AcquireCredentialsHandleW',
        'InitializeSecurityContextW',
        'InitializeSecurityContextW',
        'DeleteSecurityContext',
      ],
    )
    const [, first, second] = calls
    assert.equal(first?.values[1], null, 'there is no context at first')
    assert.equal(second?.values[1], second?.values[8], 'and then it is the one that was made')
    assert.equal(new FoundMemory(first?.values[2]).text, 'HTTP/files.corp.example')
  })

  test('passes the token and the channel bindings of RFC 2743 in every leg', () => {
    const found: string[][] = []
    const { initiator } = twoLegs({
      InitializeSecurityContextW: (...values) => {
        found.push(
          (values[6] === null ? [] : followBuffers(values[6])).map(({ type, bytes }) => {
            if (type !== 14) return `${type}: ${said(bytes)}`
            const bindings = new FoundMemory(bytes)
            const [length, offset] = [bindings.number(24), bindings.number(28)]
            return `${type}: ${said(bytes.subarray(offset, offset + length))}`
          }),
        )
        return CONTINUE_NEEDED
      },
    })
    const channelBinding = bytes('tls-server-end-point:x')
    const bound = initiator.open(request, { password: undefined, channelBinding })
    bound.step(undefined)
    bound.step(bytes('theirs'))
    initiator.open(request, noParts).step(undefined)
    assert.deepEqual(found, [
      ['14: tls-server-end-point:x'],
      ['2: theirs', '14: tls-server-end-point:x'],
      [],
    ])
  })

  test('gives a name, a domain and a password to Windows, once', () => {
    let identity: FoundMemory | undefined
    const found: string[] = []
    const { initiator, calls } = twoLegs({
      AcquireCredentialsHandleW: (...values) => {
        identity = new FoundMemory(values[4])
        const parts = [0, 16, 32].map(
          (at) => identity?.follow(at, 2 * identity.number(at + 8)).text,
        )
        found.push(new FoundMemory(values[1]).text, ...parts.map((part) => part ?? ''))
        return OK
      },
    })
    const named = { ...request, identity: { kind: 'password', userName: 'CORP\\alice' } } as const
    const password = bytes('pässword')
    initiator.open(named, { password, channelBinding: undefined })
    initiator.open(named, { password, channelBinding: undefined })
    assert.deepEqual(found, ['Kerberos', 'alice', 'CORP', 'pässword'])
    assert.equal(calls.length, 1, 'Windows keeps credentials')
    assert.equal(identity?.number(44), 2, 'SEC_WINNT_AUTH_IDENTITY_UNICODE')
  })

  test('trusts no Kerberos context that does not prove the server, and takes one of Negotiate', () => {
    for (const mechanism of ['kerberos', 'negotiate'] as const) {
      const { initiator } = twoLegs({}, INTEGRITY)
      const context = initiator.open({ ...request, mechanism }, noParts)
      context.step(undefined)
      const finish = (): unknown => context.step(bytes('theirs'))
      if (mechanism === 'negotiate') assert.deepEqual(finish(), { complete: true })
      else assert.throws(finish, { code: 'ERR_SSPI_WEAK', reason: 'refused' })
    }
  })

  test('signs and verifies with buffers of the data and of the code', () => {
    const { initiator } = twoLegs({
      QueryContextAttributesW: (...values) => {
        const sizes = values[2]
        if (sizes instanceof Uint32Array) sizes.set([48, 28, 8, 16])
        return OK
      },
      MakeSignature: (...values) => {
        const [data, code] = followBuffers(values[2])
        assert.deepEqual([data?.type, code?.type, code?.bytes.length], [1, 2, 28])
        code?.fill(bytes(`code of ${said(data?.bytes)}`))
        return OK
      },
      VerifySignature: (...values) => {
        const [data, code] = followBuffers(values[1])
        return said(code?.bytes) === `code of ${said(data?.bytes)}` ? OK : 0x8009_030f
      },
    })
    const context = initiator.open(request, noParts)
    const code = context.sign(bytes('a list'))
    assert.equal(said(code), 'code of a list')
    assert(context.verify(bytes('a list'), code))
    assert(!context.verify(bytes('another'), code))
  })

  const failures = [
    ['AcquireCredentialsHandleW', NO_CREDENTIALS, undefined, 'ERR_SSPI_NO_CREDENTIALS', 'unable'],
    ['InitializeSecurityContextW', LOGON_DENIED, undefined, 'ERR_SSPI_LOGON_DENIED', 'refused'],
    ['InitializeSecurityContextW', 0x8009_0311, undefined, 'ERR_SSPI_DOMAIN', 'unable'],
    ['InitializeSecurityContextW', 0x8009_03ff, undefined, 'ERR_SSPI_FAILED', 'unable'],
    ['InitializeSecurityContextW', INVALID_TOKEN, bytes('forged'), 'ERR_SSPI_TOKEN', 'refused'],
    ['InitializeSecurityContextW', 0x8009_03ff, bytes('forged'), 'ERR_SSPI_FAILED', 'refused'],
  ] as const
  for (const [name, status, token, code, reason] of failures) {
    const when = token === undefined ? 'before the peer has spoken' : "about the peer's token"
    test(`${name} with 0x${status.toString(16)} ${when} is ${code}, ${reason}`, () => {
      const { initiator } = twoLegs({ [name]: () => status })
      assert.throws(() => initiator.open(request, noParts).step(token), {
        name: 'MechanismError',
        code,
        reason,
        message: new RegExp(`^Cannot .+ \\(0x${status.toString(16)}\\)$`, 'u'),
      })
    })
  }
})
