/** Scripts and discovery that are loaded when the first of them is asked: most carriers never need either. */

import type { Discovery, Scripts } from '../proxy/ports.ts'
import type { DiscoveryOptions } from '../proxy/wpad/discovery.ts'
import type { ScriptsOptions } from '../proxy/pac/scripts.ts'

/** The scripts of a process; see `createScripts`. */
export class LateScripts implements Scripts {
  readonly #options: ScriptsOptions
  #loading: Promise<Scripts> | undefined

  constructor(options: ScriptsOptions) {
    this.#options = options
  }

  async evaluate(...call: Parameters<Scripts['evaluate']>): Promise<string> {
    this.#loading ??= import('../proxy/pac/scripts.ts').then(({ createScripts }) =>
      createScripts(this.#options),
    )
    const scripts = await this.#loading
    return scripts.evaluate(...call)
  }

  networkChanged(): void {
    void this.#loading?.then((scripts) => scripts.networkChanged())
  }

  async close(): Promise<void> {
    const scripts = await this.#loading
    await scripts?.close()
  }
}

/** The discovery of a process; see `createDiscovery`. */
export class LateDiscovery implements Discovery {
  readonly #options: DiscoveryOptions
  #loading: Promise<Discovery> | undefined

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  async find(...call: Parameters<Discovery['find']>): Promise<string | undefined> {
    this.#loading ??= import('../proxy/wpad/discovery.ts').then(({ createDiscovery }) =>
      createDiscovery(this.#options),
    )
    const discovery = await this.#loading
    return discovery.find(...call)
  }

  networkChanged(): void {
    void this.#loading?.then((discovery) => discovery.networkChanged())
  }
}
