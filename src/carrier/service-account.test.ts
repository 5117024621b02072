import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServiceAccount } from './service-account.ts'

const rows = [
  ['linux', 0, '', true],
  ['linux', 33, '', true],
  ['linux', 999, '', true],
  ['linux', 1_000, '', false],
  ['linux', 65_534, '', false],
  ['darwin', 0, '', true],
  ['darwin', 499, '', true],
  ['darwin', 501, '', false],
  ['win32', undefined, String.raw`C:\WINDOWS\system32\config\systemprofile`, true],
  ['win32', undefined, String.raw`C:\Windows\ServiceProfiles\NetworkService`, true],
  ['win32', undefined, String.raw`C:\Windows\ServiceProfiles\LocalService`, true],
  ['win32', undefined, String.raw`C:\Users\ann`, false],
  ['win32', undefined, String.raw`C:\Users\systemprofile`, false],
] as const

for (const [platform, uid, home, expected] of rows) {
  const who = uid === undefined ? home : `the number ${uid}`
  test(`isServiceAccount() is ${expected} for ${who} on ${platform} (N96)`, () => {
    assert.equal(isServiceAccount({ platform, uid, home }), expected)
  })
}
