/**
 * JSON that is bytes already. A long answer is written in portions: what a portion was made of is garbage before the next
 * is begun, so that it dies young and the bytes, which no collector looks at, are all that is kept.
 */

/** The bytes of one JSON value, in pieces. */
export class EncodedJson {
  readonly pieces: readonly Uint8Array[]

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces
  }
}

const encoder = new TextEncoder()

/** Texts and bytes that follow each other, as bytes; texts side by side become one piece. */
export function encodeAll(parts: readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part
      continue
    }
    if (text !== '') pieces.push(encoder.encode(text))
    text = ''
    pieces.push(part)
  }
  if (text !== '') pieces.push(encoder.encode(text))
  return pieces
}

/** The items of a list that goes on: `1,2`, without brackets. @param items one or more */
export function encodeItems(items: readonly unknown[]): Uint8Array {
  return encoder.encode(JSON.stringify(items).slice(1, -1))
}
