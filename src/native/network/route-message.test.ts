import assert from 'node:assert/strict'
import { endianness } from 'node:os'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeRouteNews, encodeNoop, type RouteNews } from './route-message.ts'

const skip = endianness() === 'LE' ? false : 'the messages were recorded on a little-endian machine'

/** What Linux 6.18 told while `ip` changed a namespace, and what it means. */
const recorded: readonly {
  readonly what: string
  readonly hex: string
  readonly is: RouteNews[]
}[] = [
  {
    what: 'an acknowledgement',
    hex: '240000000200000100000000642f00000000000010000000010005000000000000000000',
    is: [{ kind: 'acknowledged' }],
  },
  {
    what: 'a refusal (ENETUNREACH)',
    hex: '240000000200000100000000642f00009bffffff10000000010005000000000000000000',
    is: [],
  },
  {
    what: 'the address 10.99.0.1/24 that came',
    hex: '4c000000140000001f95016b6f2f00000218800003000000080001000a630001080002000a6300010800030076653000080008008000000014000600ffffffffffffffff60f3130060f31300',
    is: [{ kind: 'addresses' }],
  },
  {
    what: 'the address 10.99.0.1/24 that went',
    hex: '4c000000150000001f95016b742f00000218800003000000080001000a630001080002000a6300010800030076653000080008008000000014000600ffffffffffffffff60f3130060f31300',
    is: [{ kind: 'addresses' }],
  },
  {
    what: 'the default route via 10.99.0.2 that came',
    hex: '34000000180000061f95016b702f000002000000fe0300010000000008000f00fe000000080005000a6300020800040003000000',
    is: [{ kind: 'defaultRoute', isThere: true, way: '2 15=fe000000 4=03000000 5=0a630002' }],
  },
  {
    what: 'the default route via 10.99.0.2 that went',
    hex: '34000000190000001f95016b732f000002000000fe0300010000000008000f00fe000000080005000a6300020800040003000000',
    is: [{ kind: 'defaultRoute', isThere: false, way: '2 15=fe000000 4=03000000 5=0a630002' }],
  },
  {
    what: 'the default route via fe80::1 that came',
    hex: '74000000180000061f95016b712f00000a000000fe0300010000000008000f00fe000000080006000004000014000500fe800000000000000000000000000001080004000300000024000c0000000000000000000000000000000000000000000000000000000000000000000500140000000000',
    is: [
      {
        kind: 'defaultRoute',
        isThere: true,
        way: '10 15=fe000000 4=03000000 5=fe800000000000000000000000000001 6=00040000',
      },
    ],
  },
  {
    what: 'a route to one network',
    hex: '3c000000180000061f95016b722f000002100000fe0300010000000008000f00fe000000080001000a010000080005000a6300020800040003000000',
    is: [],
  },
  {
    what: 'a default route that drops everything',
    hex: '24000000180000061f95016b752f000002000000fe0300060000000008000f00fe000000',
    is: [],
  },
]

describe('route messages', { skip }, () => {
  for (const { what, hex, is } of recorded) {
    test(`decodeRouteNews() understands ${what}`, () => {
      assert.deepEqual(decodeRouteNews(Buffer.from(hex, 'hex')), is)
    })
  }

  test('decodeRouteNews() reads several messages in one piece', () => {
    const all = Buffer.from(recorded.map(({ hex }) => hex).join(''), 'hex')
    assert.deepEqual(
      decodeRouteNews(all),
      recorded.flatMap(({ is }) => is),
    )
  })

  test('decodeRouteNews() leaves out what is cut off, and never throws', () => {
    const any = fc.constantFrom(...recorded)
    fc.assert(
      fc.property(
        any,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (one, share) => {
          const whole = Buffer.from(one.hex, 'hex')
          assert.deepEqual(decodeRouteNews(whole.subarray(0, Math.floor(whole.length * share))), [])
        },
      ),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        decodeRouteNews(bytes)
      }),
    )
    fc.assert(
      fc.property(any, fc.nat(200), fc.nat(255), ({ hex }, at, byte) => {
        const bytes = Buffer.from(hex, 'hex')
        decodeRouteNews(bytes.with(at % bytes.length, byte))
      }),
    )
  })

  test('encodeNoop() asks for nothing but an acknowledgement (netlink(7))', () => {
    assert.equal(Buffer.from(encodeNoop()).toString('hex'), '10000000010005000000000000000000')
  })
})
