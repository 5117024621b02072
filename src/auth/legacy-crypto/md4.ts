/** MD4 (RFC 1320), which platforms no longer offer (A430). Broken as a hash; NTLM is defined by it. */

const blockBytes = 64
const lengthBytes = 8

/**
 * The MD4 digest of a message.
 *
 * @returns 16 bytes that belong to the caller; copies of the message made on the way are wiped
 */
export function md4(message: Uint8Array): Uint8Array {
  const padded = pad(message)
  const words = new DataView(padded.buffer)
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476])
  for (let offset = 0; offset < padded.length; offset += blockBytes) {
    addBlock(state, words, offset)
  }
  padded.fill(0)
  const digest = new DataView(new ArrayBuffer(16))
  for (const [index, word] of state.entries()) digest.setUint32(index * 4, word, true)
  return new Uint8Array(digest.buffer)
}

/** RFC 1320 §3.1 and §3.2: one bit, zeros, and the length in bits, to a whole number of blocks. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((message.length + 1 + lengthBytes) / blockBytes)
  const padded = new Uint8Array(blocks * blockBytes)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - lengthBytes, BigInt(message.length) * 8n, true)
  return padded
}

/** One of the three rounds of RFC 1320 §3.4. */
interface Round {
  readonly mix: (x: number, y: number, z: number) => number
  readonly constant: number
  /** Which word of the block each step takes. */
  readonly order: readonly number[]
  /** How far each step of four rotates. */
  readonly rotations: readonly number[]
}

const rounds: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    rotations: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    rotations: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    rotations: [3, 9, 11, 15],
  },
]

function addBlock(state: Uint32Array, words: DataView, offset: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = state
  for (const { mix, constant, order, rotations } of rounds) {
    for (const [step, index] of order.entries()) {
      const word = words.getUint32(offset + index * 4, true)
      const sum = (a + mix(b, c, d) + word + constant) | 0
      const rotation = rotations[step % 4] ?? 0
      const turned = (sum << rotation) | (sum >>> (32 - rotation))
      ;[a, b, c, d] = [d, turned, b, c]
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) {
    state[index] = ((state[index] ?? 0) + word) | 0
  }
}
