/** Jobs that are meant by their state and name: what operators clear a queue with. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JobView } from 'lull'
import { parseLastLine } from '../lab/expect.ts'
import { LullHome } from '../lab/lull.ts'

const home = new LullHome()
after(() => home[Symbol.asyncDispose]())

before(async () => {
  const manager = await home.manager()
  const files = [{ remoteName: 'http://127.0.0.1:9/f', localName: home.path('f') }]
  const jobs = ['nightly 1', 'nightly 2', 'weekly'].map((displayName) => ({ displayName, files }))
  await manager.createJobs([...jobs, { displayName: 'nightly empty' }])
  for await (const { id, displayName } of manager.enumJobs()) {
    if (displayName === 'nightly empty') continue
    const job = await manager.getJob(id)
    // Its first failure is final.
    await job.setNoProgressTimeout(0)
    await job.resume()
    for await (const event of job.watch()) {
      if (event.kind === 'job' && event.job.state === 'ERROR') break
    }
  }
})

/** Names of what a command printed as JSON, in its order. */
async function names(...args: readonly string[]): Promise<readonly string[]> {
  // The command prints jobs as the contract has them.
  return ((await home.json(args)) as readonly JobView[]).map(({ displayName }) => displayName)
}

test('lull jobs shows those in a state, of a name, or both', async () => {
  const failed = ['nightly 1', 'nightly 2', 'weekly']
  assert.deepEqual(await names('jobs', '--state', 'error'), failed)
  assert.deepEqual(await names('jobs', '--state', 'suspended,queued'), ['nightly empty'])
  assert.deepEqual(await names('jobs', '--name', 'NIGHTLY ?'), ['nightly 1', 'nightly 2'])
  assert.deepEqual(await names('jobs', '--state', 'ERROR', '--name', '*2'), ['nightly 2'])
  const { stdout } = await home.run(['jobs', '--state', 'transferred'])
  assert.equal(stdout, 'There is no such job\n')
  const { stderr } = await home.run(['jobs', '--state', 'error', '-n', '2', '--json'])
  assert.match(stderr, /more jobs than these 2/u)
})

test('who does not say which jobs, or says it twice, is refused', async () => {
  for (const args of [
    ['cancel'],
    ['cancel', 'ab', '--state', 'error'],
    ['resume', '--state', 'acknowledged'],
  ]) {
    const { status, lastLine } = await home.run(args)
    assert.equal(status, 2, args.join(' '))
    assert.match(parseLastLine(lastLine).sentence, /^Cannot (?:cancel|resume)/u)
  }
})

test('jobs in a state are resumed and cancelled, and every other one stays', async () => {
  assert.deepEqual(await names('resume', '--state', 'error', '--name', 'weekly'), ['weekly'])
  const cancelled = await names('cancel', '--state', 'error', '--name', 'nightly*')
  assert.deepEqual(cancelled, ['nightly 1', 'nightly 2'])
  assert.deepEqual(await names('jobs'), ['weekly', 'nightly empty'])
  const { status, stdout } = await home.run(['cancel', '--name', 'nothing of this name'])
  assert.deepEqual([status, stdout], [0, 'There is no such job\n'])
  const again = await names('jobs', '--all', '--name', 'nightly ?')
  assert.deepEqual(again, ['nightly 1', 'nightly 2'])
})

test('lull status counts jobs by their states, and says what an operator needs', async () => {
  const { stdout } = await home.run(['status'])
  assert.match(stdout, /^Jobs +2: .*1 suspended/mu)
  assert.match(stdout, /^Network +(?:there|not there)/mu)
  assert.match(stdout, /^Master key +ready$/mu)
  assert.match(stdout, /^Code +as the service began with$/mu)
  const status = await home.json(['status'])
  assert(typeof status === 'object' && status !== null && 'states' in status)
  assert.deepEqual(Object.keys(status.states ?? {}).toSorted(), [
    'CONNECTING',
    'ERROR',
    'QUEUED',
    'SUSPENDED',
    'TRANSFERRED',
    'TRANSFERRING',
    'TRANSIENT_ERROR',
  ])
})
