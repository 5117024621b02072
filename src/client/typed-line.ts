/** A line as somebody types it where nothing else edits it: bytes in, a line out. Knows no terminal. */

/** What became of a line after some bytes. */
export type LineState = 'open' | 'done' | 'cancelled'

/** Control characters that mean something while a line is typed (termios(3), as a terminal is set when it is new). */
const CTRL_C = 0x03
const CTRL_D = 0x04
const BACKSPACE = 0x08
const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const CTRL_U = 0x15
const ESCAPE = 0x1b
const DELETE = 0x7f

/** The longest line: four bytes for each of the 65,536 characters that a password may have (A16). */
const LIMIT = 4 * 65_536

/** Bytes there is room for at first; most passwords need no more, so that nothing is copied. */
const FIRST_ROOM = 256

/**
 * Collects one line: Backspace takes the last character away, Ctrl-U all of them, Enter ends the line, Ctrl-C gives it
 * up, and so does Ctrl-D as long as nothing stands there. Keys that send an escape sequence (arrows) do nothing.
 *
 * Whatever was typed is held in one buffer of its own, which is wiped when it grows and when the line is given up.
 */
export class TypedLine {
  #bytes = new Uint8Array(FIRST_ROOM)
  #length = 0
  #state: LineState = 'open'
  /** Where in an escape sequence the next byte stands (ECMA-48 §5.4). */
  #escape: 'none' | 'begun' | 'single' | 'parameters' = 'none'

  /** `open` until Enter or Ctrl-C. */
  get state(): LineState {
    return this.#state
  }

  /**
   * Takes what was typed.
   *
   * @returns how many of the bytes belong to this line; the others begin the next one
   */
  push(typed: Uint8Array): number {
    for (const [index, byte] of typed.entries()) {
      if (this.#state !== 'open') return index
      this.#take(byte)
    }
    return typed.length
  }

  /** The terminal is gone, or its end was typed: what stands there is the line, if anything does. */
  end(): void {
    if (this.#state === 'open') this.#state = this.#length === 0 ? 'cancelled' : 'done'
  }

  /** The line without its end; the caller owns the copy and wipes it. The line itself is wiped. */
  take(): Uint8Array {
    const line = this.#bytes.slice(0, this.#length)
    this.wipe()
    return line
  }

  /** Overwrites what was typed. May be called twice. */
  wipe(): void {
    this.#bytes.fill(0)
    this.#length = 0
  }

  #take(byte: number): void {
    if (this.#escape !== 'none') return this.#takeEscaped(byte)
    switch (byte) {
      case LINE_FEED:
      case CARRIAGE_RETURN:
        this.#state = 'done'
        return undefined
      case CTRL_C:
        this.wipe()
        this.#state = 'cancelled'
        return undefined
      case CTRL_D:
        return this.end()
      case BACKSPACE:
      case DELETE:
        return this.#dropCharacter()
      case CTRL_U:
        return this.wipe()
      case ESCAPE:
        this.#escape = 'begun'
        return undefined
      default:
        if (byte >= 0x20 || byte === TAB) this.#append(byte)
        return undefined
    }
  }

  /** `ESC [ parameters final`, `ESC O final`, `ESC final`. */
  #takeEscaped(byte: number): void {
    if (this.#escape === 'begun') {
      this.#escape = byte === 0x5b ? 'parameters' : byte === 0x4f ? 'single' : 'none'
    } else if (this.#escape === 'single' || (byte >= 0x40 && byte <= 0x7e)) {
      this.#escape = 'none'
    }
  }

  #append(byte: number): void {
    if (this.#length === LIMIT) return
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(Math.min(LIMIT, this.#bytes.length * 4))
      larger.set(this.#bytes)
      this.#bytes.fill(0)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = byte
  }

  /** A character of UTF-8 is one leading byte and those that continue it (RFC 3629 §3). */
  #dropCharacter(): void {
    while (this.#length > 0) {
      const byte = this.#bytes[--this.#length] ?? 0
      this.#bytes[this.#length] = 0
      if ((byte & 0xc0) !== 0x80) return
    }
  }
}
