/** Text that people other than the reader wrote, made fit for a terminal. */

/** Control characters, and marks that turn the direction of what follows them. */
const HARMFUL = /[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/** The text with a `?` for everything that would move a terminal's cursor or hide what stands there. */
export function harmless(text: string): string {
  return text.replaceAll(HARMFUL, '?')
}
