/** The terminal in front of somebody, whatever standard input and output are connected to. */

import type { ReadStream } from 'node:tty'
import { LullError } from '../base/error.ts'
import { builtin } from './builtin.ts'
import { harmless } from './harmless.ts'
import { closeSync, openSync, writeSync } from './node-fs.ts'
import { TypedLine } from './typed-line.ts'

/** There is nobody to ask, or nobody who wants to answer. */
export class TerminalError extends LullError {}

/** How a question is asked. */
export interface AskOptions {
  /** Whether the answer is kept from the screen. */
  readonly hidden: boolean
  /** Gives the question up. */
  readonly signal?: AbortSignal
}

/** How the terminal of a process is called: for reading, and for writing. */
const names =
  process.platform === 'win32'
    ? { input: '\\\\.\\CONIN$', output: '\\\\.\\CONOUT$' }
    : { input: '/dev/tty', output: '/dev/tty' }

/**
 * Asks at the terminal of this process. Answers that are hidden are never shown, and the terminal is left as it was
 * found however the question ends: with an answer, with Ctrl-C, or with a signal that ends the process (Node gives the
 * terminal back before it dies of one).
 */
export class Terminal implements Disposable {
  readonly #input: ReadStream
  readonly #output: number
  /** Typed, or pasted, ahead of the next question. */
  #ahead = new Uint8Array(0)

  private constructor(input: ReadStream, output: number) {
    this.#input = input
    this.#output = output
  }

  /** Opens the terminal. @throws {TerminalError} `ERR_TERMINAL_ABSENT` when this process has none */
  static open(): Terminal {
    let output: number | undefined
    try {
      output = openSync(names.output, 'r+')
      const { ReadStream } = builtin('node:tty')
      return new Terminal(new ReadStream(openSync(names.input, 'r+')), output)
    } catch {
      if (output !== undefined) closeSync(output)
      throw new TerminalError('ERR_TERMINAL_ABSENT', 'Cannot ask: there is no terminal')
    }
  }

  /** Shows a sentence on a line of its own. */
  say(sentence: string): void {
    this.#write(`${harmless(sentence)}\n`)
  }

  /**
   * Asks, and shows the answer while it is typed unless it is to be hidden.
   *
   * @param question shown without a line end
   * @returns the answer, UTF-8 as it was typed; owned by the caller, who wipes it when it is secret
   * @throws {TerminalError} `ERR_TERMINAL_CANCELLED` when it is given up with Ctrl-C or Ctrl-D, or the terminal is gone
   */
  async ask(question: string, { hidden, signal }: AskOptions): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const line = new TypedLine()
    // Before the question: whoever answers at once is not shown either.
    if (hidden) this.#input.setRawMode(true)
    try {
      writeSync(this.#output, harmless(question))
      await this.#read(line, signal)
    } finally {
      if (hidden) {
        this.#input.setRawMode(false)
        this.#write('\n')
      }
    }
    if (line.state === 'done') return line.take()
    line.wipe()
    signal?.throwIfAborted()
    if (!hidden) this.#write('\n')
    throw new TerminalError('ERR_TERMINAL_CANCELLED', 'Nothing was answered')
  }

  /** Closes the terminal; what was typed ahead is wiped. */
  [Symbol.dispose](): void {
    this.#ahead.fill(0)
    this.#input.destroy()
    closeSync(this.#output)
  }

  #read(line: TypedLine, signal: AbortSignal | undefined): Promise<void> {
    this.#push(line, this.#ahead)
    if (line.state !== 'open') return Promise.resolve()
    return new Promise((resolve) => {
      const onData = (typed: Buffer): void => {
        this.#push(line, typed)
        if (line.state !== 'open') finish()
      }
      const onEnd = (): void => {
        line.end()
        finish()
      }
      const finish = (): void => {
        this.#input.off('data', onData).off('end', onEnd).off('error', onEnd).pause()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      signal?.addEventListener('abort', finish)
      this.#input.on('data', onData).on('end', onEnd).on('error', onEnd).resume()
    })
  }

  /** Gives the line what it takes, keeps what stands behind its end, and wipes the rest. */
  #push(line: TypedLine, typed: Uint8Array): void {
    const used = line.push(typed)
    // Not slice(), which of a Buffer is a view.
    this.#ahead = Uint8Array.from(typed.subarray(used))
    typed.fill(0)
  }

  /** Writes where nobody may be left to read. */
  #write(text: string): void {
    try {
      writeSync(this.#output, text)
    } catch {
      // The terminal is gone.
    }
  }
}
