/** One script in its own engine: QuickJS compiled to WebAssembly, with nothing in it but the language and our library. */

import { Intrinsics, JSException, QuickJS, type JSValueHandle } from 'quickjs-wasi'
import { isInPrefix, sortAddresses } from './addresses.ts'
import { Budget } from './budget.ts'
import type { CallOrder, Outcome, Question, ScriptFault } from './conversation.ts'
import type { PacHost } from './host-functions.ts'
import type { EngineModule } from './engine.ts'
import { entryText, libraryText } from './library.ts'
import type { ScriptLimits } from './limits.ts'

/** What a machine is made of. */
export interface MachineOptions {
  /** The engine. */
  readonly engine: EngineModule
  readonly limits: ScriptLimits
  /** Stands still until there is an answer, and takes no longer than it is told; empty when there is none. */
  readonly ask: (question: Question, timeoutMs: number) => string
}

/** No name of DNS is longer, with its last dot (RFC 1035 §2.3.4). */
const LONGEST_NAME = 254

/** Words of a script in a sentence of ours. */
const LONGEST_REASON = 200

/** The language, without what browsers add to it. */
const LANGUAGE =
  Intrinsics.ALL & ~(Intrinsics.PERFORMANCE | Intrinsics.DOM_EXCEPTION | Intrinsics.ATOB_BTOA)

/** EBADF of WASI: the engine's own messages go nowhere. */
const BAD_FILE = 8

/** What the engine throws when a limit ends a script. */
const limitMessages =
  /^(?:interrupted|out of memory|Maximum call stack size exceeded|stack overflow)$/u

/** What the call under way has used; nothing while the machine is made, which is not the script's doing. */
interface Use {
  budget: Budget | undefined
}

/** A script that has been loaded. Its global object lives as long as it does, which is until its thread is
 * idle: scripts may keep state between calls and may not rely on it (N67). */
export class VirtualMachine {
  readonly #engine: QuickJS
  readonly #limits: ScriptLimits
  readonly #use: Use
  #entry: JSValueHandle | undefined
  #isSpoilt = false

  private constructor(engine: QuickJS, limits: ScriptLimits, use: Use) {
    this.#engine = engine
    this.#limits = limits
    this.#use = use
  }

  /** Loads a script. Whether that went well, {@link load} tells. */
  static async create(options: MachineOptions): Promise<VirtualMachine> {
    const { limits } = options
    const use: Use = { budget: undefined }
    const engine = await QuickJS.create({
      wasm: options.engine,
      wasi: () => ({ fd_write: () => BAD_FILE }),
      memoryLimit: limits.memory,
      maxStackSize: limits.stack,
      interruptHandler: () => use.budget?.isOver ?? false,
      intrinsics: LANGUAGE,
    })
    const machine = new VirtualMachine(engine, limits, use)
    machine.#install(options.ask)
    return machine
  }

  /** Whether a limit ended a call: what the script was doing then is half done, so it begins anew in another machine. */
  get isSpoilt(): boolean {
    return this.#isSpoilt
  }

  /** Runs the script itself, and finds the function that decides (N63). */
  load(text: string): Outcome {
    return this.#run('invalid', () => {
      this.#engine.evalCode(text, 'proxy script').dispose()
      const entry = this.#engine.evalCode(entryText)
      if (entry.isUndefined)
        return { reason: 'it defines neither FindProxyForURL nor FindProxyForURLEx' }
      this.#entry = entry
      return { answer: '' }
    })
  }

  /** Asks the function that decides. */
  call({ url, host }: CallOrder): Outcome {
    return this.#run('failed', () => {
      const entry = this.#entry ?? this.#engine.undefined
      const args = [this.#engine.newString(url), this.#engine.newString(host)]
      const result = this.#engine.callFunction(entry, this.#engine.undefined, ...args)
      for (const each of args) each.dispose()
      return result.consume((value) => this.#answerOf(value))
    })
  }

  /** Frees all of it. */
  dispose(): void {
    try {
      this.#engine.dispose()
    } catch {
      // Memory that a trap left half changed; nothing outside of it belongs to the engine.
    }
  }

  /** @returns the answer, or why it is none: null, undefined and nothing are an empty answer (N68) */
  #answerOf(value: JSValueHandle): Result {
    if (value.isUndefined || value.isNull) return { answer: '' }
    if (!value.isString)
      return { reason: `it returned no string but ${this.#engine.typeof(value)}` }
    const length = value.getProp('length').consume((each) => each.toNumber())
    if (length > this.#limits.answer) return { fault: 'limit', reason: 'its answer is too long' }
    return { answer: value.toString() }
  }

  #run(fault: ScriptFault, run: () => Result): Outcome {
    const budget = new Budget(this.#limits)
    this.#use.budget = budget
    const result = this.#guard(run, budget)
    const { said } = budget
    if ('answer' in result) return { ok: true, answer: result.answer, said }
    return { ok: false, fault: result.fault ?? fault, reason: result.reason, said }
  }

  #guard(run: () => Result, budget: Budget): Result {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof JSException)) {
        // The engine itself gave up, its stack used up where it keeps no count; its memory is not to be relied on.
        this.#isSpoilt = true
        return { fault: 'limit', reason: 'it needs too much depth' }
      }
      const reason = printable(error.message)
      const isLimit = budget.isOver || limitMessages.test(reason)
      this.#isSpoilt = isLimit
      return isLimit ? { fault: 'limit', reason } : { reason }
    }
  }

  #install(ask: MachineOptions['ask']): void {
    const engine = this.#engine
    const host = engine.newObject()
    const give = (name: keyof PacHost, answer: (...args: string[]) => string | boolean): void => {
      const fn = engine.newFunction(name, (...handles) => {
        const value = answer(
          ...handles.slice(0, 2).map((each) => (each.isString ? each.toString() : '')),
        )
        if (typeof value === 'string') return engine.newString(value)
        return value ? engine.true : engine.false
      })
      fn.consume((handle) => engine.setProp(host, name, handle))
    }
    const known = (key: string, question: Question): string =>
      this.#use.budget?.name(key, (timeoutMs) => ask(question, timeoutMs)) ?? ''
    const named = (kind: 'resolve' | 'resolveAll') => (name: string) =>
      name === '' || name.length > LONGEST_NAME ? '' : known(`${kind} ${name}`, { kind, name })
    const own = (kind: 'ownAddress' | 'ownAddresses') => () => known(kind, { kind })
    give('resolve', named('resolve'))
    give('resolveAll', named('resolveAll'))
    give('ownAddress', own('ownAddress'))
    give('ownAddresses', own('ownAddresses'))
    give('isInPrefix', isInPrefix)
    give('sortAddresses', sortAddresses)
    give('say', (line) => {
      this.#use.budget?.say(line)
      return ''
    })
    const install = engine.evalCode(libraryText, 'library')
    engine.callFunction(install, engine.undefined, host).dispose()
    install.dispose()
    host.dispose()
  }
}

type Result =
  | { readonly answer: string }
  | { readonly fault?: ScriptFault; readonly reason: string }

/** Words of a script without what moves a terminal's cursor. */
function printable(text: string): string {
  return text.slice(0, LONGEST_REASON).replaceAll(/\p{C}/gu, ' ')
}
