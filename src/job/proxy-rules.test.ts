import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asCaller } from './proxy-rules.ts'
import type { ProxySettings } from './route.ts'

describe('asCaller()', () => {
  const variables = {
    https_proxy: 'http://alice:hunter2@p:1',
    ALL_PROXY: 'bob:hunter2@q:2',
    no_proxy: 'x',
    PATH: '/',
    http_proxy: '',
  }
  const environment = { https_proxy: 'http://p:1', ALL_PROXY: 'q:2', no_proxy: 'x' }

  for (const settings of [undefined, { usage: 'preconfig' }] as const) {
    test(`asCaller() gives ${settings?.usage ?? 'nothing'} the variables that count, without names and passwords (N15, N40)`, () => {
      assert.deepEqual(asCaller(settings, variables), { usage: 'preconfig', environment })
    })

    test(`asCaller() gives ${settings?.usage ?? 'nothing'} exceptions alone, too (N41)`, () => {
      const said = { usage: 'preconfig', environment: { NO_PROXY: 'x' } }
      assert.deepEqual(asCaller(settings, { NO_PROXY: 'x', no_proxy: '' }), said)
    })

    test(`asCaller() leaves ${settings?.usage ?? 'nothing'} where no variable says anything`, () => {
      assert.equal(asCaller(settings, { no_proxy: '', PATH: '/' }), settings)
    })
  }

  test('asCaller() leaves what says all by itself', () => {
    const said: ProxySettings = { usage: 'preconfig', environment: { http_proxy: 'r:3' } }
    const settings: readonly ProxySettings[] = [
      said,
      { usage: 'noProxy' },
      { usage: 'autodetect' },
      { usage: 'override', list: 'p:1' },
    ]
    for (const each of settings) assert.equal(asCaller(each, variables), each)
  })

  test('asCaller() takes HTTP_PROXY of a CGI program for what it is: a field of the request (N40)', () => {
    const cgi = { HTTP_PROXY: 'evil:1', REQUEST_METHOD: 'GET' }
    assert.equal(asCaller(undefined, cgi), undefined)
    assert.deepEqual(asCaller(undefined, { ...cgi, http_proxy: 'p:1' }), {
      usage: 'preconfig',
      environment: { http_proxy: 'p:1' },
    })
  })
})
