import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { FailureError } from '../job/failure.ts'
import { certificateFlags } from '../job/security-flags.ts'
import { Authority, needsOpenssl, type Identity } from './certificates.suite.ts'
import { fetchText, makeClient, ok, serve } from './servers.suite.ts'

const other = `sha256//${createHash('sha256').update('another key').digest('base64')}`

function pinOf({ cert }: Identity): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256//${createHash('sha256').update(key).digest('base64')}`
}

describe('pinned keys', { skip: needsOpenssl }, () => {
  test('exchange() asks only servers with one of the keys, on connections of their own', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue()
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const client = makeClient(t)
    const ask = async (...pinnedKeys: readonly string[]): Promise<string> =>
      (await fetchText(client, server.url, { caFile: authority.file, pinnedKeys })).text
    assert.equal(await ask(), 'in')
    await assert.rejects(ask(other), {
      code: 'ERROR_WINHTTP_SECURE_INVALID_CERT',
      message: `Cannot trust localhost: its public key is none of those that are pinned, but ${pinOf(identity)}`,
    })
    assert.equal(server.targets.length, 1)
    assert.equal(await ask(other, pinOf(identity)), 'in')
  })

  test('exchange() checks the key of a session that is resumed', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue()
    const server = await serve(t, (peer) => peer.say(ok('in', 'Connection: close\r\n')), identity)
    const client = makeClient(t)
    const more = { caFile: authority.file, pinnedKeys: [pinOf(identity)] }
    for (let round = 0; round < 3; round++) {
      assert.equal((await fetchText(client, server.url, more)).text, 'in')
    }
  })

  test('exchange() pins whoever has certified the key, and certifies whoever has it', async (t) => {
    const identity = new Authority(t).issue({ names: ['DNS:example.org'] })
    const server = await serve(t, (peer) => peer.say(ok('in')), identity)
    const caFile = new Authority(t).file
    const ask = async (securityFlags: number, pin: string): Promise<string> =>
      (await fetchText(makeClient(t), server.url, { caFile, securityFlags, pinnedKeys: [pin] }))
        .text
    const { ignoreAuthority, ignoreName } = certificateFlags
    assert.equal(await ask(ignoreAuthority | ignoreName, pinOf(identity)), 'in')
    for (const [flags, pin] of [
      [ignoreAuthority | ignoreName, other],
      [ignoreName, pinOf(identity)],
      [ignoreAuthority, pinOf(identity)],
    ] as const) {
      await assert.rejects(ask(flags, pin), FailureError)
    }
    assert.equal(server.targets.length, 1)
  })
})
