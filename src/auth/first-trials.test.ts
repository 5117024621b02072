import assert from 'node:assert/strict'
import { test } from 'node:test'

import { basicScheme } from './basic.ts'
import type { Credentials } from './credentials.ts'
import { FirstTrials } from './first-trials.ts'
import { Secret } from './secret.ts'
import type { Ended } from './select.ts'

function password(word: string): Credentials {
  return { kind: 'password', userName: 'u', password: Secret.fromText(word) }
}

const [here, there] = [{}, {}]

function refused(credentials: Credentials): Ended {
  return { kind: 'refused', scheme: basicScheme, credentials, realm: 'r', reason: 'no' }
}

/** Whether a trial may begin; it ends at once. */
function begins(trials: FirstTrials, credentials: Credentials, by: object): boolean {
  const begun = trials.begin(credentials, by)
  if (typeof begun !== 'function') return false
  begun()
  return true
}

test('FirstTrials lets a password be tried by one peer at a time, until one has taken it (A133)', () => {
  const trials = new FirstTrials()
  const end = trials.begin(password('p'), here)
  assert.ok(typeof end === 'function')
  assert.ok(!begins(trials, password('p'), here))
  assert.ok(!begins(trials, password('p'), there))
  assert.ok(begins(trials, password('q'), there))
  trials.take(password('p'))
  assert.ok(begins(trials, password('p'), there))
  assert.ok(!begins(trials, password('p'), here), 'its own peer has not answered yet')
  end()
  assert.ok(begins(trials, password('p'), here))
})

test('FirstTrials wakes who waits when the trial is over', async () => {
  const trials = new FirstTrials()
  const end = trials.begin(password('p'), here)
  const waiting = trials.begin(password('p'), there)
  assert.ok(typeof end === 'function' && waiting instanceof Promise)
  end()
  await waiting
  assert.ok(begins(trials, password('p'), there))
})

test('FirstTrials tells others what a peer refused, and itself nothing', () => {
  const trials = new FirstTrials()
  trials.refuse(refused(password('p')), here)
  assert.deepEqual(trials.refusedElsewhere(here), [])
  const [elsewhere, ...more] = trials.refusedElsewhere(there)
  assert.deepEqual(more, [])
  assert.deepEqual([elsewhere?.realm, elsewhere?.scheme], [undefined, basicScheme])
})

test('FirstTrials holds back nobody for what locks nobody out: tickets, tokens, who is logged on', () => {
  const rows: readonly Credentials[] = [
    { kind: 'implicit' },
    { kind: 'tickets', cache: 'FILE:/c' },
    { kind: 'bearer', token: Secret.fromText('t') },
  ]
  for (const credentials of rows) {
    const trials = new FirstTrials()
    assert.ok(typeof trials.begin(credentials, here) === 'function')
    assert.ok(begins(trials, credentials, there))
    trials.refuse(refused(credentials), here)
    assert.deepEqual(trials.refusedElsewhere(there), [])
  }
})
