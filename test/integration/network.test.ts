/** A wire that is pulled, a way that comes late, networks that cost something: jobs wait, and go on by themselves. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BackgroundCopyManager, type BackgroundCopyJob, type JobView } from 'lull'
import { transferPolicies } from '../../src/job/cost.ts'
import { Content } from '../lab/content.ts'
import { waitState } from '../lab/follow.ts'
import { whyMissing } from '../lab/installed.ts'
import { LullHome, until } from '../lab/lull.ts'
import { BEYOND, Namespaces, THERE, whyNoNamespaces } from '../lab/namespaces.ts'
import { networkManagerNeeds, SystemBus } from '../lab/network-manager.ts'

const content = new Content(7, 512 * 1024)

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

const needs = whyNoNamespaces() || whyMissing(networkManagerNeeds)

/** Longer than any test: what goes on meanwhile does so for another reason. */
const NEVER_S = 86_400

/** Follows a job until something holds of it. */
async function follow(job: BackgroundCopyJob, holds: (view: JobView) => boolean): Promise<JobView> {
  for await (const event of job.watch()) {
    if (event.kind !== 'gone' && holds(event.job)) return event.job
  }
  throw new Error(`Job ${job.id} ended otherwise`)
}

/** A service on one side of the wire, and who speaks to it from outside. */
async function serveHere(
  networks: Namespaces,
  home: LullHome,
  env: Readonly<Record<string, string>> = {},
): Promise<BackgroundCopyManager> {
  networks.runHere([command, 'serve'], { ...env, LULL_HOME: home.home })
  let manager: BackgroundCopyManager | undefined
  await until(async () => {
    const connecting = BackgroundCopyManager.connect({ home: home.home, start: false })
    manager = await connecting.catch(() => undefined)
    return manager !== undefined
  }, 'the service answers')
  assert(manager !== undefined)
  return manager
}

describe('a service whose wire is pulled', { skip: whyNoNamespaces() }, () => {
  test('holds its jobs, counts nothing, and goes on where it was once the wire is back', async () => {
    await using networks = await Namespaces.create()
    await using home = new LullHome()
    const port = await networks.serveThere(THERE, content)
    const manager = await serveHere(networks, home)
    const create = (name: string): Promise<BackgroundCopyJob> =>
      manager.createJob(name, {
        files: [{ remoteName: `http://${THERE}:${port}/${name}`, localName: home.path(name) }],
        minimumRetryDelay: NEVER_S,
        stallTimeout: NEVER_S,
        resume: true,
      })
    const [moving, queued] = [await create('moving'), await create('queued')]
    await follow(moving, ({ bytesTransferred }) => bytesTransferred >= content.size / 2)
    networks.pull()
    for (const job of [moving, queued]) {
      const held = await waitState(job, 'TRANSIENT_ERROR')
      assert.equal(held.error?.symbol, 'BG_E_NETWORK_DISCONNECTED')
      assert.equal(held.waitingFor, 'a network: This machine has no network')
      assert.deepEqual([held.errorCount, held.retryAt], [0, null])
    }
    networks.plug()
    await waitState(moving, 'TRANSFERRED')
    await moving.complete()
    assert.equal(content.firstDifference(home.path('moving')), undefined)
    await waitState(queued, 'TRANSFERRING')
  })

  test('goes on at once when a way comes up that was not there', async () => {
    await using networks = await Namespaces.create()
    await using home = new LullHome()
    const port = await networks.serveThere(BEYOND, content)
    const manager = await serveHere(networks, home)
    const job = await manager.createJob('beyond', {
      files: [{ remoteName: `http://${BEYOND}:${port}/x`, localName: home.path('x') }],
      minimumRetryDelay: NEVER_S,
      resume: true,
    })
    const { error, errorCount } = await waitState(job, 'TRANSIENT_ERROR')
    assert.equal(error?.symbol, 'ERROR_WINHTTP_CANNOT_CONNECT')
    assert.equal(errorCount, 1)
    networks.addDefaultRoute()
    await waitState(job, 'TRANSFERRING')
  })
})

describe('a service that asks NetworkManager', { skip: needs }, () => {
  test('lets a careful job wait while the network is metered, and no other (bits-jobs.md §10)', async () => {
    await using bus = await SystemBus.start()
    await using managers = await bus.startManagers()
    await using networks = await Namespaces.create()
    await using home = new LullHome()
    const port = await networks.serveThere(THERE, content)
    const manager = await serveHere(networks, home, { DBUS_SYSTEM_BUS_ADDRESS: bus.address })
    const create = (name: string): Promise<BackgroundCopyJob> =>
      manager.createJob(name, {
        files: [{ remoteName: `http://${THERE}:${port}/${name}`, localName: home.path(name) }],
        priority: 'foreground',
        stallTimeout: NEVER_S,
      })
    const [careful, careless] = [await create('careful'), await create('careless')]
    await careful.setCostFlags(transferPolicies.unrestricted)
    await Promise.all([careful.resume(), careless.resume()])
    for (const job of [careful, careless]) {
      await follow(job, ({ bytesTransferred }) => bytesTransferred >= content.size / 2)
    }
    await managers.say({ Metered: 1 })
    const held = await waitState(careful, 'TRANSIENT_ERROR')
    assert.equal(held.error?.symbol, 'BG_E_BLOCKED_BY_COST_TRANSFER_POLICY')
    assert.match(held.waitingFor ?? '', /^a network that costs less: The network is metered/u)
    assert.equal((await careless.getView()).state, 'TRANSFERRING')
    await managers.say({ Metered: 4 })
    await waitState(careful, 'TRANSFERRED')
    assert.equal((await careful.getView()).errorCount, 0)
  })
})
