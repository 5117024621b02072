/** Decisions with real scripts in their sandbox: the two halves of the room together. */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { TurnedClock } from '../testing/turned-clock.ts'
import { describeHop } from './decision.ts'
import { environmentSettings } from './desktop/environment.ts'
import { createScripts } from './pac/scripts.ts'
import { createRoutes, type JobRoutes } from './routes.ts'
import { Surroundings } from './surroundings.ts'

const url = (script: string): string => `data:,${encodeURIComponent(script)}`

/** The ways of a person whose desktop names a script and whose environment names a proxy. */
function scripted(context: TestContext, script: string): JobRoutes {
  const clock = new TurnedClock()
  const scripts = createScripts({
    clock,
    fetchScript: () => Promise.reject(new Error('Nothing is fetched here')),
    limits: { computeMs: 200 },
  })
  const surroundings = new Surroundings({
    clock,
    scripts,
    discovery: { find: () => Promise.resolve(undefined), networkChanged: () => undefined },
    desktop: {
      read: () =>
        Promise.resolve([
          { place: 'the desktop', says: 'a script is set', script: url(script) },
          environmentSettings({ http_proxy: 'env:1', https_proxy: 'env:1' }),
        ]),
    },
  })
  context.after(() => surroundings.close())
  return createRoutes({ usage: 'preconfig' }, surroundings)
}

for (const [script, at, ways, because] of [
  [
    'function FindProxyForURL(url, host) { return "PROXY " + host + ":8080; DIRECT" }',
    'http://H.example/a',
    ['http://h.example:8080', 'straight to the server'],
    'N65, N74',
  ],
  [
    'function FindProxyForURL(url) { return url === "https://h.example/" ? "HTTPS p" : "DIRECT" }',
    'https://me:secret@h.example/path?query',
    ['https://p:443'],
    'N65',
  ],
  [
    'function FindProxyForURL() { return null }',
    'http://h.example/',
    ['straight to the server'],
    'N68',
  ],
  ['function FindProxyForURL() { throw 1 }', 'http://h.example/', ['http://env:1'], 'N5, N68'],
  ['function FindProxyForURL() { for (;;); }', 'http://h.example/', ['http://env:1'], 'N5, N64'],
  ['function Find', 'http://h.example/', ['http://env:1'], 'N5, N63'],
  ['function other() {}', 'http://h.example/', ['http://env:1'], 'N5, N63'],
] as const) {
  test(`a script of ${script} sends ${at} by ${ways.join(', then ')} (${because})`, async (context) => {
    const routes = scripted(context, script)
    assert.deepEqual((await routes.find(new URL(at))).map(describeHop), ways)
    const { route } = await routes.explain(new URL(at))
    assert.deepEqual(route?.map(describeHop), ways)
  })
}
