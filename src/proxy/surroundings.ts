/** Everything that decides about the ways of one person and is shared by all of that person's jobs. */

import type { Clock } from '../base/clock.ts'
import type { MachineSettings } from './machine.ts'
import type { Discovery, Scripts } from './ports.ts'
import { RememberedSettings } from './remembered-settings.ts'
import type { DesktopSettings } from './settings.ts'
import { UnreachableProxies } from './unreachable.ts'

/** What an administrator may decide otherwise. */
export interface ProxyPolicy {
  /** Whether a script that is set and cannot be used is a failure, instead of the next step deciding (N5). */
  readonly scriptIsMandatory: boolean
  /** Whether the owner's settings are read also where a helper is there, as before Windows 10 1809 (A110, A115). */
  readonly legacyProxyIdentity: boolean
}

/** What holds where nobody decides otherwise. */
export const defaultProxyPolicy: ProxyPolicy = {
  scriptIsMandatory: false,
  legacyProxyIdentity: false,
}

/** What surrounds a person. */
export interface SurroundingsParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly desktop: DesktopSettings
  readonly scripts: Scripts
  readonly discovery: Discovery
  readonly machine?: MachineSettings | undefined
  readonly policy?: ProxyPolicy | undefined
}

/** What surrounds a person; owns the scripts it was given. */
export class Surroundings {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Read at most every half minute. */
  readonly settings: DesktopSettings
  readonly machine: MachineSettings | undefined
  readonly policy: ProxyPolicy
  readonly scripts: Scripts
  readonly discovery: Discovery
  readonly unreachable: UnreachableProxies
  readonly #remembered: RememberedSettings
  #network = 0

  constructor({ clock, desktop, machine, policy, scripts, discovery }: SurroundingsParts) {
    this.clock = clock
    this.#remembered = new RememberedSettings(desktop, clock)
    this.settings = this.#remembered
    this.machine = machine
    this.policy = policy ?? defaultProxyPolicy
    this.scripts = scripts
    this.discovery = discovery
    this.unreachable = new UnreachableProxies(clock)
  }

  /** Counts networks: what was decided on another one holds no longer. */
  get network(): number {
    return this.#network
  }

  /** The network is another one: everything is found out anew (N6, N62, N75). */
  networkChanged(): void {
    this.#network++
    this.#remembered.forget()
    this.unreachable.forget()
    this.scripts.networkChanged()
    this.discovery.networkChanged()
  }

  /** Ends the scripts. */
  close(): Promise<void> {
    return this.scripts.close()
  }
}
