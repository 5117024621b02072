import assert from 'node:assert/strict'
import { test } from 'node:test'

import { converse, openSession } from '../conversation.suite.ts'
import { Secret } from '../secret.ts'
import { testWorld } from '../world.suite.ts'
import { digestAcceptor, type DigestAcceptorOptions } from './digest-server.ts'
import { digestScheme } from './digest.ts'
import { index, mufasa, password } from './given.suite.ts'

const users = new Map([
  ['Mufasa', Secret.fromText('Circle of Life')],
  ['J\u00e4s\u00f8n Doe', Secret.fromText('Secret, or not?')],
])

const acceptors: readonly Partial<DigestAcceptorOptions>[] = [
  {},
  { qops: [], algorithms: [undefined] },
  { qops: ['auth-int'] },
  { userhash: true, utf8: true },
  ...['MD5', 'SHA-256', 'SHA-512-256'].flatMap((name) =>
    [name, `${name}-sess`].map((algorithm) => ({ algorithms: [algorithm] })),
  ),
  { algorithms: ['MD5-sess'], qops: [] },
  { algorithms: ['SHA-256-sess'], nextNonceAfter: 2 },
  { opaque: 'o"p' },
  { nonceUses: 1 },
  { nextNonceAfter: 1 },
  { nextNonceAfter: 3, nonceUses: 5 },
]

test('Digest gets into acceptors of every form, again and again', async (t) => {
  for (const options of acceptors) {
    await t.test(JSON.stringify(options), async () => {
      for (const [userName, secret] of users) {
        const acceptor = digestAcceptor({ realm: 'r', users, ...options }, testWorld())
        const session = openSession(digestScheme, {
          credentials: { kind: 'password', userName, password: secret },
        })
        for (let round = 0; round < 8; round++) {
          const { kind, text, sent } = await converse(session.begin(), acceptor, index)
          assert.deepEqual([kind, text], ['granted', userName])
          assert.ok(
            sent.length <= (round === 0 || options.nonceUses !== undefined ? 2 : 1),
            'no needless round trip',
          )
        }
      }
    })
  }
})

test('Digest is refused by acceptors that know another password', async () => {
  for (const options of acceptors) {
    const acceptor = digestAcceptor({ realm: 'r', users, ...options }, testWorld())
    const session = openSession(digestScheme, { credentials: password('Mufasa', 'circle of life') })
    const { kind, sent } = await converse(session.begin(), acceptor, index)
    assert.deepEqual([kind, sent.length], ['refused', 2], JSON.stringify(options))
  }
})

test('digestAcceptor() refuses a counter that does not grow, a uri that is another, and a method that is another', async () => {
  const acceptor = digestAcceptor({ realm: 'r', users }, testWorld())
  const outcome = await converse(
    openSession(digestScheme, { credentials: mufasa }).begin(),
    acceptor,
    index,
  )
  const [, header] = outcome.sent
  for (const facts of [index, { ...index, requestTarget: '/other' }, { ...index, method: 'PUT' }]) {
    assert.equal((await acceptor.receive(header, facts)).kind, 'challenged')
  }
})
