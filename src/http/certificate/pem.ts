/** PEM (RFC 7468) without text: what is in a private key must not become a string, which nobody can wipe. */

/** One block: `-----BEGIN label-----` to `-----END label-----`. */
export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`. */
  readonly label: string
  /** The whole block with both its lines: a view of what was searched. */
  readonly bytes: Uint8Array
}

const BEGIN = '-----BEGIN '
const DASHES = '-----'

/** No label is as long as this. */
const MAX_LABEL = 64

/** Bytes of DER in a line: 64 characters (RFC 7468 §2). */
const LINE_BYTES = 48

/** The blocks of a file, in their order; whatever stands between them is skipped. */
export function findPemBlocks(file: Uint8Array): readonly PemBlock[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const blocks: PemBlock[] = []
  for (let at = bytes.indexOf(BEGIN); at !== -1; at = bytes.indexOf(BEGIN, at + 1)) {
    const labelAt = at + BEGIN.length
    const labelEnd = bytes.indexOf(DASHES, labelAt)
    if (labelEnd === -1 || labelEnd - labelAt > MAX_LABEL) continue
    const label = bytes.toString('latin1', labelAt, labelEnd)
    const end = `${DASHES}END ${label}${DASHES}`
    const endAt = bytes.indexOf(end, labelEnd)
    if (endAt !== -1) blocks.push({ label, bytes: bytes.subarray(at, endAt + end.length) })
  }
  return blocks
}

/** One block. @returns bytes of its own, which the caller wipes when they are secret */
export function encodePem(label: string, der: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = Buffer.from(`${BEGIN}${label}${DASHES}\n`)
  const tail = Buffer.from(`${DASHES}END ${label}${DASHES}\n`)
  const lines = Math.ceil(der.length / LINE_BYTES)
  const pem = new Uint8Array(head.length + Math.ceil(der.length / 3) * 4 + lines + tail.length)
  pem.set(head)
  let at = head.length
  for (let from = 0; from < der.length; from += LINE_BYTES) {
    const line = der.subarray(from, from + LINE_BYTES)
    for (let place = 0; place < line.length; place += 3, at += 4) encodeGroup(line, place, pem, at)
    pem[at++] = LINE_FEED
  }
  pem.set(tail, at)
  return pem
}

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PAD = 0x3d
const LINE_FEED = 0x0a

/** Three octets as four characters (RFC 4648 §4). */
function encodeGroup(from: Uint8Array, place: number, to: Uint8Array, at: number): void {
  const [first = 0, second, third] = from.subarray(place, place + 3)
  const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
  to[at] = alphabet[bits >> 18] ?? 0
  to[at + 1] = alphabet[(bits >> 12) & 0x3f] ?? 0
  to[at + 2] = second === undefined ? PAD : (alphabet[(bits >> 6) & 0x3f] ?? 0)
  to[at + 3] = third === undefined ? PAD : (alphabet[bits & 0x3f] ?? 0)
}
