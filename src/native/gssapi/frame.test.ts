import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, FrameCollector, readFrame } from './frame.ts'

const frame = fc.record({
  head: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.nat(), fc.boolean())),
  parts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
})

function numbers(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [at, value] of values.entries()) view.setUint32(at * 4, value, true)
  return bytes
}

/** Reads from bytes as from a pipe that is closed behind them. */
function reader(bytes: Uint8Array): (length: number) => Uint8Array | undefined {
  let at = 0
  return (length) => {
    at += length
    return at > bytes.length ? undefined : bytes.subarray(at - length, at)
  }
}

describe('frames between us and a helper', () => {
  test('FrameCollector gives what was encoded, however the bytes are split', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 4 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(encodeFrame))
          const places = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b)]
          const collector = new FrameCollector<unknown>()
          const collected = [0, ...places].flatMap((from, at) =>
            collector.take(bytes.subarray(from, places[at] ?? bytes.length)),
          )
          assert.deepEqual(
            collected.map(({ head, parts }) => ({ head, parts: parts.map((part) => [...part]) })),
            frames.map(({ head, parts }) => ({
              head: JSON.parse(JSON.stringify(head)) as unknown,
              parts: parts.map((part) => [...part]),
            })),
          )
        },
      ),
    )
  })

  test('readFrame() gives nothing for a message that is cut off', () => {
    const bytes = encodeFrame({ head: { kind: 'step' }, parts: [Uint8Array.of(1, 2, 3)] })
    assert.notEqual(readFrame(reader(bytes)), undefined)
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(readFrame(reader(bytes.subarray(0, length))), undefined)
    }
  })

  test('encodeFrame() shares its memory with nothing, so that it can be wiped', () => {
    const part = Uint8Array.of(1, 2, 3)
    const bytes = encodeFrame({ head: {}, parts: [part] })
    assert.equal(bytes.buffer.byteLength, bytes.length)
    bytes.fill(0)
    assert.deepEqual(part, Uint8Array.of(1, 2, 3))
  })

  const absurd: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['no segment', numbers(0)],
    ['more segments than any message has', numbers(9)],
    ['a segment larger than any token', numbers(1, (1 << 20) + 1)],
  ]
  for (const [name, bytes] of absurd) {
    test(`readFrame() refuses ${name} before it is read`, () => {
      assert.throws(() => readFrame(reader(bytes)), {
        name: 'ProtocolError',
        code: 'ERR_FRAME_SIZE',
      })
    })
  }
})
