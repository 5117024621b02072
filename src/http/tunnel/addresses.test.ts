import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { asciiName, findAddresses, isLoopbackAddress, takeTurns } from './addresses.ts'

const { signal } = new AbortController()

const local = ['localhost', 'LOCALHOST', 'localhost.', 'app.localhost', 'a.b.localhost.']

for (const host of local) {
  test(`findAddresses() knows ${host} without asking anybody (RFC 6761 §6.3)`, () => {
    assert.deepEqual(findAddresses(host, signal), ['::1', '127.0.0.1'])
  })
}

for (const host of ['192.0.2.7', '::1', '2001:db8::7']) {
  test(`findAddresses() takes ${host} as it is`, () => {
    assert.deepEqual(findAddresses(host, signal), [host])
  })
}

for (const host of ['notlocalhost.invalid', 'localhost.invalid']) {
  test(`findAddresses() asks for ${host}, and says that there is none`, async () => {
    await assert.rejects(async () => findAddresses(host, signal), { syscall: 'getaddrinfo' })
  })
}

test('findAddresses() asks nobody for who has left, and lets go of who leaves', async () => {
  const reason = new Error('left')
  const controller = new AbortController()
  const asked = findAddresses('asked.invalid', controller.signal)
  controller.abort(reason)
  await assert.rejects(async () => asked, reason)
  await assert.rejects(async () => findAddresses('never.invalid', controller.signal), reason)
})

test('isLoopbackAddress() knows what leads to this machine in whatever form sockets tell it', () => {
  const own = ['127.0.0.1', '127.0.1.1', '127.255.255.254', '::1', '::ffff:127.0.0.1']
  const others = ['128.0.0.1', '10.127.0.1', '::', '::ffff:10.0.0.1', '127.0.0.1.example', '']
  assert.deepEqual(
    own.filter((each) => !isLoopbackAddress(each)),
    [],
  )
  assert.deepEqual([...others, undefined].filter(isLoopbackAddress), [])
})

const names = [
  ['example.org', 'example.org'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
  ['under_score.example', 'under_score.example'],
  ['::1', '::1'],
] as const

for (const [name, is] of names) {
  test(`asciiName() writes ${name} as ${is}`, () => {
    assert.equal(asciiName(name), is)
  })
}

const turns = [
  [
    ['::1', '::2', '::3', '1.0.0.1', '1.0.0.2'],
    ['::1', '1.0.0.1', '::2', '1.0.0.2', '::3'],
  ],
  [
    ['1.0.0.1', '1.0.0.2', '::1'],
    ['1.0.0.1', '::1', '1.0.0.2'],
  ],
  [['1.0.0.1'], ['1.0.0.1']],
  [[], []],
] as const

for (const [addresses, is] of turns) {
  test(`takeTurns() has the families of ${addresses.join(' ')} take turns (RFC 8305 §4)`, () => {
    assert.deepEqual(takeTurns(addresses), is)
  })
}

test('takeTurns() keeps each address, and the order within each family', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6())), (addresses) => {
      const taken = takeTurns(addresses)
      for (const family of [4, 6]) {
        const of = (all: readonly string[]): string[] => all.filter((one) => isIP(one) === family)
        assert.deepEqual(of(taken), of(addresses))
      }
      assert.equal(taken[0], addresses[0])
    }),
  )
})
