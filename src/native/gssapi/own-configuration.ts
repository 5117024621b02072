/** What we want of the library's configuration, before the machine's own. */

import { randomUUID } from 'node:crypto'
import { openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * - A272: the host of the URL is the host that is proved. What DNS makes of it is tried only when the KDC does not
 *   know it, and what reverse DNS makes of it never: both are the word of whoever answers first.
 * - A310: servers are told that we know channel bindings, so that they may insist on them.
 */
const ours = `[libdefaults]
  dns_canonicalize_hostname = fallback
  rdns = false
  client_aware_channel_bindings = true
`

/** Where MIT's and Heimdal's library look when nobody tells them. */
const MACHINE = '/etc/krb5.conf:/usr/local/etc/krb5.conf'

/**
 * Sets `KRB5_CONFIG` for this process: ours, then what it was. Where that cannot be done, on a machine without
 * `/proc`, everything stays as the machine has it.
 *
 * The library reads files, and reads them again. This one has no name that anybody could take, and goes with the
 * process however it ends.
 */
export function putOwnConfigurationFirst(): void {
  if (process.platform !== 'linux') return
  const path = join(tmpdir(), `lull-krb5-${randomUUID()}`)
  try {
    const file = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    writeSync(file, ours)
    process.env['KRB5_CONFIG'] = `/proc/self/fd/${file}:${process.env['KRB5_CONFIG'] ?? MACHINE}`
  } catch {
    // Without a folder for temporary files the machine's configuration has to do.
  }
}
