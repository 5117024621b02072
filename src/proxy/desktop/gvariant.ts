/** The text form of GVariant, as far as `gsettings` and `gdbus` write it for settings of proxies. */

/** A value: strings and lists of strings as such, everything else as its text. */
export type GVariant = string | readonly string[]

/**
 * Reads a string, a list of strings (also in a tuple), or anything else as the text it is.
 *
 * @see the text format in GLib's reference, "GVariant Text Format"
 */
export function parseGVariant(text: string): GVariant {
  const bare = text.trim().replace(/^@\w+ /u, '')
  if (bare.startsWith('[') || bare.startsWith('(')) return [...stringsIn(bare)]
  const [string] = /^['"]/u.test(bare) ? stringsIn(bare) : []
  return string ?? bare
}

/** `'…'` or `"…"`, with a backslash before quotes, backslashes, and the letters of control characters. */
const literals = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gsu

function* stringsIn(text: string): Generator<string> {
  for (const [, single, double] of text.matchAll(literals)) yield unescape(single ?? double ?? '')
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
])

function unescape(text: string): string {
  return text.replaceAll(
    /\\(?:u([\da-f]{4})|U([\da-f]{8})|(.))/gisu,
    (_, short?: string, long?: string, letter = '') => {
      const code = short ?? long
      if (code === undefined) return escapes.get(letter) ?? letter
      const point = Number.parseInt(code, 16)
      return point <= 0x10_ff_ff ? String.fromCodePoint(point) : '\ufffd'
    },
  )
}
