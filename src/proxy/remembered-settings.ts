/** Settings are read anew now and then, and once for all who ask meanwhile. */

import type { Clock, Monotonic } from '../base/clock.ts'
import type { DesktopSettings, PlaceSettings } from './settings.ts'

/** How old settings may be: as long as it takes a person to wonder why a change does nothing. */
export const SETTINGS_AGE_MS = 30_000

/** The settings of one person, shared by all jobs of a carrier. */
export class RememberedSettings implements DesktopSettings {
  readonly #desktop: DesktopSettings
  readonly #clock: Pick<Clock, 'monotonic'>
  #reading: Promise<readonly PlaceSettings[]> | undefined
  #staleAt: Monotonic = 0

  constructor(desktop: DesktopSettings, clock: Pick<Clock, 'monotonic'>) {
    this.#desktop = desktop
    this.#clock = clock
  }

  read(): Promise<readonly PlaceSettings[]> {
    const now = this.#clock.monotonic()
    if (this.#reading === undefined || now >= this.#staleAt) {
      this.#staleAt = now + SETTINGS_AGE_MS
      this.#reading = this.#desktop.read()
    }
    return this.#reading
  }

  /** Reads them anew the next time. */
  forget(): void {
    this.#reading = undefined
  }
}
