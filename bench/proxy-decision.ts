/**
 * `node bench/proxy-decision.ts`: what it costs to know the way of a URL, which is asked for every request. Prints a
 * Markdown table. The goals: a remembered decision below 20 µs, one of a script below 5 ms.
 *
 *   --rounds N    decisions per row (default 200000)
 */

import { parseArgs } from 'node:util'
import { systemClock } from '../src/carrier/system-clock.ts'
import { hostDesktop } from '../src/proxy/desktop/host.ts'
import type { Discovery } from '../src/proxy/ports.ts'
import { createScripts } from '../src/proxy/pac/scripts.ts'
import { createRoutes, type JobRoutes } from '../src/proxy/routes.ts'
import { Surroundings } from '../src/proxy/surroundings.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200000' } } })
const rounds = Number(values.rounds)

/** So many files of a job. */
const FILES = 1_000

/** A script as companies have them: hundreds of rules, of which the last one decides. */
const rules = Array.from({ length: 300 }, (_, index) => {
  return `  if (shExpMatch(host, "*.n${index}.example") || dnsDomainIs(host, ".m${index}.example")) return "DIRECT"`
})
const source = `function FindProxyForURL(url, host) {
${rules.join('\n')}
  if (isInNet(host, "10.0.0.0", "255.0.0.0")) return "DIRECT"
  return "PROXY proxy.example:3128; DIRECT"
}`
const script = `data:application/x-ns-proxy-autoconfig,${encodeURIComponent(source)}`

const scripts = createScripts({
  clock: systemClock,
  fetchScript: () => Promise.reject(new Error('Nothing is fetched here')),
  names: { resolve: () => Promise.resolve(['192.0.2.1']), ownAddresses: () => Promise.resolve([]) },
})
const discovery: Discovery = {
  find: () => Promise.resolve(undefined),
  networkChanged: () => undefined,
}
const surroundings = new Surroundings({
  clock: systemClock,
  desktop: hostDesktop({ environment: { http_proxy: 'proxy.example:3128' }, home: '/nowhere' }),
  scripts,
  discovery,
})
const bypass = Array.from({ length: 100 }, (_, index) => `*.n${index}.example`).join(' ')

const kinds: readonly (readonly [string, JobRoutes])[] = [
  ['the environment', createRoutes({ usage: 'preconfig' }, surroundings)],
  [
    'a list, 100 bypass rules',
    createRoutes({ usage: 'override', list: 'p', bypass }, surroundings),
  ],
  ['a script of 300 rules', createRoutes({ usage: 'override', script }, surroundings)],
]

process.stdout.write('| way by | first, µs | remembered, µs |\n|---|---|---|\n')
for (const [name, routes] of kinds) {
  await routes.find(new URL('http://warm.example/'))
  const urls = Array.from({ length: FILES }, (_, index) => {
    return new URL(`http://server${index}.example/some/folder/file-${index}.bin`)
  })
  const first = await microseconds(FILES, async (index) => {
    await routes.find(urls[index] ?? new URL('http://none.example/'))
  })
  const began = performance.now()
  let promises = 0
  for (let index = 0; index < rounds; index++) {
    const url = urls[index % FILES]
    if (url !== undefined && routes.find(url) instanceof Promise) promises++
  }
  const remembered = ((performance.now() - began) * 1000) / rounds
  if (promises > 0) throw new Error(`${promises} decisions were not remembered`)
  process.stdout.write(`| ${name} | ${first.toFixed(2)} | ${remembered.toFixed(2)} |\n`)
}
await surroundings.close()

async function microseconds(times: number, run: (index: number) => Promise<void>): Promise<number> {
  const began = performance.now()
  for (let index = 0; index < times; index++) await run(index)
  return ((performance.now() - began) * 1000) / times
}
