import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatHex } from '../hex.ts'
import { nodeHashes } from '../world.suite.ts'
import { encodeChannelBindings, hashChannelBinding } from './channel-bindings.ts'
import { hex } from './vectors.suite.ts'

const text = new TextEncoder()

test('encodeChannelBindings() lays out types, lengths and data (V50)', () => {
  assert.equal(
    formatHex(
      encodeChannelBindings({
        initiator: { type: 2, address: hex('01020304') },
        acceptor: { type: 0, address: hex('05060708') },
        applicationData: text.encode('caf\u00e9'),
      }),
    ),
    '02000000040000000102030400000000040000000506070805000000636166c3a9',
  )
})

test('hashChannelBinding() gives the published hashes (A401, V50)', () => {
  for (const [certificateHash, expected] of [
    [
      'ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95',
      '6586e99d81c2fc984e47172fd4dd0310',
    ],
    [
      'e3ca49271e5089cc48ce82109f1324f41dbeddc29a777410c738f7868c4ff405',
      '6ea19df066da4622051f9c4f92c6df74',
    ],
  ] as const) {
    const data = new Uint8Array([...text.encode('tls-server-end-point:'), ...hex(certificateHash)])
    assert.equal(formatHex(hashChannelBinding(data, nodeHashes)), expected)
  }
})

test('hashChannelBinding() is zero without a channel (A403)', () => {
  assert.deepEqual(hashChannelBinding(undefined, nodeHashes), new Uint8Array(16))
})
