/** Tells when a network appears, by looking at the addresses of this machine now and then. */

import { networkInterfaces } from 'node:os'
import type { NetworkMonitor } from '../engine/ports/network.ts'

/** How often is looked, while somebody waits. */
const LOOK_EVERY_MS = 2_000

/** Watches the addresses of this machine. */
export const networkAddresses: NetworkMonitor = {
  whenBack(back) {
    const before = addresses()
    const timer = setInterval(() => {
      const now = addresses()
      const isNew = [...now].some((address) => !before.has(address))
      before.clear()
      for (const address of now) before.add(address)
      if (!isNew) return
      clearInterval(timer)
      back()
    }, LOOK_EVERY_MS)
    timer.unref()
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}

/** Every address but loopback's, with the interface it belongs to. */
function addresses(): Set<string> {
  const found = new Set<string>()
  for (const [name, list] of Object.entries(networkInterfaces())) {
    for (const { address, internal } of list ?? []) if (!internal) found.add(`${name} ${address}`)
  }
  return found
}
