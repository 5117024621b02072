/** The port `Mechanisms` of the room auth, over helpers: one for each identity, with surroundings of its own. */

import { createHmac, randomBytes } from 'node:crypto'
import { MechanismError } from '../../auth/error.ts'
import type {
  ContextRequest,
  MechanismContext,
  MechanismIdentity,
  MechanismName,
  Mechanisms,
  MechanismStep,
} from '../../auth/mechanism.ts'
import type { Clock } from '../../base/clock.ts'
import { assert } from '../../base/error.ts'
import type { Delegation, HelperAnswer, HelperIdentity } from './conversation.ts'
import type { Frame } from './frame.ts'
import { HelperProcess } from './helper-process.ts'

/** What differs between the libraries of the platforms. */
export interface MechanismPlatform {
  /** The helper's program. */
  readonly script: URL
  /** As in the port. */
  unavailable(mechanism: MechanismName): string | undefined
  /**
   * Where and as whom an identity is proved.
   *
   * @throws {MechanismError} when the identity has no name that the library would understand
   */
  place(identity: MechanismIdentity, targetName: string): HelperPlace
}

/** What makes one helper differ from another. */
export interface HelperPlace {
  readonly identity: HelperIdentity
  /** All of the helper's environment. */
  readonly environment: Readonly<Record<string, string>>
}

/** How helpers are kept. */
export interface HelperPolicy {
  readonly clock: Clock
  /** How long the library may take for one step; 10 s. A KDC that hangs takes longer. */
  readonly deadlineMs?: number
  /** How long a helper stays that has nothing to do; 60 s. */
  readonly idleMs?: number
  /** How many helpers are kept; 8. Each has some 15 MB of its own. Those in use stay, however many. */
  readonly maximumHelpers?: number
  /** Whether services may act for the user; never. */
  readonly delegation?: Delegation
}

const DEADLINE_MS = 10_000
const IDLE_MS = 60_000

const MAXIMUM_HELPERS = 8

/** Makes contexts in helpers, starts these when they are needed, and ends them when they are not. */
export class HelperMechanisms implements Mechanisms, AsyncDisposable {
  readonly #platform: MechanismPlatform
  readonly #policy: Required<HelperPolicy>
  /** In the order of their last use. */
  readonly #helpers = new Map<string, HelperProcess>()
  /** Helpers that were ended and may not be gone. */
  readonly #leaving = new Set<HelperProcess>()
  /** Passwords are told apart by this, so that none is kept for it. */
  readonly #key = randomBytes(32)
  #lastContext = 0
  #isStopped = false

