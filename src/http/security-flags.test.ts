import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { FailureError } from '../job/failure.ts'
import { certificateFlags, RELAXING_FLAGS } from '../job/security-flags.ts'
import { Authority, needsOpenssl, type Claims } from './certificates.suite.ts'
import type { HttpRequest } from './http.ts'
import { fetchText, makeClient, ok, serve, type Answer, type RawServer } from './servers.suite.ts'

/** What can be wrong with a certificate: by the flag that forgives it, what it is reported as. */
const flaws: ReadonlyMap<number, string> = new Map<number, string>([
  [certificateFlags.ignoreName, 'ERROR_WINHTTP_SECURE_CERT_CN_INVALID'],
  [certificateFlags.ignoreDate, 'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID'],
  [certificateFlags.ignoreAuthority, 'ERROR_WINHTTP_SECURE_INVALID_CA'],
  [certificateFlags.ignoreUsage, 'ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE'],
])

const everySet = Array.from({ length: RELAXING_FLAGS / 2 + 1 }, (_, place) => place * 2)

describe('security flags', { skip: needsOpenssl, concurrency: true }, () => {
  for (const wrong of everySet) {
    test(`exchange() forgives the flaws 0x${hex(wrong)} with their own flags and no others (A79)`, async (t) => {
      const authority = new Authority(t)
      const server = await answering(t, authority, wrong)
      const caFile = has(wrong, 'ignoreAuthority') ? new Authority(t).file : authority.file
      const client = makeClient(t)
      let answers = 0
      for (const securityFlags of everySet) {
        const left = wrong & ~securityFlags
        const more = { caFile, securityFlags }
        const what = `flags 0x${hex(securityFlags)}`
        if (left === 0) {
          assert.equal((await fetchText(client, server.url, more)).text, 'in', what)
          answers++
        } else {
          const symbol = await symbolOf(fetchText(client, server.url, more))
          assert.ok([...flaws].some(([flag, name]) => (left & flag) !== 0 && name === symbol), `${what}: ${symbol}`) // prettier-ignore
        }
      }
      // Nobody hears a request whose certificate is not accepted.
      assert.equal(server.targets.length, answers)
    })
  }

  test('exchange() hands no connection that was made with flags to a job without them', async (t) => {
    const authority = new Authority(t)
    const server = await answering(t, authority, certificateFlags.ignoreName)
    const client = makeClient(t)
    const relaxed = { caFile: authority.file, securityFlags: certificateFlags.ignoreName }
    // The connection stays open and idle.
    await fetchText(client, server.url, relaxed)
    await fetchText(client, server.url, relaxed)
    assert.equal(server.peers.length, 1)
    for (const securityFlags of [0, certificateFlags.ignoreDate]) {
      const more = { caFile: authority.file, securityFlags }
      const symbol = await symbolOf(fetchText(client, server.url, more))
      assert.equal(symbol, 'ERROR_WINHTTP_SECURE_CERT_CN_INVALID')
    }
    assert.equal(server.targets.length, 2)
  })

  test('exchange() resumes no TLS session with flags, whoever began it', async (t) => {
    const authority = new Authority(t)
    const resumed: boolean[] = []
    const answer: Answer = (peer) => {
      const { socket } = peer
      resumed.push(socket instanceof TLSSocket && socket.isSessionReused())
      peer.say(ok('in', 'Connection: close\r\n'))
    }
    const server = await serve(t, answer, authority.issue())
    const client = makeClient(t)
    const strict = { caFile: authority.file }
    const relaxed = { ...strict, securityFlags: certificateFlags.ignoreName }
    for (const more of [relaxed, strict, strict, relaxed, relaxed]) {
      await fetchText(client, server.url, more)
    }
    // Only the second of those without flags, and from the first of them.
    assert.deepEqual(resumed, [false, false, true, false, false])
  })

  test('exchange() tells what the flags do not forgive of a certificate inside a redirect', async (t) => {
    const authority = new Authority(t)
    const target = await answering(t, authority, certificateFlags.ignoreDate)
    const location = `Location: ${target.url}/\r\nContent-Length: 0\r\n\r\n`
    const server = await serve(
      t,
      (peer) => peer.say(`HTTP/1.1 302 Found\r\n${location}`),
      authority.issue(),
    )
    const ask = (securityFlags: number): Promise<{ readonly text: string }> =>
      fetchText(makeClient(t), server.url, { caFile: authority.file, securityFlags })
    assert.equal(await symbolOf(ask(0)), 'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID')
    assert.equal((await ask(certificateFlags.ignoreDate)).text, 'in')
  })

  const redirects: readonly (readonly [HttpRequest['redirects'], string | undefined])[] = [
    [{ follow: 'silent', allowHttpsToHttp: false }, 'ERROR_WINHTTP_REDIRECT_FAILED'],
    [{ follow: 'report', allowHttpsToHttp: false }, 'ERROR_WINHTTP_REDIRECT_FAILED'],
    [{ follow: 'disallow', allowHttpsToHttp: true }, 'BG_E_HTTP_ERROR_302'],
    [{ follow: 'silent', allowHttpsToHttp: true }, undefined],
    [{ follow: 'report', allowHttpsToHttp: true }, undefined],
  ]

  for (const [policy, symbol] of redirects) {
    const { follow, allowHttpsToHttp } = policy
    const may = allowHttpsToHttp ? 'with' : 'without'
    test(`exchange() makes ${symbol ?? 'no failure'} of https to http with ${follow}, ${may} 0x0800 (A79, A381)`, async (t) => {
      const authority = new Authority(t)
      const target = await serve(t, (peer) => peer.say(ok('in')))
      const location = `Location: ${target.url}/\r\nContent-Length: 0\r\n\r\n`
      const answer = `HTTP/1.1 302 Found\r\n${location}`
      const server = await serve(t, (peer) => peer.say(answer), authority.issue())
      const asked = fetchText(makeClient(t), server.url, { caFile: authority.file, redirects: policy }) // prettier-ignore
      if (symbol === undefined) assert.equal((await asked).text, 'in')
      else assert.equal(await symbolOf(asked), symbol)
    })
  }
})

/** A server whose certificate has these flaws, where they are its own. */
function answering(t: TestContext, authority: Authority, wrong: number): Promise<RawServer> {
  const claims: Claims = {
    ...(has(wrong, 'ignoreName') ? { names: ['DNS:example.org'] } : {}),
    ...(has(wrong, 'ignoreDate') ? { from: '20200101000000Z', to: '20200201000000Z' } : {}),
    ...(has(wrong, 'ignoreUsage') ? { usage: 'clientAuth' } : {}),
  }
  return serve(t, (peer) => peer.say(ok('in')), authority.issue(claims))
}

function has(flags: number, name: keyof typeof certificateFlags): boolean {
  return (flags & certificateFlags[name]) !== 0
}

function hex(flags: number): string {
  return flags.toString(16).padStart(2, '0')
}

async function symbolOf(exchange: Promise<unknown>): Promise<string> {
  try {
    await exchange
  } catch (error) {
    if (error instanceof FailureError) return error.failure.symbol
    throw error
  }
  return assert.fail('the certificate was accepted')
}
