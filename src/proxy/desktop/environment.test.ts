import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureError } from '../../job/failure.ts'
import { describeHop } from '../decision.ts'
import type { Environment } from '../program.ts'
import { environmentSettings } from './environment.ts'

function ways(environment: Environment, url: string): readonly string[] | undefined {
  return environmentSettings(environment).fixed?.choose(new URL(url)).hops.map(describeHop)
}

const http = 'http://h.example/'
const https = 'https://h.example/'
const straight = 'straight to the server'

const table: readonly (readonly [
  environment: Environment,
  url: string,
  way: string | undefined,
  because: string,
])[] = [
  [{ http_proxy: 'p:1' }, http, 'http://p:1', 'a name and a port do'],
  [{ http_proxy: 'http://u:s@p:1/' }, http, 'http://p:1', 'user information is not kept (N15)'],
  [{ http_proxy: 'p' }, http, 'http://p:80', 'the port of the scheme (N13)'],
  [{ HTTP_PROXY: 'p:1' }, http, 'http://p:1', 'upper case outside CGI'],
  [{ HTTP_PROXY: 'p:1', REQUEST_METHOD: 'GET' }, http, undefined, 'a client may have set it'],
  [{ http_proxy: 'p:1', HTTP_PROXY: 'q:1' }, http, 'http://p:1', 'lower case wins'],
  [{ http_proxy: 'p:1' }, https, straight, 'another scheme has its own variable'],
  [{ https_proxy: 'p:1', HTTPS_PROXY: 'q:1' }, https, 'http://p:1', 'lower case wins'],
  [{ HTTPS_PROXY: 'https://q' }, https, 'https://q:443', 'upper case is enough'],
  [{ all_proxy: 'p:1', http_proxy: 'q:1' }, https, 'http://p:1', 'the last resort'],
  [{ ALL_PROXY: 'socks5h://p' }, http, 'socks5://p:1080', 'SOCKS'],
  [{ http_proxy: '' }, http, undefined, 'empty is not set'],
  [{}, http, undefined, 'nothing is set'],
  [{ http_proxy: 'p', no_proxy: 'h.example' }, http, straight, 'no_proxy (N41)'],
  [{ http_proxy: 'p', NO_PROXY: '.example' }, http, straight, 'NO_PROXY (N41)'],
  [{ http_proxy: 'p', no_proxy: 'x', NO_PROXY: '*' }, http, 'http://p:80', 'lower case wins'],
  [{ http_proxy: 'p', no_proxy: '::1' }, 'http://[::1]/', straight, 'addresses have no brackets'],
  [{ http_proxy: 'p' }, 'http://localhost/', 'http://p:80', 'curl has no rules nobody wrote'],
]

for (const [environment, url, way, because] of table) {
  test(`environmentSettings() sends ${url} by ${way} with ${JSON.stringify(environment)}: ${because} (N40)`, () => {
    assert.deepEqual(ways(environment, url), way === undefined ? undefined : [way])
  })
}

test('environmentSettings() fails only the URLs whose variable does not parse, and does not show it (N2)', () => {
  const environment = { http_proxy: 'http://u:s ecret@p:x', https_proxy: 'p' }
  assert.deepEqual(ways(environment, https), ['http://p:80'])
  assert.throws(
    () => ways(environment, http),
    (error) =>
      error instanceof FailureError &&
      error.code === 'BG_E_INVALID_PROXY_INFO' &&
      !error.message.includes('ecret'),
  )
})