  constructor(platform: MechanismPlatform, policy: HelperPolicy) {
    this.#platform = platform
    this.#policy = {
      deadlineMs: DEADLINE_MS,
      idleMs: IDLE_MS,
      maximumHelpers: MAXIMUM_HELPERS,
      delegation: 'never',
      ...policy,
    }
  }

  unavailable(mechanism: MechanismName): string | undefined {
    return this.#platform.unavailable(mechanism)
  }

  /** Process ids of the helpers that run. */
  get processIds(): readonly number[] {
    return [...this.#helpers.values()]
      .filter(({ isOver }) => !isOver)
      .flatMap(({ processId }) => processId ?? [])
  }

  async open(request: ContextRequest): Promise<MechanismContext> {
    assert(!this.#isStopped, 'mechanisms are not used after they were stopped')
    const { mechanism, targetName, mutual, channelBinding = new Uint8Array() } = request
    const reason = this.unavailable(mechanism)
    if (reason !== undefined) {
      throw new MechanismError(
        'ERR_MECHANISM_UNAVAILABLE',
        `Cannot open a context of ${mechanism}: ${reason}`,
        { reason: 'unable' },
      )
    }
    const place = this.#platform.place(request.identity, targetName)
    const helper = this.#helperFor(place, request.identity)
    const context = ++this.#lastContext
    const { identity } = place
    const { delegation } = this.#policy
    const open = {
      kind: 'open',
      context,
      mechanism,
      identity,
      targetName,
      mutual,
      delegation,
    } as const
    const { signal } = request
    const leave = (): void => helper.close(context)
    const asked = lendPassword(request.identity, (password) =>
      helper.ask(open, [password, channelBinding]),
    )
    if (signal?.aborted === true) leave()
    signal?.addEventListener('abort', leave)
    try {
      return new HelperContext(helper, context, stepOf(await asked))
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  /** Ends every helper; whatever still waits fails. @returns when nothing is left of them */
  async stop(): Promise<void> {
    this.#isStopped = true
    const helpers = [...this.#helpers.values(), ...this.#leaving]
    this.#helpers.clear()
    await Promise.all(helpers.map((helper) => helper.end()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #helperFor(place: HelperPlace, identity: MechanismIdentity): HelperProcess {
    const key = this.#keyOf(place, identity)
    const known = this.#helpers.get(key)
    const helper = known === undefined || known.isOver ? this.#start(place) : known
    // Now the last in order.
    this.#helpers.delete(key)
    this.#helpers.set(key, helper)
    return helper
  }

  #start({ environment }: HelperPlace): HelperProcess {
    this.#makeRoom()
    const { clock, deadlineMs, idleMs } = this.#policy
    const { script } = this.#platform
    return new HelperProcess({ script, environment, clock, deadlineMs, idleMs })
  }

  /** A soft limit: helpers that are in use stay, because ending one would end somebody's handshake. */
  #makeRoom(): void {
    for (const [key, helper] of this.#helpers) {
      if (helper.isOver) this.#helpers.delete(key)
    }
    if (this.#helpers.size < this.#policy.maximumHelpers) return
    const idle = [...this.#helpers].find(([, { isIdle }]) => isIdle)
    if (idle === undefined) return
    const [key, helper] = idle
    this.#helpers.delete(key)
    this.#leaving.add(helper)
    void helper.end().then(() => this.#leaving.delete(helper))
  }

  /** Two places are one when nothing differs, the password included. */
  #keyOf(place: HelperPlace, identity: MechanismIdentity): string {
    return lendPassword(identity, (password) =>
      JSON.stringify([place, createHmac('sha256', this.#key).update(password).digest('base64')]),
    )
  }
}

/** A context that lives in a helper. */
class HelperContext implements MechanismContext {
  readonly #helper: HelperProcess
  readonly #context: number
  readonly #first: MechanismStep

  /** @param first made when it was opened */
  constructor(helper: HelperProcess, context: number, first: MechanismStep) {
    this.#helper = helper
    this.#context = context
    this.#first = first
  }

  async step(token: Uint8Array | undefined): Promise<MechanismStep> {
    return token === undefined ? this.#first : stepOf(await this.#ask('step', [token]))
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { parts } = await this.#ask('sign', [message])
    const [code] = parts
    assert(code !== undefined, 'a message to sign is answered with its code')
    return code
  }

  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    const { head } = await this.#ask('verify', [message, code])
    assert(head.kind === 'verified', 'a message to verify is answered with a verdict')
    return head.isGood
  }

  close(): void {
    this.#helper.close(this.#context)
  }

  #ask(
    kind: 'step' | 'sign' | 'verify',
    parts: readonly Uint8Array[],
  ): Promise<Frame<HelperAnswer>> {
    return this.#helper.ask({ kind, context: this.#context }, parts)
  }
}

function stepOf({ head, parts }: Frame<HelperAnswer>): MechanismStep {
  assert(head.kind === 'stepped', 'a step is answered with a step')
  const [token] = parts
  return token === undefined ? { complete: head.complete } : { token, complete: head.complete }
}

/** Lends the bytes of the password; none where the identity has none. */
function lendPassword<Result>(
  identity: MechanismIdentity,
  work: (password: Uint8Array) => Result,
): Result {
  return identity.kind === 'password' ? identity.password.use(work) : work(new Uint8Array())
}
