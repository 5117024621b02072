/** Content-Disposition: the name a server suggests for what it sends (RFC 6266). */

import { safeFileName } from './file-name.ts'

/** The characters of a field that are looked at; three for each byte of the longest name, twice, and room around it. */
const LONGEST_CONTENT_DISPOSITION = 4096

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const quotedString = /"((?:[^"\\]|\\.)*)"/sy
const upToSemicolon = /[^;]*/y
const whiteSpace = /[ \t]*/y

/**
 * Reads the name that a Content-Disposition field suggests, whatever the disposition type.
 *
 * `filename*` wins over `filename` when it can be read (RFC 6266 §4.3). The bytes of `filename` are ISO-8859-1 by the
 * letter; when they make UTF-8 they are read as that, because this is what servers send. Beyond the grammar only this
 * is forgiven: white space in a value without quotes, and parameters that are empty or have no value.
 *
 * @param value as received, each byte one character; `undefined` when the field was absent
 * @returns a name that {@link safeFileName} has made; `undefined` when the field suggests none, breaks the grammar, has
 *   one parameter twice (RFC 6266 §4.1), or is longer than 4096 characters
 */
export function parseContentDispositionFileName(value: string | undefined): string | undefined {
  if (value === undefined || value.length > LONGEST_CONTENT_DISPOSITION) return undefined
  const parameters = readParameters(value)
  const extended = decodeExtendedValue(parameters?.get('filename*') ?? '')
  const fromExtended = extended === undefined ? undefined : safeFileName(extended)
  if (fromExtended !== undefined) return fromExtended
  const plain = parameters?.get('filename')
  return plain === undefined ? undefined : safeFileName(decodePlainValue(plain))
}

/** The parameters by their lower-case names, quotes and escapes taken off; `undefined` when the field is malformed. */
function readParameters(value: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  let at = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(value)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  take(whiteSpace)
  if (take(token) === null) return undefined
  for (take(whiteSpace); at < value.length; take(whiteSpace)) {
    if (value[at++] !== ';') return undefined
    take(whiteSpace)
    const name = take(token)?.[0].toLowerCase()
    take(whiteSpace)
    if (name === undefined || value[at] !== '=') continue
    at += 1
    take(whiteSpace)
    const quoted = value[at] === '"'
    const content = quoted
      ? take(quotedString)?.[1]?.replace(/\\(.)/gs, '$1')
      : take(upToSemicolon)?.[0].trim()
    if (content === undefined || parameters.has(name)) return undefined
    parameters.set(name, content)
  }
  return parameters
}

/** Undoes `charset'language'percent-encoded` (RFC 8187 §3.2); `undefined` when it is none or of another charset. */
function decodeExtendedValue(value: string): string | undefined {
  const [, charset = '', encoded = ''] = /^([^']*)'[^']*'(.*)$/s.exec(value) ?? []
  if (!/^(?:%[0-9a-f]{2}|[!-$&-~])+$/i.test(encoded)) return undefined
  const binary = encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  switch (charset.toLowerCase()) {
    case 'utf-8':
      return decodeUtf8(binary)
    // Not one that a sender may choose any more, and one that senders have chosen (RFC 5987 §3.2).
    case 'iso-8859-1':
      return binary
    default:
      return undefined
  }
}

function decodePlainValue(value: string): string {
  return decodeUtf8(value) ?? value
}

/** Reads each character as one byte of UTF-8; `undefined` when that does not work out. */
function decodeUtf8(binary: string): string | undefined {
  if (/[\u0100-\uffff]/.test(binary)) return undefined
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
