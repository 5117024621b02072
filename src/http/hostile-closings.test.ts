import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { SchemeName } from '../auth/auth.ts'
import { guardedProxy } from './guarded-proxy.suite.ts'
import { guarded, guards, identityWith, pair, realWorld, type Guard } from './guarded.suite.ts'
import { HttpClient } from './http.ts'
import { Identity } from './identity.ts'
import { fetchText, makeClient } from './servers.suite.ts'

const guardOf = {
  basic: guards.basic,
  digest: guards.digest,
  ntlm: guards.ntlm,
} satisfies Partial<Record<SchemeName, () => Guard>>

test(
  'whoever proves the credentials gets a connection before all who wait for that with theirs',
  { timeout: 60_000 },
  async (t) => {
    const closings = [false, true, false, true, false, true, false]
    const ends = [3, 2, 3, 3, 2, 4, 0, 2, 4, 0, 2, 4, 2, 3, 2]
    let place = 0
    const server = await guarded(t, [guards.basic()], {
      isPublic: (path) => path.endsWith('0'),
      closes: ({ headers }) =>
        headers.authorization === undefined && closings[place++ % closings.length] === true,
      serve: (request, response) => {
        if (ends[place++ % ends.length] === 0) response.setHeader('Connection', 'close')
        response.end(request.url)
      },
    })
    const { routes } = await guardedProxy(t, guards.ntlm())
    const identity = identityWith(t, [pair('basic'), pair('ntlm', 'proxy')])
    const client = makeClient(t)
    const paths = Array.from({ length: 30 }, (_, place) => `/d${place % 4}/${place}`)
    const all = await Promise.all(
      paths.map((path) =>
        fetchText(client, server.url + path, { identity, connections: 1, routes }),
      ),
    )
    assert.deepEqual(
      all.map(({ text }) => text),
      paths,
    )
  },
)

test(
  'with the right password every file comes, however often the server closes',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('basic', 'digest', 'ntlm'),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 40 }),
        fc.array(fc.nat(5), { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 30 }),
        async (scheme, closings, ends, connections, files) => {
          await using cleanup = new AsyncDisposableStack()
          let place = 0
          const server = await guarded(
            { after: (work: () => Promise<void>) => cleanup.defer(work) },
            [guardOf[scheme]()],
            {
              isPublic: (path) => path.endsWith('0'),
              closes: ({ headers }) =>
                headers.authorization === undefined && closings[place++ % closings.length] === true,
              serve: (request, response) => {
                const end = ends[place++ % ends.length]
                if (end === 0) response.setHeader('Connection', 'close')
                response.end(request.url, () => {
                  // As if it had been idle for too long: without a word.
                  if (end === 1) request.socket.destroySoon()
                })
              },
            },
          )
          const identity = new Identity({ wallet: { pairs: [pair(scheme)] }, world: realWorld })
          const client = new HttpClient()
          cleanup.defer(() => client.close())
          cleanup.defer(() => identity.close())
          const paths = Array.from({ length: files }, (_, place) => `/d${place % 4}/${place}`)
          const all = await Promise.all(
            paths.map((path) => fetchText(client, server.url + path, { identity, connections })),
          )
          assert.deepEqual(
            all.map(({ text, response: { refusal } }) => refusal ?? text),
            paths,
          )
        },
      ),
      { numRuns: 60, endOnFailure: true },
    )
  },
)
