import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ProtocolError } from '../../base/error.ts'
import { decodeReply, encodeInform } from './dhcp-message.ts'
import { encodeReply } from './dhcp-server.suite.ts'

const hardwareAddress = Uint8Array.from([2, 0, 0, 0, 0, 1])

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('DHCP messages', () => {
  test('encodeInform() writes what RFC 2131 §2 and §4.4.3 say', () => {
    const bytes = encodeInform({
      transaction: 0x01020304,
      clientAddress: Uint8Array.from([10, 97, 0, 2]),
      hardwareAddress,
      wanted: [252],
    })
    const hex = Buffer.from(bytes).toString('hex')
    assert.equal(bytes.length, 300)
    assert.equal(hex.slice(0, 24), '010106000102030400000000')
    // ciaddr is ours, yiaddr, siaddr and giaddr are not.
    assert.equal(hex.slice(24, 56), `0a610002${'00'.repeat(12)}`)
    assert.equal(hex.slice(56, 88), `020000000001${'00'.repeat(10)}`)
    assert.match(hex.slice(472), /^63825363350108370_?1fcff0*$/u)
  })

  test('decodeReply() reads what a server writes, whatever the options are', () => {
    const option = fc.tuple(
      fc.integer({ min: 1, max: 254 }).filter((code) => code !== 52),
      fc.uint8Array({ maxLength: 600 }),
    )
    const options = fc.uniqueArray(option, { maxLength: 4, selector: ([code]) => code })
    fc.assert(
      fc.property(fc.nat(0xffffffff), options, (transaction, each) => {
        const reply = decodeReply(
          encodeReply({ transaction, hardwareAddress, options: new Map(each) }),
        )
        assert.equal(reply.transaction, transaction)
        assert.deepEqual(reply.hardwareAddress, hardwareAddress)
        assert.deepEqual(
          [...reply.options].toSorted(([a], [b]) => a - b),
          each.toSorted(([a], [b]) => a - b),
        )
      }),
    )
  })

  test('decodeReply() reads options in the fields of names too (RFC 2132 §9.3), padded, without an end', () => {
    const bytes = encodeReply({ transaction: 1, hardwareAddress, options: new Map() })
    bytes.set([52, 1, 3, 0, 0, 252, 1, 0x61], 240)
    bytes.set([252, 1, 0x62, 255], 108)
    bytes.set([0, 252, 2, 0x63, 0x64, ...new Uint8Array(59)], 44)
    assert.deepEqual(decodeReply(bytes.subarray(0, 248)).options.get(252), bytesOf('abcd'))
  })

  const malformed = [
    [(bytes: Uint8Array) => bytes.subarray(0, 239), 'cut off in its head'],
    [(bytes: Uint8Array) => bytes.fill(1, 0, 1), 'a request'],
    [(bytes: Uint8Array) => bytes.fill(0, 236, 240), 'without the magic cookie'],
    [(bytes: Uint8Array) => bytes.fill(17, 2, 3), 'with a long hardware address'],
    [(bytes: Uint8Array) => bytes.subarray(0, 242), 'cut off in an option'],
    [(bytes: Uint8Array) => bytes.subarray(0, 241), 'cut off after the number of an option'],
    [() => new Uint8Array(10_000), 'longer than a datagram'],
  ] as const

  for (const [spoil, what] of malformed) {
    test(`decodeReply() refuses a message ${what}`, () => {
      const options = new Map([[252, bytesOf('http://a/')]])
      const bytes = encodeReply({ transaction: 1, hardwareAddress, options })
      assert.throws(() => decodeReply(spoil(bytes)), { code: 'ERR_DHCP_MALFORMED' })
    })
  }

  test('decodeReply() takes anything at all, and throws nothing but its own error', () => {
    const whole = encodeReply({
      transaction: 7,
      hardwareAddress,
      options: new Map([[252, bytesOf('http://a/')]]),
    })
    const spoilt = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 })
      .map((changes) => {
        const bytes = whole.slice()
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), spoilt), (bytes) => {
        try {
          const { options } = decodeReply(bytes)
          for (const [, value] of options) assert(value.length <= bytes.length)
        } catch (error) {
          assert(error instanceof ProtocolError)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
