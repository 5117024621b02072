/** The addresses of this machine that reach further than itself and its links. */

import { networkInterfaces } from 'node:os'

/** IPv6 link-local (RFC 4291 §2.5.6): there as soon as a link is up, and no use beyond it. */
const linkLocal = /^fe[89ab]/u

/**
 * Every such address, with the interface it belongs to; only of interfaces that are up and have a carrier. Takes tens of
 * microseconds. An address that a machine gave itself for want of another (169.254.0.0/16, RFC 3927) is one: hosts may
 * well speak to each other with these.
 */
export function networkAddresses(): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [name, list] of Object.entries(networkInterfaces())) {
    for (const { address, internal } of list ?? []) {
      if (!internal && !linkLocal.test(address)) found.add(`${name} ${address}`)
    }
  }
  return found
}
