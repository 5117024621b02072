/** A KDC that never answers, while somebody waits for it who wants to leave: suspended, cancelled, or on another way. */

import assert from 'node:assert/strict'
import { after, before, suite, test, type TestContext } from 'node:test'
import { HttpClient } from '../../src/http/http.ts'
import { Identity } from '../../src/http/identity.ts'
import { guarded, realWorld } from '../../src/http/guarded.suite.ts'
import { guardedProxy } from '../../src/http/guarded-proxy.suite.ts'
import { get, KeepingSink } from '../../src/http/servers.suite.ts'
import type { AuthTarget } from '../../src/auth/auth.ts'
import { gssapiMechanisms } from '../../src/native/gssapi/gssapi.ts'
import { TurnedClock } from '../../src/testing/turned-clock.ts'
import { password } from '../lab/kdc-contexts.ts'
import { cannotServeTickets, SilentKdc } from '../lab/kdc.ts'

/** Asks for Negotiate, and lets nobody in. */
const asking = () => ({
  receive: () => Promise.resolve({ kind: 'challenged' as const, challenges: ['Negotiate'] }),
})

suite('whoever waits for a KDC that does not answer', { skip: cannotServeTickets }, () => {
  let silent: SilentKdc

  before(async () => {
    silent = await SilentKdc.start()
  })
  after(() => silent[Symbol.asyncDispose]())

  /** Somebody who can be proved by the silent KDC alone; nothing is ever too late for it. */
  function waiting(t: TestContext, target: AuthTarget, isUnasked = false) {
    const clock = new TurnedClock()
    const environment = { KRB5_CONFIG: silent.config }
    const mechanisms = gssapiMechanisms({ clock, environment })
    t.after(() => mechanisms.stop())
    const pair = { target, scheme: 'negotiate', credentials: password('alice') } as const
    const world = { ...realWorld, mechanisms }
    const identity = new Identity({ wallet: { pairs: [pair] }, world, isUnasked })
    t.after(() => identity.close())
    const client = new HttpClient()
    t.after(() => client.close())
    return { mechanisms, identity, client }
  }

  for (const isUnasked of [false, true]) {
    const when = isUnasked ? 'before it was asked' : 'when it is asked'
    test(`leaves a server at once that it would be proved to ${when}, and so does the helper`, async (t) => {
      const server = await guarded(t, [asking])
      const { mechanisms, identity, client } = waiting(t, 'server', isUnasked)
      const controller = new AbortController()
      const asked = silent.asked()
      const { signal } = controller
      const going = client.exchange(get(`${server.url}/a`, { identity, signal }), new KeepingSink())
      await asked
      assert.equal(mechanisms.processIds.length, 1)
      const reason = new Error('suspended')
      controller.abort(reason)
      await assert.rejects(going, reason)
      assert.deepEqual(mechanisms.processIds, [])
    })
  }

  test('leaves a proxy at once that it would be proved to, and so does the helper when the turn is over', async (t) => {
    const proxy = await guardedProxy(t, asking)
    const { mechanisms, identity, client } = waiting(t, 'proxy')
    const controller = new AbortController()
    const asked = silent.asked()
    const { signal } = controller
    const { routes } = proxy
    const request = get('https://localhost:1/a', { identity, signal, routes })
    const going = client.exchange(request, new KeepingSink())
    await asked
    const reason = new Error('cancelled')
    controller.abort(reason)
    await assert.rejects(going, reason)
    identity.close()
    assert.deepEqual(mechanisms.processIds, [])
  })

  test('goes on by itself while another request of the same turn leaves', async (t) => {
    const server = await guarded(t, [asking])
    const { mechanisms, identity, client } = waiting(t, 'server')
    const asked = silent.asked()
    const [leaves, stays] = [new AbortController(), new AbortController()]
    const go = ({ signal }: AbortController, path: string) =>
      client.exchange(get(server.url + path, { identity, signal }), new KeepingSink())
    const left = go(leaves, '/leaves')
    await asked
    const askedAgain = silent.asked()
    const stayed = go(stays, '/stays')
    leaves.abort()
    await assert.rejects(left)
    // Whoever waited for the first try begins one of their own.
    await askedAgain
    assert.equal(mechanisms.processIds.length, 1)
    stays.abort()
    await assert.rejects(stayed)
  })
})
