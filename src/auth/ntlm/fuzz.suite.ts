/** What every decoder must hold on to, whatever it is fed. */

import assert from 'node:assert/strict'

import { assert as check, array, integer, oneof, property, tuple, uint8Array } from 'fast-check'

import { MisuseError, ProtocolError } from '../../base/error.ts'

/**
 * Feeds a decoder with chance, and with well-formed input that was cut, overwritten and lengthened.
 *
 * @param seeds well-formed input
 */
export function fuzz(decode: (bytes: Uint8Array) => unknown, seeds: readonly Uint8Array[]): void {
  const damage = array(tuple(integer({ min: 0, max: 600 }), integer({ min: 0, max: 255 })), {
    maxLength: 6,
  })
  const damaged = oneof(...seeds.map((seed) => damageOf(seed, damage)))
  check(
    property(oneof(uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      try {
        decode(bytes)
      } catch (error) {
        assert.ok(error instanceof ProtocolError || error instanceof MisuseError, String(error))
      }
    }),
    { numRuns: 1000 },
  )
}

function damageOf(seed: Uint8Array, damage: ReturnType<typeof array<[number, number]>>) {
  return tuple(damage, integer({ min: 0, max: seed.length + 8 })).map(([places, length]) => {
    const bytes = new Uint8Array(length)
    bytes.set(seed.subarray(0, length))
    for (const [place, value] of places) bytes[place % Math.max(length, 1)] = value
    return bytes
  })
}
