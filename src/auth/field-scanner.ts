/** Reads the words that the authentication fields are made of (RFC 9110 §5.6), each in one pass. */

import { octetsIn } from './octets.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const EQUALS = 0x3d

const blank = octetsIn(/[ \t]/)
const tokenCharacter = octetsIn(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)
const token68Character = octetsIn(/[A-Za-z0-9\-._~+/]/)
const equalsSign = octetsIn(/=/)
// More than a token: servers leave the quotes off values that need them (`nonce=a/b==`).
const bareCharacter = octetsIn(/[!\x23-\x2b\x2d-\x7e\x80-\xff]/)
// What may stand in a quoted-string (RFC 9110 §5.6.4): no control character but the tab.
const quotable = octetsIn(/[\t\x20-\x7e\x80-\xff]/)

/** A position in one field value. Every method either consumes what it returns, or nothing. */
export class FieldScanner {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length
  }

  /** Whether a list element ends here: at a comma or at the end. */
  get atElementEnd(): boolean {
    return this.atEnd || this.#isAt(COMMA)
  }

  /** Everything from here to the end. */
  rest(): string {
    const rest = this.#text.slice(this.#position)
    this.#position = this.#text.length
    return rest
  }

  /** Skips spaces and tabs; whether there were any. */
  skipBlank(): boolean {
    const start = this.#position
    this.#position = this.#skip(blank, start)
    return this.#position > start
  }

  /** Skips commas and the blanks between them: empty list elements mean nothing (A171). */
  skipEmptyElements(): void {
    do this.skipBlank()
    while (this.#take(COMMA))
  }

  token(): string | undefined {
    const word = this.#word(tokenCharacter)
    return word === '' ? undefined : word
  }

  /** A token68 that fills its list element (A173). */
  token68(): string | undefined {
    const start = this.#position
    const end = this.#skip(equalsSign, this.#skip(token68Character, start))
    const isWord = end > start && !this.#isAt(EQUALS)
    this.#position = end
    this.skipBlank()
    if (isWord && this.atElementEnd) return this.#text.slice(start, end)
    this.#position = start
    return undefined
  }

  /** `BWS "=" BWS value`, the value quoted or bare (A172), without its quotes and escapes. */
  assignment(): string | undefined {
    const start = this.#position
    this.skipBlank()
    if (this.#take(EQUALS)) {
      this.skipBlank()
      const value = this.#isAt(QUOTE) ? this.#quoted() : this.#word(bareCharacter)
      this.skipBlank()
      if (value !== undefined && this.atElementEnd) return value
    }
    this.#position = start
    return undefined
  }

  /** Whether an equals sign follows, after blanks or without. */
  get beforeEquals(): boolean {
    return this.#text.charCodeAt(this.#skip(blank, this.#position)) === EQUALS
  }

  #quoted(): string | undefined {
    const text = this.#text
    let value = ''
    let from = this.#position + 1
    for (let at = from; at < text.length; at++) {
      const character = text.charCodeAt(at)
      if (character === QUOTE) {
        this.#position = at + 1
        return value + text.slice(from, at)
      }
      if (character === BACKSLASH) {
        value += text.slice(from, at)
        from = ++at
      }
      if (at < text.length && quotable[text.charCodeAt(at)] !== 1) return undefined
    }
    return undefined
  }

  #isAt(character: number): boolean {
    return this.#text.charCodeAt(this.#position) === character
  }

  #take(character: number): boolean {
    if (!this.#isAt(character)) return false
    this.#position++
    return true
  }

  /** The characters of a class from here on; empty when the next one is in another. */
  #word(characters: Uint8Array): string {
    const start = this.#position
    this.#position = this.#skip(characters, start)
    return this.#text.slice(start, this.#position)
  }

  /** Where the characters of a class end, from a place on. */
  #skip(characters: Uint8Array, from: number): number {
    const text = this.#text
    let at = from
    while (at < text.length && characters[text.charCodeAt(at)] === 1) at++
    return at
  }
}
