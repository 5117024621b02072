/** Where passwords come from: lines of standard input, or somebody at the terminal. Never the command line. */

import { Terminal, TerminalError } from '../client/terminal.ts'
import { exitStatus, usageError, withSymbol } from './cli-error.ts'

/** The longest line that is read: four bytes for each character that a password may have. */
const LINE_LIMIT = 4 * 65_536

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Which secret is wanted. */
export interface Wanted {
  /** As a sentence says it: `the password of alice for example.org`. */
  readonly what: string
  /** Whether it is a line of standard input; else somebody is asked. */
  readonly fromStdin: boolean
  /** The option that reads it from standard input. */
  readonly option: string
}

/** Reads secrets one after the other, and what stands behind them on standard input. */
export class SecretInput implements AsyncDisposable {
  #chunks: AsyncIterator<Buffer | string> | undefined
  /** Read, and not used. */
  #left = Buffer.alloc(0)
  #isAtEnd = false

  /**
   * Reads one secret. A standard input that is a terminal is asked like one.
   *
   * @throws {CliError} exit status 2 when there is none, or it is no UTF-8; 130 when the question is given up
   */
  async read({ what, fromStdin, option }: Wanted): Promise<string> {
    const bytes =
      fromStdin && !process.stdin.isTTY
        ? await this.#line(what)
        : await ask(what, fromStdin, option)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      throw usageError(`Cannot use ${what}: it is not UTF-8`)
    } finally {
      bytes.fill(0)
    }
  }

  /** Everything on standard input that no secret was. */
  async rest(): Promise<string> {
    const pieces = [this.#left]
    this.#left = Buffer.alloc(0)
    while (await this.#more()) {
      pieces.push(this.#left)
      this.#left = Buffer.alloc(0)
    }
    return Buffer.concat(pieces).toString('utf8')
  }

  /** Lets go of standard input: who writes there may keep it open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.fill(0)
    await this.#chunks?.return?.()
  }

  async #line(what: string): Promise<Buffer> {
    let end = this.#left.indexOf(LINE_FEED)
    while (end < 0 && (await this.#more())) {
      if (this.#left.length > LINE_LIMIT) throw usageError(`Cannot use ${what}: it is too long`)
      end = this.#left.indexOf(LINE_FEED)
    }
    if (end < 0 && this.#left.length === 0) {
      throw usageError(`Cannot read ${what}: standard input has no line for it`)
    }
    const whole = end < 0 ? this.#left.length : end
    const length = this.#left[whole - 1] === CARRIAGE_RETURN ? whole - 1 : whole
    const line = Buffer.from(this.#left.subarray(0, length))
    const left = Buffer.from(this.#left.subarray(whole + 1))
    this.#left.fill(0)
    this.#left = left
    return line
  }

  /** Reads on. @returns whether there was more */
  async #more(): Promise<boolean> {
    if (this.#isAtEnd) return false
    this.#chunks ??= process.stdin[Symbol.asyncIterator]()
    const { done, value } = await this.#chunks.next()
    if (done === true) {
      this.#isAtEnd = true
      return false
    }
    const chunk = Buffer.from(value)
    const joined = Buffer.concat([this.#left, chunk])
    this.#left.fill(0)
    chunk.fill(0)
    this.#left = joined
    return true
  }
}

async function ask(what: string, fromStdin: boolean, option: string): Promise<Uint8Array> {
  try {
    using terminal = Terminal.open()
    return await terminal.ask(`${what.replace(/^the p/u, 'P')}: `, { hidden: true })
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    if (error.code === 'ERR_TERMINAL_CANCELLED') {
      const sentence = `Cancelled: ${what} was not given, and nothing was changed`
      throw withSymbol(exitStatus.interrupted, 'ERROR_CANCELLED', 'NONE', sentence)
    }
    const hint = fromStdin
      ? 'neither is standard input'
      : `--${option} reads it from standard input`
    throw usageError(`Cannot ask for ${what}: there is no terminal, ${hint}`)
  }
}
