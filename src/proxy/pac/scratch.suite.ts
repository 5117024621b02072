/** Scripts of a test: what is fetched is in memory, time is turned by hand, names are known or not. */

import type { Log } from '../../base/log.ts'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { LullError } from '../../base/error.ts'
import type { Scripts } from '../ports.ts'
import type { FetchedScript } from './download.ts'
import { knownNames } from './functions.suite.ts'
import { createScripts, type ScriptsOptions } from './scripts.ts'

/** Where the script of a test is. */
export const place = { url: 'http://scripts.example/proxy.pac', isDiscovered: false } as const

/** Scripts, and what they do to the world around them. */
export class Scratch implements AsyncDisposable {
  readonly clock = new TurnedClock()
  readonly scripts: Scripts
  /** What is at {@link place}; a function for what does not answer as it should. */
  served: string | (() => Promise<FetchedScript>) = ''
  /** How often it was fetched. */
  fetches = 0
  /** Names that were asked for, in order. */
  readonly asked: string[] = []
  /** What was written to the log. */
  readonly lines: string[] = []

  constructor(options: Partial<ScriptsOptions> = {}) {
    const log: Log = {
      write: (level, event, facts) => this.lines.push(`${level} ${event} ${JSON.stringify(facts)}`),
    }
    this.scripts = createScripts({
      clock: this.clock,
      log,
      fetchScript: async () => {
        this.fetches++
        if (typeof this.served === 'function') return this.served()
        return {
          status: 200,
          bytes: new TextEncoder().encode(this.served),
          contentType: 'x; charset=utf-8',
        }
      },
      names: {
        resolve: async (name) => {
          this.asked.push(name)
          const found = knownNames[name.toLowerCase()]
          if (found === undefined) throw new Error('no such name')
          return found
        },
        ownAddresses: async () => ['192.0.2.7', '2001:db8::7'],
      },
      // A thread that ends loses its state; the test that wants that says so.
      idleMs: Number.MAX_SAFE_INTEGER,
      ...options,
    })
  }

  /** What the script at {@link place} answers, or the code it fails with. */
  async ask(url = 'http://www.example.com/'): Promise<string> {
    try {
      return await this.scripts.evaluate(place, new URL(url))
    } catch (error) {
      if (error instanceof LullError) return error.code
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scripts.close()
  }
}

/** What one script answers for one URL. */
export async function askOnce(text: string, options?: Partial<ScriptsOptions>): Promise<string> {
  await using scratch = new Scratch(options)
  scratch.served = text
  return await scratch.ask()
}
