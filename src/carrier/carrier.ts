/**
 * Carries out orders: http → pace → files. Runs in a worker thread or a process of its own; orders come in and reports
 * go out as plain data, several at once.
 */

import type { Clock } from '../base/clock.ts'
import type { ExamineOrder, Order, Report } from '../engine/order.ts'
import { discardAll } from '../files/discard.ts'
import { keepNames, nameAll } from '../files/rename.ts'
import { SyncGroup } from '../files/sync-group.ts'
import { HttpClient } from '../http/http.ts'
import type { HelperMechanisms } from '../native/gssapi/helper-mechanisms.ts'
import { platformMechanisms } from '../native/gssapi/platform-mechanisms.ts'
import { examine } from './examine.ts'
import { toFailure } from './failure.ts'
import { systemClock } from './system-clock.ts'
import type { CarrierSettings } from './settings.ts'
import { Turn } from './turn.ts'
import { Ways } from './ways.ts'

/** What a carrier needs. */
export interface CarrierWorld {
  readonly clock: Clock
  /** Takes reports in the order they were made. */
  readonly deliver: (reports: readonly Report[]) => void
  readonly settings: CarrierSettings
}

/** One carrier. */
export class Carrier {
  readonly #world: CarrierWorld
  readonly #http: HttpClient
  readonly #mechanisms: HelperMechanisms
  readonly #ways: Ways
  readonly #syncs = new SyncGroup()
  readonly #leaving = new AbortController()
  readonly #turns = new Map<string, Turn>()
  readonly #chores = new Set<Promise<void>>()
  /**
   * The files of one order are renamed after those of another, and while the folders of that one are synced. Side by side
   * both would end at the same time, and this carrier would wait while the engine commits what it renamed.
   */
  #naming: Promise<unknown> = Promise.resolve()
  #outbox: Report[] = []

  constructor(world: CarrierWorld) {
    this.#world = world
    const { realms = {} } = world.settings
    this.#mechanisms = platformMechanisms({ clock: systemClock, realms })
    this.#http = new HttpClient({ proxyTrust: world.settings.proxyTrust })
    this.#ways = new Ways(this.#http, world.settings, this.#mechanisms)
  }

  /** Takes an order; what comes of it is reported. */
  take(order: Order): void {
    switch (order.kind) {
      case 'fetch':
        return this.#turn(order).add(order.files)
      case 'last':
        return this.#turns.get(key(order))?.last()
      case 'stop':
        return this.#turns.get(key(order))?.stop()
      case 'restart':
        return this.#turns.get(key(order))?.restarted(order.ordinal)
      case 'rename':
        return this.#chore(this.#rename(order))
      case 'discard':
        return this.#chore(this.#discard(order))
      case 'examine':
        return this.#chore(this.#examine(order))
      case 'networkChanged':
        this.#ways.networkChanged()
        return this.#http.networkChanged()
      default:
        return order satisfies never
    }
  }

  /** Stops every turn with everything synced and reported, finishes what is being renamed, closes every connection. */
  async stop(): Promise<void> {
    const turns = [...this.#turns.values()]
    for (const turn of turns) turn.stop()
    this.#leaving.abort(new Error('The carrier ends'))
    await Promise.all([...turns.map(({ over }) => over), ...this.#chores])
    await Promise.all([this.#http.close(), this.#mechanisms.stop(), this.#ways.close()])
    this.#deliver()
  }

  #turn(order: Extract<Order, { kind: 'fetch' }>): Turn {
    const known = this.#turns.get(key(order))
    if (known !== undefined) return known
    const turn = new Turn(order, {
      http: this.#http,
      mechanisms: this.#mechanisms,
      routes: (ways) => this.#ways.of(ways),
      strictCertificates: this.#world.settings.strictCertificates ?? false,
      clock: this.#world.clock,
      syncs: this.#syncs,
      report: (report) => this.#report(report),
    })
    this.#turns.set(key(order), turn)
    this.#chore(turn.over.then(() => void this.#turns.delete(key(order))))
    return turn
  }

  #chore(work: Promise<void>): void {
    this.#chores.add(work)
    void work.finally(() => this.#chores.delete(work))
  }

  async #rename({ job, files, overwrite }: Extract<Order, { kind: 'rename' }>): Promise<void> {
    try {
      const naming = this.#naming.then(() => nameAll(files, { overwrite }))
      this.#naming = naming.catch(() => undefined)
      const { renamed, failure: reason } = await keepNames(await naming)
      const ordinals = renamed
      this.#report({
        kind: 'renamed',
        job,
        ordinals,
        ...(reason === undefined ? {} : { failure: reason }),
      })
    } catch (error) {
      this.#report({ kind: 'renamed', job, ordinals: [], failure: toFailure(error, undefined) })
    }
  }

  async #discard({ job, partialNames }: Extract<Order, { kind: 'discard' }>): Promise<void> {
    const { leftovers } = await discardAll(partialNames)
    this.#report({ kind: 'discarded', job, leftovers })
  }

  async #examine(order: ExamineOrder): Promise<void> {
    const findings = await examine(order, {
      http: this.#http,
      mechanisms: this.#mechanisms,
      routes: this.#ways.of({ settings: order.proxy, caFile: order.transfer.caFile }),
      signal: this.#leaving.signal,
    })
    this.#report({ kind: 'examined', examination: order.examination, findings })
  }

  /** Reports of one breath travel together, so that one commit serves them all. */
  #report(report: Report): void {
    this.#outbox.push(report)
    if (this.#outbox.length === 1) setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    const reports = this.#outbox
    if (reports.length === 0) return
    this.#outbox = []
    this.#world.deliver(reports)
  }
}

function key({ job, turn }: { readonly job: string; readonly turn: number }): string {
  return `${job} ${turn}`
}
