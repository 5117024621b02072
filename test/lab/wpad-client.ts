/** Looks for the script that the network names, and asks it for the URLs that are its arguments. */

import { systemClock } from '../../src/carrier/system-clock.ts'
import { createScripts } from '../../src/proxy/pac/scripts.ts'
import { createDiscovery } from '../../src/proxy/wpad/discovery.ts'

const found = await createDiscovery({ clock: systemClock }).find()
const scripts = createScripts({
  clock: systemClock,
  fetchScript: async (url, { signal }) => {
    const { status, headers, ...response } = await fetchBytes(url, signal)
    return { status, contentType: headers.get('content-type') ?? undefined, ...response }
  },
})
const answers: string[] = []
for (const url of found === undefined ? [] : process.argv.slice(2)) {
  answers.push(await scripts.evaluate({ url: found ?? '', isDiscovered: true }, new URL(url)))
}
await scripts.close()
process.stdout.write(JSON.stringify({ found: found ?? null, answers }))

async function fetchBytes(
  url: URL,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly headers: Headers; readonly bytes: Uint8Array }> {
  const response = await fetch(url, { signal, redirect: 'manual' })
  return { status: response.status, headers: response.headers, bytes: await response.bytes() }
}
