import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isRoaming, readMetered } from './network-manager-answer.ts'

/** What busctl 252 prints of GetAll, shortened to what is looked for and one thing that is not. */
function properties(metered: number, type: string): string {
  return `{"type":"a{sv}","data":[{"Version":{"type":"s","data":"1.42.4"},"Metered":{"type":"u","data":${metered}},"PrimaryConnectionType":{"type":"s","data":"${type}"}}]}\n`
}

/** What busctl 252 prints of GetManagedObjects, shortened in the same way. */
function modem(state: number, registration: number): string {
  return `{"type":"a{oa{sa{sv}}}","data":[{"/org/freedesktop/ModemManager1/Modem/0":{"org.freedesktop.ModemManager1.Modem":{"State":{"type":"i","data":${state}}},"org.freedesktop.ModemManager1.Modem.Modem3gpp":{"RegistrationState":{"type":"u","data":${registration}}}}}]}\n`
}

const meteredRows = [
  [0, false],
  [1, true],
  [2, false],
  [3, true],
  [4, false],
  [5, false],
] as const

const typeRows = [
  ['802-3-ethernet', false],
  ['802-11-wireless', false],
  ['vpn', false],
  ['gsm', true],
  ['cdma', true],
  ['', false],
] as const

const modemRows = [
  [11, 5, true, 'roaming'],
  [11, 7, true, 'roaming for messages'],
  [11, 10, true, 'roaming without circuit-switched fallback'],
  [11, 1, false, 'at home'],
  [11, 0, false, 'idle'],
  [8, 5, false, 'registered abroad, but not connected'],
] as const

describe('what the managers answer', () => {
  for (const [metered, is] of meteredRows) {
    test(`readMetered() takes NMMetered ${metered} for ${is ? '' : 'not '}metered`, () => {
      assert.equal(readMetered(properties(metered, 'vpn')).isMetered, is)
    })
  }

  for (const [type, is] of typeRows) {
    test(`readMetered() takes a connection of type ${JSON.stringify(type)} for ${is ? '' : 'not '}a modem's`, () => {
      assert.equal(readMetered(properties(2, type)).isMobile, is)
    })
  }

  for (const [state, registration, is, what] of modemRows) {
    test(`isRoaming() says ${is ? 'yes' : 'no'} of a modem that is ${what}`, () => {
      assert.equal(isRoaming(modem(state, registration)), is)
    })
  }

  test('what cannot be read says that nothing is metered and nobody roams', () => {
    const nothing = { isMetered: false, isMobile: false }
    for (const text of ['', '{', 'null', '[]', '{"data":[]}', '{"data":[null]}', '{"data":7}']) {
      assert.deepEqual(readMetered(text), nothing)
      assert.equal(isRoaming(text), false)
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(readMetered(text), nothing)
        assert.equal(isRoaming(text), false)
      }),
    )
  })
})
