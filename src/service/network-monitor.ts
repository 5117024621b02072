/**
 * Watches the network of this machine: told by the kernel where it tells (see `native/network`), else by looking at the
 * addresses now and then. What the network costs is somebody else's to find out; this passes it on.
 */

import type { Clock, Monotonic } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { NetworkChange, NetworkMonitor } from '../engine/ports/network.ts'
import type { Capability } from '../native/capability.ts'
import type { RouteNews } from '../native/network/route-message.ts'
import type { ListenToRoutes } from '../native/network/route-socket.ts'
import type { CostSource } from './network-cost.ts'

/** How often is looked where the kernel does not tell. */
const LOOK_EVERY_MS = 2_000

/** How long it has to be quiet before a burst of news is over, and how long a burst may last before it is told. */
const QUIET_MS = 100
const BURST_MS = 1_000

/** What the monitor is made of. */
export interface NetworkSources {
  /** How the kernel tells; asked when watching begins. */
  readonly listen: () => Capability<ListenToRoutes>
  /** The addresses that count. */
  readonly addresses: () => ReadonlySet<string>
  readonly cost: CostSource
  readonly clock: Clock
  readonly log: Log
}

/** The network of this machine. */
export class SystemNetwork implements NetworkMonitor {
  readonly #sources: NetworkSources
  /** As it was when somebody last looked: what happens while nobody watches is told to the next who does. */
  #last: ReadonlySet<string>

  constructor(sources: NetworkSources) {
    this.#sources = sources
    this.#last = sources.addresses()
  }

  isThere(): boolean {
    return this.#sources.addresses().size > 0
  }

  watch(changed: (change: NetworkChange) => void): Disposable {
    const watch = new AddressWatch(this.#sources, this.#last, (change, addresses) => {
      this.#last = addresses
      this.#sources.cost.lookAgain()
      changed(change)
    })
    watch.start()
    return { [Symbol.dispose]: () => watch.stop() }
  }

  cost(): number | undefined {
    return this.#sources.cost.present()
  }

  watchCost(changed: () => void): Disposable {
    return this.#sources.cost.watch(changed)
  }
}

/** One watch. */
class AddressWatch {
  readonly #sources: NetworkSources
  readonly #tell: (change: NetworkChange, addresses: ReadonlySet<string>) => void
  #last: ReadonlySet<string>
  /** Default routes that were told of: a router that announces itself again and again is told of again and again. */
  readonly #ways = new Set<string>()
  #wayCame = false
  #wayWent = false
  #ears: Disposable | undefined
  #hasHeard = false
  #isDeaf = false
  #next: Disposable | undefined
  #burstEndsAt: Monotonic | undefined
  #isOver = false

  constructor(
    sources: NetworkSources,
    last: ReadonlySet<string>,
    tell: (change: NetworkChange, addresses: ReadonlySet<string>) => void,
  ) {
    this.#sources = sources
    this.#last = last
    this.#tell = tell
  }

  start(): void {
    this.#listen()
    this.#look(0)
  }

  stop(): void {
    this.#isOver = true
    this.#ears?.[Symbol.dispose]()
    this.#next?.[Symbol.dispose]()
  }

  #listen(): void {
    const listen = this.#sources.listen()
    if (listen.kind === 'missing') return this.#poll(listen.reason)
    this.#hasHeard = false
    try {
      this.#ears = listen.value({
        news: (news) => this.#news(news),
        failed: (reason) => this.#deafened(reason),
      })
    } catch (error) {
      this.#poll(error instanceof Error ? error.message : String(error))
    }
  }

  /** Too much was told at once: begins anew. Who never heard anything looks by itself from now on. */
  #deafened(reason: Error): void {
    if (this.#isOver) return
    if (this.#hasHeard) this.#listen()
    else this.#poll(reason.message)
    this.#look(0)
  }

  #poll(reason: string): void {
    this.#sources.log.write('info', 'The network is looked at every two seconds', { reason })
    this.#isDeaf = true
  }

  #news(news: RouteNews): void {
    this.#hasHeard = true
    if (news.kind === 'acknowledged') return
    if (news.kind === 'defaultRoute') {
      const { isThere, way } = news
      if (isThere && this.#ways.has(way)) return
      if (isThere) this.#ways.add(way)
      else this.#ways.delete(way)
      this.#wayCame ||= isThere
      this.#wayWent ||= !isThere
    }
    this.#look(QUIET_MS)
  }

  /** Looks when it has been quiet for so long; a burst does not put that off for ever. */
  #look(quietMs: number): void {
    const { clock } = this.#sources
    const now = clock.monotonic()
    this.#burstEndsAt ??= now + BURST_MS
    this.#next?.[Symbol.dispose]()
    const delayMs = Math.max(0, Math.min(quietMs, this.#burstEndsAt - now))
    this.#next = clock.alarm(delayMs, () => this.#compare())
  }

  #compare(): void {
    this.#burstEndsAt = undefined
    this.#next = this.#isDeaf
      ? this.#sources.clock.alarm(LOOK_EVERY_MS, () => this.#compare())
      : undefined
    const addresses = this.#sources.addresses()
    const isNew = [...addresses].some((address) => !this.#last.has(address))
    const isLost = [...this.#last].some((address) => !addresses.has(address))
    const somethingCame = isNew || this.#wayCame
    const hasChanged = somethingCame || isLost || this.#wayWent
    // With an address go its routes, and the kernel does not tell of each (rtnetlink(7), Bugs).
    if (isLost) this.#ways.clear()
    this.#last = addresses
    this.#wayCame = false
    this.#wayWent = false
    if (hasChanged) this.#tell({ somethingCame }, addresses)
  }
}
