import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { functionRows } from './functions.suite.ts'
import { askOnce } from './scratch.suite.ts'
import { decodeAnswers, tableScript, urlsScript } from './table.suite.ts'
import { wildScripts } from './wild.suite.ts'

describe('scripts in the sandbox', () => {
  test('every function has the value of its row (N70 to N73)', async () => {
    const values = decodeAnswers(await askOnce(tableScript(functionRows)))
    assert.deepEqual(
      functionRows.map(({ now, expression }, index) => [now, expression, values[index]]),
      functionRows.map(({ now, expression, expected }) => [now, expression, expected]),
    )
  })

  test('myIpAddress() is IPv4 where there is one, myIpAddressEx() is all (N71)', async () => {
    const values = decodeAnswers(
      await askOnce(
        tableScript([{ expression: 'myIpAddress()' }, { expression: 'myIpAddressEx()' }]),
      ),
    )
    assert.deepEqual(values, ['192.0.2.7', '192.0.2.7;2001:db8::7'])
  })

  test('myIpAddress() is loopback where there is no other, and myIpAddressEx() nothing (N71)', async () => {
    const names = { resolve: async () => [], ownAddresses: async () => [] }
    const rows = [{ expression: 'myIpAddress()' }, { expression: 'myIpAddressEx()' }]
    assert.deepEqual(decodeAnswers(await askOnce(tableScript(rows), { names })), ['127.0.0.1', ''])
  })

  for (const { name, text, urls, answers } of wildScripts) {
    test(`a wild script decides as it should: ${name}`, async () => {
      assert.deepEqual(decodeAnswers(await askOnce(urlsScript(text, urls))), answers)
    })
  }
})
