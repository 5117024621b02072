/**
 * `node bench/proxy-decision.ts`: what it costs to know the way of a URL, which is asked for every request. Prints a
 * Markdown table. The goals: a remembered decision below 20 µs, one of a script below 5 ms. The beginning is the decision
 * before all others; of a script it has the start of its thread and the compilation of its engine.
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
  ['another script', createRoutes({ usage: 'override', script: `${script}//` }, surroundings)],
]

process.stdout.write(
  '| way by | beginning, ms | first, µs | 95 of 100, µs | worst, µs | remembered, µs |\n|---|---|---|---|---|---|\n',
)
for (const [name, routes] of kinds) {
  const start = performance.now()
  await routes.find(new URL('http://warm.example/'))
  const beginning = performance.now() - start
  const urls = Array.from({ length: FILES }, (_, index) => {
    return new URL(`http://server${index}.example/some/folder/file-${index}.bin`)
  })
  const each: number[] = []
  for (const url of urls) {
    const before = performance.now()
    await routes.find(url)
    each.push((performance.now() - before) * 1000)
  }
  const began = performance.now()
  let promises = 0
  for (let index = 0; index < rounds; index++) {
    const url = urls[index % FILES]
    if (url !== undefined && routes.find(url) instanceof Promise) promises++
  }
  const remembered = ((performance.now() - began) * 1000) / rounds
  if (promises > 0) throw new Error(`${promises} decisions were not remembered`)
  const sorted = each.toSorted((left, right) => left - right)
  const mean = each.reduce((sum, one) => sum + one, 0) / each.length
  const firsts = [mean, sorted[Math.floor(FILES * 0.95)] ?? mean, sorted.at(-1) ?? mean]
  const columns = [beginning, ...firsts, remembered].map((one) => one.toFixed(2))
  process.stdout.write(`| ${name} | ${columns.join(' | ')} |\n`)
}
await surroundings.close()
