import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeHop } from '../decision.ts'
import type { PlaceSettings } from '../settings.ts'
import { expandPrefix, parseDictionary, settingsOf } from './macos.ts'

/** What `scutil --proxy` prints. */
const manual = `<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
    2 : near.example
    3 : 10/8
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 3128
  HTTPProxy : proxy.example
  HTTPSEnable : 1
  HTTPSPort : 3129
  HTTPSProxy : proxy.example
  HTTPUser : me
  ProxyAutoConfigEnable : 0
  ProxyAutoConfigURLString : http://pac.example/proxy.pac
  ProxyAutoDiscoveryEnable : 0
  SOCKSEnable : 0
  SOCKSPort : 1080
  SOCKSProxy : s.example
  __SCOPED__ : <dictionary> {
    en0 : <dictionary> {
      HTTPEnable : 1
      HTTPPort : 1
      HTTPProxy : scoped.example
    }
  }
}
`

function ways(place: PlaceSettings, url: string): readonly string[] | undefined {
  return place.fixed?.choose(new URL(url)).hops.map(describeHop)
}

const straight = ['straight to the server']

test('macOS’s proxies are read, those of single interfaces are not (N50)', () => {
  const place = settingsOf(parseDictionary(manual))
  assert.equal(place.script, undefined)
  assert.equal(place.detects, false)
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://proxy.example:3128'])
  assert.deepEqual(ways(place, 'https://h.example/'), ['http://proxy.example:3129'])
})

for (const host of ['x.local', '169.254.1.1', 'near.example', '10.1.2.3', 'simple', 'localhost']) {
  test(`macOS’s exceptions hold ${host} (N50)`, () => {
    const place = settingsOf(parseDictionary(manual))
    assert.deepEqual(ways(place, `http://${host}/`), straight)
  })
}

test('macOS’s simple names go through the proxy where they are not excluded (N50)', () => {
  const place = settingsOf(parseDictionary(manual.replace('Hostnames : 1', 'Hostnames : 0')))
  assert.deepEqual(ways(place, 'http://simple/'), ['http://proxy.example:3128'])
})

test('macOS’s script, detection and SOCKS are read where they are enabled (N50)', () => {
  const place = settingsOf(
    parseDictionary(
      manual
        .replaceAll(/(HTTP|HTTPS)Enable : 1/gu, '$1Enable : 0')
        .replaceAll(/(ProxyAuto\w+Enable|SOCKSEnable) : 0/gu, '$1 : 1'),
    ),
  )
  assert.equal(place.script, 'http://pac.example/proxy.pac')
  assert.equal(place.detects, true)
  assert.deepEqual(ways(place, 'http://h.example/'), [
    'socks5://s.example:1080',
    'socks4://s.example:1080',
  ])
})

test('macOS has nothing set in an empty dictionary (N50)', () => {
  assert.deepEqual(settingsOf(parseDictionary('<dictionary> {\n}\n')), {
    place: "macOS's settings",
    says: 'no proxy is set',
    detects: false,
  })
})

for (const [short, long] of [
  ['169.254/16', '169.254.0.0/16'],
  ['10/8', '10.0.0.0/8'],
  ['192.168.1/24', '192.168.1.0/24'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['*.local', '*.local'],
] as const) {
  test(`expandPrefix() makes ${long} of ${short} (N50)`, () => {
    assert.equal(expandPrefix(short), long)
  })
}

test('parseDictionary() reads whatever it is given, and no deeper than it has to', () => {
  const line = fc.constantFrom('a : b', 'a : <dictionary> {', '0 : <array> {', '}', 'nonsense', '')
  fc.assert(
    fc.property(fc.array(line, { maxLength: 200 }), (lines) => {
      settingsOf(parseDictionary(['<dictionary> {', ...lines].join('\n')))
    }),
  )
})
