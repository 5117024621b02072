import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeProxy } from '../job/route.ts'
import { parseScriptAnswer } from './script-answer.ts'

function hops(answer: string): readonly string[] {
  return parseScriptAnswer(answer).hops.map((hop) => (hop === 'direct' ? hop : describeProxy(hop)))
}

/** N74: what a script returned, then the ways it names. */
const table: readonly (readonly [answer: string, ...hops: readonly string[]])[] = [
  ['DIRECT', 'direct'],
  ['', 'direct'],
  [' ; ;', 'direct'],
  ['direct', 'direct'],
  ['PROXY p', 'http://p:80'],
  ['PROXY p:8080; DIRECT', 'http://p:8080', 'direct'],
  ['http P:3128', 'http://p:3128'],
  ['HTTPS p', 'https://p:443'],
  ['SOCKS s', 'socks5://s:1080', 'socks4://s:1080'],
  ['SOCKS4 s:1; SOCKS5 t:2', 'socks4://s:1', 'socks5://t:2'],
  ['PROXY [2001:db8::1]:3128', 'http://[2001:db8::1]:3128'],
  ['DIRECT p:80; PROXY q', 'http://q:80'],
  ['PROXY; PROXY p:0; PROXY p q; NONSENSE p', 'direct'],
  ['\tPROXY \t a:1 \n;\r\nPROXY b:2', 'http://a:1', 'http://b:2'],
  ['PROXY user:pass@p:80', 'direct'],
  ['PROXY a:1; PROXY b:2', 'http://a:1', 'http://b:2'],
]

for (const [answer, ...expected] of table) {
  test(`parseScriptAnswer() reads ${JSON.stringify(answer)} (N74)`, () => {
    assert.deepEqual(hops(answer), expected)
  })
}

test('parseScriptAnswer() adds no way straight to the server behind proxies (N76)', () => {
  assert.deepEqual(hops('PROXY a; PROXY b'), ['http://a:80', 'http://b:80'])
})

test('parseScriptAnswer() tells what it skipped', () => {
  assert.deepEqual(parseScriptAnswer('QUIC q:443; PROXY p').skipped, ['QUIC q:443'])
})

test('parseScriptAnswer() gives at least one way and not too many, whatever it reads', () => {
  const piece = fc.constantFrom('PROXY ', 'DIRECT', 'SOCKS ', ';', ' ', 'a', ':', '1', '[::1]')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 500 }).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const { length } = parseScriptAnswer(text).hops
        assert(length >= 1 && length <= 64)
      },
    ),
    { numRuns: 1_000 },
  )
})
