import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressBytes, isInside, parseHost, parsePort, parsePrefix } from './address.ts'

for (const [text, host] of [
  ['Example.COM', 'example.com'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['[::1]', '::1'],
  ['under_score', 'under_score'],
  ['10.1.2.3', '10.1.2.3'],
  ['fe80::1%eth0', undefined],
  ['[10.1.2.3]', undefined],
  ['[name]', undefined],
  ['', undefined],
  ['a b', undefined],
  ['a/b', undefined],
  ['a@b', undefined],
  ['a:1', undefined],
  ['*.a', undefined],
  ['%61', undefined],
  ['x'.repeat(254), undefined],
] as const) {
  test(`parseHost() makes ${host} of ${text.slice(0, 20)}`, () => {
    assert.equal(parseHost(text), host)
  })
}

test('parseHost() gives hosts that stand as they are in URLs, whatever it reads', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV6()), (text) => {
      const host = parseHost(text)
      if (host === undefined) return
      const inUrl = host.includes(':') ? `[${host}]` : host
      assert.equal(new URL(`http://${inUrl}/`).hostname, inUrl)
    }),
    { numRuns: 1_000 },
  )
})

test('isInside() agrees with Node about addresses and prefixes of both families', () => {
  const byte = fc.constantFrom(0, 1, 127, 128, 255)
  const four = fc.array(byte, { minLength: 4, maxLength: 4 }).map((bytes) => bytes.join('.'))
  const word = fc.constantFrom('0', '1', '8000', 'ff00', 'ffff', '2001')
  const six = fc.array(word, { minLength: 8, maxLength: 8 }).map((words) => words.join(':'))
  const pair = fc.oneof(
    fc.tuple(four, four, fc.integer({ min: 1, max: 32 })),
    fc.tuple(six, six, fc.integer({ min: 1, max: 128 })),
  )
  fc.assert(
    fc.property(pair, ([address, base, bits]) => {
      const family = isIPv4(address) ? 'ipv4' : 'ipv6'
      const list = new BlockList()
      list.addSubnet(base, bits, family)
      const bytes = addressBytes(address)
      const prefix = parsePrefix(`${base}/${bits}`)
      assert(bytes !== undefined && prefix !== undefined)
      assert.equal(isInside(bytes, prefix), list.check(address, family))
    }),
    { numRuns: 1_000 },
  )
})

test('addressBytes() reads every way to write an IPv6 address', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const usual = parseHost(text)
      assert(usual !== undefined)
      assert.deepEqual(addressBytes(text), addressBytes(usual))
      assert.equal(addressBytes(text)?.length, 16)
    }),
  )
})

for (const text of [
  '10.0.0.0',
  '10.0.0.0/',
  '10.0.0.0/33',
  '::/129',
  'a/8',
  '10/8',
  '[10.0.0.0]/8',
]) {
  test(`parsePrefix() refuses ${text}`, () => {
    assert.equal(parsePrefix(text), undefined)
  })
}

for (const [text, port] of [
  ['1', 1],
  ['65535', 65_535],
  ['0', undefined],
  ['65536', undefined],
  ['+1', undefined],
  ['', undefined],
] as const) {
  test(`parsePort() makes ${port} of ${JSON.stringify(text)}`, () => {
    assert.equal(parsePort(text), port)
  })
}
