import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { FailureError } from '../job/failure.ts'
import { acceptedPair } from '../job/server-validation.ts'
import { Authority, needsOpenssl } from './certificates.suite.ts'
import { fetchText, makeClient, ok, serve } from './servers.suite.ts'

function hashOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
}

function pemOf(base64 = ''): string {
  return String(new X509Certificate(Buffer.from(base64, 'base64'))).trim()
}

async function failureOf(work: Promise<unknown>): Promise<FailureError['failure']> {
  try {
    await work
  } catch (error) {
    if (error instanceof FailureError) return error.failure
    throw error
  }
  return assert.fail('the server was accepted')
}

describe('judging servers', { skip: needsOpenssl }, () => {
  test('exchange() asks nothing of a server that nobody accepted, and tells what it has shown (A84)', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue()
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const more = { caFile: authority.file, headers: [['X-Secret', 'word']] as const }
    const name = `localhost:${server.port}`
    const hash = hashOf(identity.cert)
    const client = makeClient(t)
    const others = [[], [acceptedPair({ server: 'localhost:1', hash })], [acceptedPair({ server: name, hash: '0'.repeat(64) })]] // prettier-ignore
    for (const accepted of others) {
      const failure = await failureOf(fetchText(client, server.url, { ...more, accepted }))
      const { symbol, context, severity, shown } = failure
      assert.equal(symbol, 'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED')
      assert.deepEqual([context, severity], ['SERVER_CERTIFICATE_CALLBACK', 'fatal'])
      assert.equal(shown?.server, name)
      const [own, issuer] = shown?.certificates ?? []
      assert.equal(pemOf(own), identity.cert.trim())
      assert.equal(pemOf(issuer), authority.pem.trim())
    }
    assert.deepEqual(server.targets, [])
    const accepted = [acceptedPair({ server: name, hash })]
    assert.equal((await fetchText(client, server.url, { ...more, accepted })).text, 'in')
    assert.equal((await fetchText(client, server.url, { ...more, accepted })).text, 'in')
    // The idle connection is not for whoever has not accepted it.
    await failureOf(fetchText(client, server.url, { ...more, accepted: [] }))
    assert.equal(server.targets.length, 2)
  })

  test('exchange() has nobody judge what the other checks do not let pass', async (t) => {
    const server = await serve(t, (peer) => peer.say(ok('in')), new Authority(t).issue())
    const more = { caFile: new Authority(t).file, accepted: [] }
    const failure = await failureOf(fetchText(makeClient(t), server.url, more))
    assert.equal(failure.symbol, 'ERROR_WINHTTP_SECURE_INVALID_CA')
  })
})
