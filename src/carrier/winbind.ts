/**
 * NTLM for who has logged on to a domain through winbind, which keeps what it takes: `ntlm_auth` of Samba speaks for it,
 * by lines (N120).
 *
 * ```
 * YR                 begin                 YR <base64>   our NEGOTIATE, to be sent
 * TT <base64>        their CHALLENGE       KK <base64>   our AUTHENTICATE; AF <base64> the same, and finished
 *                                          PW            no password is kept for this user
 *                                          BH <reason>   broken        NA <reason>   refused
 * ```
 *
 * It signs nothing, and takes neither a channel binding nor the name of a service, so that servers that insist on those
 * refuse what it makes (A400).
 */

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { MechanismError } from '../auth/error.ts'
import type { MechanismContext, MechanismStep } from '../auth/mechanism.ts'
import type { Clock } from '../base/clock.ts'
import { MisuseError } from '../base/error.ts'

/** How long one line may take: winbind may have to ask a domain controller. */
const ANSWER_MS = 10_000

/** Where winbind listens, unless it was built to listen elsewhere. */
const SOCKETS = ['/run/samba/winbindd/pipe', '/var/run/samba/winbindd/pipe'] as const

/** What winbind is reached by. */
export interface WinbindOptions {
  readonly clock: Pick<Clock, 'alarm'>
  /** Found through PATH. */
  readonly program?: string
  readonly sockets?: readonly string[]
  /** Who has logged on: `DOMAIN\user`, or a user of the machine's own domain. */
  readonly userName?: string
}

/** Whether winbind runs here. Quick: nothing is asked. */
export function hasWinbind({ sockets = SOCKETS }: Pick<WinbindOptions, 'sockets'> = {}): boolean {
  return sockets.some((socket) => existsSync(socket))
}

/**
 * Begins a context.
 *
 * @returns `undefined` where winbind knows no password of who is logged on
 * @throws {MechanismError} `ERR_NTLM_WINBIND` when it cannot be asked
 */
export async function openWinbind(options: WinbindOptions): Promise<MechanismContext | undefined> {
  const conversation = new Conversation(options)
  const [word, token] = await conversation.ask('YR')
  if (word === 'YR' && token !== undefined) return new WinbindContext(conversation, token)
  conversation.end()
  if (word === 'PW') return undefined
  throw broken(`it answers ${word}`)
}

/** Two messages. */
class WinbindContext implements MechanismContext {
  readonly #conversation: Conversation
  readonly #negotiate: string

  constructor(conversation: Conversation, negotiate: string) {
    this.#conversation = conversation
    this.#negotiate = negotiate
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    if (token === undefined) return { token: bytesOf(this.#negotiate), complete: false }
    const [word, answer] = await this.#conversation.ask(`TT ${textOf(token)}`)
    this.#conversation.end()
    if ((word === 'KK' || word === 'AF') && answer !== undefined) {
      return { token: bytesOf(answer), complete: true }
    }
    if (word === 'PW') throw broken('it keeps no password of who is logged on')
    throw broken(`it answers ${word}`)
  }

  sign(): Promise<Uint8Array> {
    return Promise.reject(signsNothing())
  }

  verify(): Promise<boolean> {
    return Promise.reject(signsNothing())
  }

  close(): void {
    this.#conversation.end()
  }
}

/** The program, and what is said to it: one line, one answer. */
class Conversation {
  readonly #clock: Pick<Clock, 'alarm'>
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  #answer: { resolve(line: string): void; reject(error: MechanismError): void } | undefined
  #gone: MechanismError | undefined

  constructor({ clock, program = 'ntlm_auth', userName = userInfo().username }: WinbindOptions) {
    this.#clock = clock
    const [, domain, user = ''] = /^(?:([^\\]+)\\)?(.*)$/su.exec(userName) ?? []
    const args = [
      '--helper-protocol=ntlmssp-client-1',
      '--use-cached-creds',
      `--username=${user}`,
      ...(domain === undefined ? [] : [`--domain=${domain}`]),
    ]
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child.stdin.on('error', () => undefined)
    this.#child.once('error', () => this.#fail('ntlm_auth cannot be started'))
    this.#child.once('exit', () => this.#fail('ntlm_auth has ended'))
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#lines.on('line', (line) => this.#answer?.resolve(line))
  }

  /** @returns the word of the answer, and what stands behind it */
  async ask(line: string): Promise<readonly [word: string, rest: string | undefined]> {
    if (this.#gone !== undefined) throw this.#gone
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#answer = { resolve, reject }
    using _alarm = this.#clock.alarm(ANSWER_MS, () => {
      this.#fail('ntlm_auth does not answer')
      this.end()
    })
    this.#child.stdin.write(`${line}\n`)
    const [, word = '', rest] = /^(\S*)(?: (.*))?$/su.exec(await promise) ?? []
    return [word, rest]
  }

  /** May be called twice. */
  end(): void {
    this.#lines.close()
    this.#child.kill('SIGKILL')
  }

  #fail(reason: string): void {
    this.#gone ??= broken(reason)
    this.#answer?.reject(this.#gone)
  }
}

/** What it says of reasons may have names in it. */
function broken(reason: string): MechanismError {
  const sentence = `Cannot use NTLM: winbind does not prove who is logged on: ${reason}`
  return new MechanismError('ERR_NTLM_WINBIND', sentence, { reason: 'unable' })
}

function signsNothing(): MisuseError {
  return new MisuseError('ERR_NTLM_STATE', 'Cannot sign with NTLM: winbind keeps the key')
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
