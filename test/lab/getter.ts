/** Gets one file after the other with the command, each of them another file of one server. */

import assert from 'node:assert/strict'
import { proxyVariables } from '../../src/job/route.ts'
import { parseLastLine, type LastLine } from './expect.ts'
import { GatedOrigin } from './gated-origin.ts'
import { LullHome, type CommandResult } from './lull.ts'

/** A name that nobody knows but the proxies of the tests. */
export const HOST = 'files.corp.test'

/** Nothing of what this machine has set; an empty variable is none. */
export const noProxies = Object.fromEntries(proxyVariables.map((name) => [name, '']))

/** How a file is got. */
export interface Getting {
  readonly args?: readonly string[]
  /** On top of this process's own, without proxies. */
  readonly env?: Readonly<Record<string, string>>
  /** Where; the getter's own home when absent. */
  readonly from?: LullHome
  /** What its standard input says. */
  readonly input?: string
}

/** One who gets. */
export class Getter implements AsyncDisposable {
  readonly origin: GatedOrigin
  /** Jobs that have failed must not keep others waiting. */
  readonly home = new LullHome({ config: { backgroundJobs: 100 } })
  #files = 0

  private constructor(origin: GatedOrigin) {
    this.origin = origin
  }

  static async start(): Promise<Getter> {
    return new Getter(await GatedOrigin.start())
  }

  /** A file that nobody has asked for yet, by a name of its server. */
  file(host = HOST, from = this.origin, kind: 'good' | 'held' = 'good'): string {
    const { port, protocol } = new URL(from.url('/'))
    return `${protocol}//${host}:${port}/${kind}/${++this.#files}`
  }

  /** Gets a file, and checks that it is whole. */
  async get(url: string, how: Getting = {}): Promise<void> {
    const { status, stderr } = await this.attempt(url, how)
    assert.equal(status, 0, stderr)
    this.assertWhole(url, how.from)
  }

  /** Asserts that a file is there as the server has it. */
  assertWhole(url: string, from = this.home): void {
    assert.equal(this.origin.content.firstDifference(from.path(nameOf(url))), undefined)
  }

  /** Fails to get a file, and tells the reason. */
  async fail(url: string, how: Getting = {}): Promise<LastLine & { readonly stderr: string }> {
    const { status, stderr, lastLine } = await this.attempt(url, how)
    assert.equal(status, 1, stderr)
    return { ...parseLastLine(lastLine), stderr }
  }

  /** Gets a file with one attempt, whatever comes of it. */
  attempt(
    url: string,
    { args = [], env = {}, from = this.home, input }: Getting,
  ): Promise<CommandResult> {
    const command = ['get', url, '-o', nameOf(url), '--no-progress-timeout', '0', ...args]
    const given = input === undefined ? {} : { input }
    return from.run(command, { env: { ...noProxies, ...env }, ...given })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]()
    await this.origin[Symbol.asyncDispose]()
  }
}

/** Under which name a file is saved. */
export function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1)
}
