/**
 * DES in ECB mode, encryption only: the responses of NTLM before version 2 are made with it (MS-NLMP §6). Bits are
 * counted from 1 at the most significant end, as in FIPS 46-3, and a block is a list of its bits: slow and plain,
 * which is enough for the few blocks of one response. The lists are left to the collector, unlike every other copy of
 * a key in this room: they exist at LM compatibility levels below 3 only, where the key is the least of the worries.
 */

type Bits = readonly number[]

const blockBytes = 8

/**
 * Encrypts one block.
 *
 * @param key 8 bytes; the lowest bit of each is parity and ignored
 * @param block 8 bytes
 * @returns 8 bytes that belong to the caller
 * @throws {RangeError} when key or block have another length
 * @see FIPS 46-3
 */
export function encryptDesBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  if (key.length !== blockBytes || block.length !== blockBytes) {
    throw new RangeError(`Cannot encrypt with DES: key ${key.length}, block ${block.length} bytes`)
  }
  const bits = permute(toBits(block), initialPermutation)
  let left: Bits = bits.slice(0, 32)
  let right: Bits = bits.slice(32)
  for (const subkey of scheduleOf(key)) {
    ;[left, right] = [right, exclusiveOr(left, feistel(right, subkey))]
  }
  return toBytes(permute([...right, ...left], finalPermutation))
}

/**
 * Spreads 56 bits of key over 8 bytes and gives each odd parity.
 *
 * @param key 7 bytes
 * @returns 8 bytes that belong to the caller
 * @throws {RangeError} when the key has another length
 */
export function expandDesKey(key: Uint8Array): Uint8Array {
  if (key.length !== 7) throw new RangeError(`Cannot expand a DES key: ${key.length} bytes`)
  const bits = toBits(key)
  const spread: number[] = []
  for (let start = 0; start < bits.length; start += 7) {
    const seven = bits.slice(start, start + 7)
    const ones = seven.reduce((sum, bit) => sum + bit, 0)
    spread.push(...seven, 1 - (ones % 2))
  }
  return toBytes(spread)
}

function* scheduleOf(key: Uint8Array): Iterable<Bits> {
  let halves = permute(toBits(key), keyChoice)
  for (const count of keyRotations) {
    halves = [...rotate(halves.slice(0, 28), count), ...rotate(halves.slice(28), count)]
    yield permute(halves, subkeyChoice)
  }
}

function feistel(half: Bits, subkey: Bits): Bits {
  const mixed = exclusiveOr(permute(half, expansion), subkey)
  const substituted = substitutions.flatMap((box, index) => {
    const [b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = mixed.slice(index * 6, index * 6 + 6)
    const row = b1 * 2 + b6
    const column = b2 * 8 + b3 * 4 + b4 * 2 + b5
    const value = box[row * 16 + column] ?? 0
    return [(value >> 3) & 1, (value >> 2) & 1, (value >> 1) & 1, value & 1]
  })
  return permute(substituted, roundPermutation)
}

function permute(bits: Bits, positions: readonly number[]): Bits {
  return positions.map((position) => bits[position - 1] ?? 0)
}

function exclusiveOr(left: Bits, right: Bits): Bits {
  return left.map((bit, index) => bit ^ (right[index] ?? 0))
}

function rotate(bits: Bits, count: number): Bits {
  return [...bits.slice(count), ...bits.slice(0, count)]
}

function toBits(bytes: Uint8Array): Bits {
  const bits: number[] = []
  for (const byte of bytes) for (let bit = 7; bit >= 0; bit--) bits.push((byte >> bit) & 1)
  return bits
}

function toBytes(bits: Bits): Uint8Array {
  const bytes = new Uint8Array(bits.length / 8)
  for (const [index, bit] of bits.entries()) {
    bytes[index >> 3] = ((bytes[index >> 3] ?? 0) << 1) | bit
  }
  return bytes
}

/** FIPS 46-3, table IP: 58, 50, 42, 34, 26, 18, 10, 2, 60, … */
const initialPermutation = [58, 60, 62, 64, 57, 59, 61, 63].flatMap((first) =>
  Array.from({ length: 8 }, (_, step) => first - step * 8),
)

/** The inverse of {@link initialPermutation}. */
const finalPermutation = Array.from(
  { length: 64 },
  (_, index) => initialPermutation.indexOf(index + 1) + 1,
)

/** FIPS 46-3, table E: six bits around each four, wrapping at the ends. */
const expansion = Array.from({ length: 8 }, (_, group) => group * 4).flatMap((start) =>
  Array.from({ length: 6 }, (_, step) => ((start + step + 31) % 32) + 1),
)

/** FIPS 46-3, table P. */
// oxfmt-ignore
const roundPermutation = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
  2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
]

/** FIPS 46-3, table PC-1: the halves C and D of the key. */
// oxfmt-ignore
const keyChoice = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
  10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
  14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
]

/** FIPS 46-3, table PC-2. */
// oxfmt-ignore
const subkeyChoice = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4,
  26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30, 40,
  51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
]

/** FIPS 46-3: how far the halves of the key turn before each of the 16 rounds. */
const keyRotations = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]

/** FIPS 46-3, tables S1 to S8: four rows of sixteen values, each a hexadecimal digit. */
const substitutions = [
  'e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d',
  'f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9',
  'a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c',
  '7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e',
  '2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453',
  'c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d',
  '4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c',
  'd2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b',
].map((rows) => Uint8Array.from(rows.replaceAll(' ', ''), (digit) => Number.parseInt(digit, 16)))
