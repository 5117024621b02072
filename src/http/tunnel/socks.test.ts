import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeGreeting, encodeLogin, encodeRequest, encodeRequest4, replyRest, socksHost } from './socks.ts' // prettier-ignore

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const octets = (text: string): string => hex(Buffer.from(text, 'latin1'))

test('encodeGreeting() lists the methods (RFC 1928 §3)', () => {
  assert.equal(hex(encodeGreeting([0, 2])), '05020002')
})

test('encodeLogin() puts lengths before both parts (RFC 1929 §2)', () => {
  const login = encodeLogin(Buffer.from('ann'), Buffer.from('pw'))
  assert.equal(hex(login), `0103${octets('ann')}02${octets('pw')}`)
})

const requests = [
  ['example.org', 443, `05010003 0b ${octets('example.org')} 01bb`, 'a name stays a name (N101)'],
  ['192.0.2.1', 8080, '05010001 c0000201 1f90', 'IPv4'],
  ['2001:db8::1', 80, '05010004 20010db8 00000000 00000000 00000001 0050', 'IPv6'],
  ['::', 80, '05010004 00000000 00000000 00000000 00000000 0050', 'IPv6 of zeros'],
  ['::ffff:192.0.2.1', 80, '05010004 00000000 00000000 0000ffff c0000201 0050', 'IPv4 in IPv6'],
] as const

for (const [host, port, is, why] of requests) {
  test(`encodeRequest() asks for ${host} port ${port}: ${why}`, () => {
    assert.equal(hex(encodeRequest({ host, port })), is.replaceAll(' ', ''))
  })
}

const requests4 = [
  ['192.0.2.1', 80, '', '0401 0050 c0000201 00', 'an address as such'],
  ['example.org', 443, 'ann', `0401 01bb 00000001 ${octets('ann')}00 ${octets('example.org')}00`, 'a name behind an address that cannot be one (4a)'], // prettier-ignore
  ['::1', 80, '', `0401 0050 00000001 00 ${octets('::1')}00`, 'IPv6 as a name: it knows no other way'], // prettier-ignore
] as const

for (const [host, port, user, is, why] of requests4) {
  test(`encodeRequest4() asks for ${host}: ${why}`, () => {
    assert.equal(hex(encodeRequest4({ host, port }, Buffer.from(user))), is.replaceAll(' ', ''))
  })
}

test('encodeRequest() writes any IPv6 address as its sixteen octets', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, (groups) => {
      const full = groups.map((group) => group.toString(16)).join(':')
      const host = new URL(`http://[${full}]/`).hostname.slice(1, -1)
      const is = groups.map((group) => group.toString(16).padStart(4, '0')).join('')
      assert.equal(hex(encodeRequest({ host, port: 0 }).subarray(4, 20)), is)
    }),
  )
})

const replies = [
  ['0500000100', 5, 'IPv4'],
  ['0500000400', 17, 'IPv6'],
  ['0500000307', 9, 'a name of seven octets'],
  ['0500000900', undefined, 'no type of address'],
] as const

for (const [head, rest, what] of replies) {
  test(`replyRest() knows the rest of a reply with ${what}`, () => {
    assert.equal(replyRest(Buffer.from(head, 'hex')), rest)
  })
}

const hosts = [
  ['example.org', 'example.org'],
  ['example.org.', 'example.org'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['under_score.example', 'under_score.example'],
  ['::1', '::1'],
  [`${'a'.repeat(60)}.`.repeat(5), undefined],
] as const

for (const [host, is] of hosts) {
  test(`socksHost() sends ${host.slice(0, 30)} as ${is ?? 'nothing'}`, () => {
    assert.equal(socksHost(host), is)
  })
}
