/** Text on a terminal: how many columns it takes, cut and wrapped to fit, and harmless. */

export { harmless } from '../client/harmless.ts'

/** Characters that take two columns (UAX #11, wide), and that take none. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]/u
const NARROWER = /[\p{Mn}\p{Me}\p{Cf}]/u

/** How many columns a text takes. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOfOne(character)
  return columns
}

function columnsOfOne(character: string): number {
  if (character >= ' ' && character <= '~') return 1
  if (NARROWER.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** The text if it fits, else its beginning with an ellipsis. */
export function shorten(text: string, columns: number): string {
  return columnsOf(text) <= columns ? text : `${beginning(text, columns - 1)}…`
}

/** As many characters as fit. */
function beginning(text: string, columns: number): string {
  let taken = ''
  let left = columns
  for (const character of text) {
    left -= columnsOfOne(character)
    if (left < 0) break
    taken += character
  }
  return taken
}

/**
 * Breaks a text between words into lines that fit; a word that is longer than a line is broken within.
 *
 * @param indent stands in front of every line, and counts
 */
export function wrap(text: string, columns: number, indent = ''): readonly string[] {
  const room = Math.max(8, columns - columnsOf(indent))
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (columnsOf(joined) <= room) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    while (columnsOf(word) > room) {
      const piece = beginning(word, room)
      lines.push(piece)
      word = word.slice(piece.length)
    }
    line = word
  }
  return [...lines, line].map((each) => indent + each)
}
