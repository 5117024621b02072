import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isInPrefix, sortAddresses } from './addresses.ts'

const address = fc.oneof(fc.ipV4(), fc.ipV6())

describe('addresses of scripts', () => {
  test('sortAddresses() sorts the same whatever the order was, and twice is once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 1, maxLength: 8 }), (list) => {
        const sorted = sortAddresses(list.join(';'))
        assert.deepEqual(sorted.split(';').toSorted(), list.toSorted())
        assert.equal(sortAddresses(sorted), sorted)
        const firstIpv4 = sorted.split(';').findIndex((each) => !each.includes(':'))
        if (firstIpv4 !== -1) assert(!sorted.split(';').slice(firstIpv4).join().includes(':'))
      }),
    )
  })

  test('isInPrefix() holds for every address and its own prefix, of any length', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(32), (each, bits) =>
        assert(isInPrefix(each, `${each}/${bits}`)),
      ),
    )
    fc.assert(
      fc.property(fc.ipV6(), fc.nat(128), (each, bits) =>
        assert(isInPrefix(each, `${each}/${bits}`)),
      ),
    )
  })

  test('neither throws, whatever a script gives them', () => {
    const text = fc.oneof(fc.string(), address, fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(text, text, (a, b) => {
        assert.equal(typeof isInPrefix(a, b), 'boolean')
        assert.equal(typeof sortAddresses(`${a};${b}`), 'string')
      }),
    )
    assert.equal(sortAddresses('1.1.1.1;'.repeat(100_000)), '')
  })
})
