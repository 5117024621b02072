import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServiceAccount } from './service-account.ts'

const rows = [
  ['linux', 0, '', 'the system', true],
  ['linux', 33, '', 'the system', true],
  ['linux', 999, '', 'the system', true],
  ['linux', 0, '', 'a person', false],
  ['linux', 1_000, '', 'the system', false],
  ['linux', 65_534, '', 'the system', false],
  ['darwin', 0, '', 'the system', true],
  ['darwin', 499, '', 'the system', true],
  ['darwin', 0, '', 'a person', false],
  ['darwin', 501, '', 'the system', false],
  ['win32', undefined, String.raw`C:\WINDOWS\system32\config\systemprofile`, 'the system', true],
  ['win32', undefined, String.raw`C:\Windows\ServiceProfiles\NetworkService`, 'the system', true],
  ['win32', undefined, String.raw`C:\Windows\ServiceProfiles\LocalService`, 'the system', true],
  ['win32', undefined, String.raw`C:\Users\ann`, 'a person', false],
  ['win32', undefined, String.raw`C:\Users\systemprofile`, 'a person', false],
] as const

for (const [platform, uid, home, starter, expected] of rows) {
  const who = uid === undefined ? home : `the number ${uid}`
  test(`isServiceAccount() is ${expected} for ${who} that ${starter} starts on ${platform} (N96)`, () => {
    const isStartedBySystem = starter === 'the system'
    assert.equal(isServiceAccount({ platform, uid, home, isStartedBySystem }), expected)
  })
}
