/** Reads the words that the authentication fields are made of (RFC 9110 §5.6), each in one pass. */

const tokenWord = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const token68Word = /[A-Za-z0-9\-._~+/]+=*/y
// More than a token: servers leave the quotes off values that need them (`nonce=a/b==`).
const bareWord = /[!\x23-\x2b\x2d-\x7e\x80-\xff]*/y
// What may stand in a quoted-string (RFC 9110 §5.6.4): no control character but the tab.
const quotable = /^[\t\x20-\x7e\x80-\xff]*$/
const blank = /[ \t]*/y

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
    return this.atEnd || this.#text[this.#position] === ','
  }

  /** Everything from here to the end. */
  rest(): string {
    const rest = this.#text.slice(this.#position)
    this.#position = this.#text.length
    return rest
  }

  /** Skips spaces and tabs; whether there were any. */
  skipBlank(): boolean {
    return this.#match(blank) !== ''
  }

  /** Skips commas and the blanks between them: empty list elements mean nothing (A171). */
  skipEmptyElements(): void {
    do this.skipBlank()
    while (this.#take(','))
  }

  token(): string | undefined {
    return this.#match(tokenWord)
  }

  /** A token68 that fills its list element (A173). */
  token68(): string | undefined {
    const start = this.#position
    const word = this.#match(token68Word)
    if (word !== undefined) {
      this.skipBlank()
      if (this.atElementEnd) return word
    }
    this.#position = start
    return undefined
  }

  /** `BWS "=" BWS value`, the value quoted or bare (A172), without its quotes and escapes. */
  assignment(): string | undefined {
    const start = this.#position
    this.skipBlank()
    if (this.#take('=')) {
      this.skipBlank()
      const value = this.#text[this.#position] === '"' ? this.#quoted() : this.#match(bareWord)
      this.skipBlank()
      if (value !== undefined && this.atElementEnd) return value
    }
    this.#position = start
    return undefined
  }

  /** Whether an equals sign follows, after blanks or without. */
  get beforeEquals(): boolean {
    let position = this.#position
    while (this.#text[position] === ' ' || this.#text[position] === '\t') position++
    return this.#text[position] === '='
  }

  #quoted(): string | undefined {
    const start = this.#position
    const value = this.#unquoted()
    if (value !== undefined && quotable.test(value)) return value
    this.#position = start
    return undefined
  }

  #unquoted(): string | undefined {
    let value = ''
    let from = this.#position + 1
    for (let at = from; at < this.#text.length; at++) {
      const character = this.#text[at]
      if (character === '"') {
        this.#position = at + 1
        return value + this.#text.slice(from, at)
      }
      if (character === '\\') {
        value += this.#text.slice(from, at)
        from = ++at
      }
    }
    return undefined
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false
    this.#position++
    return true
  }

  #match(word: RegExp): string | undefined {
    word.lastIndex = this.#position
    const match = word.exec(this.#text)?.[0]
    if (match !== undefined) this.#position += match.length
    return match
  }
}
