import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { describeHop } from '../decision.ts'
import type { Environment } from '../program.ts'
import type { PlaceSettings } from '../settings.ts'
import { kdeSettings, parseGroup, settingsOf } from './kde.ts'
import { linuxDesktop } from './linux.ts'

function homeWith(context: TestContext, path: string, text: string): string {
  const home = mkdtempSync(join(tmpdir(), 'lull-kde-'))
  context.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
  return home
}

function read(group: string, environment: Environment = {}): PlaceSettings {
  return settingsOf(parseGroup(`[Proxy Settings]\n${group}`, environment), environment)
}

function ways(place: PlaceSettings, url: string): readonly string[] | undefined {
  return place.fixed?.choose(new URL(url)).hops.map(describeHop)
}

const straight = ['straight to the server']

/** As KDE writes it. */
const manual = `ProxyType=1
httpProxy=http://proxy.example 3128
httpsProxy=proxy.example:3129
socksProxy=socks://s.example 1080
NoProxyFor=near.example,.far.example,10.0.0.0/8
ReversedException=false
`

for (const path of [
  '.config/kioslaverc',
  '.kde4/share/config/kioslaverc',
  '.kde/share/config/kioslaverc',
]) {
  test(`KDE’s settings are read from ${path} (N46, N49)`, async (context) => {
    const home = homeWith(context, path, `[Other]\nProxyType=0\n[Proxy Settings][$i]\n${manual}`)
    const environment = { XDG_CURRENT_DESKTOP: 'KDE' }
    const [place] = await linuxDesktop({ environment, home }, '/nowhere').read()
    assert(place !== undefined)
    assert.deepEqual(ways(place, 'http://h.example/'), ['http://proxy.example:3128'])
    assert.deepEqual(ways(place, 'https://h.example/'), ['http://proxy.example:3129'])
    assert.deepEqual(ways(place, 'http://www.near.example/'), straight)
    assert.deepEqual(ways(place, 'http://x.far.example/'), straight)
    assert.deepEqual(ways(place, 'http://10.1.2.3/'), straight)
    assert.deepEqual(ways(place, 'http://localhost/'), straight)
  })
}

test('KDE’s settings are read where $XDG_CONFIG_HOME and $KDEHOME say (N46)', async (context) => {
  const home = homeWith(context, 'there/kioslaverc', '[Proxy Settings]\nProxyType=3\n')
  const config = await kdeSettings({ XDG_CONFIG_HOME: join(home, 'there') }, '/nowhere')
  assert.equal(typeof config === 'object' && config.detects, true)
  const old = homeWith(context, 'k/share/config/kioslaverc', '[Proxy Settings]\nProxyType=3\n')
  const kde = await kdeSettings({ KDEHOME: join(old, 'k') }, '/nowhere')
  assert.equal(typeof kde === 'object' && kde.detects, true)
  assert.equal(await kdeSettings({}, '/nowhere'), 'there is no kioslaverc')
})

test('KDE’s reversed list names the only hosts that need the proxy (N46)', () => {
  const place = read(manual.replace('=false', '=true'))
  assert.deepEqual(ways(place, 'http://h.example/'), straight)
  assert.deepEqual(ways(place, 'http://www.near.example/'), ['http://proxy.example:3128'])
  assert.deepEqual(ways(place, 'http://localhost/'), straight)
})

test('KDE’s kinds of settings are none, script, detection, variables (N46)', () => {
  assert.equal(read('ProxyType=0\nhttpProxy=p 80').fixed, undefined)
  assert.equal(read('').fixed, undefined)
  assert.equal(read('ProxyType=2\nProxy Config Script=http://p/x.pac').script, 'http://p/x.pac')
  assert.equal(read('ProxyType=2\nProxy Config Script=/a b.pac').script, 'file:///a%20b.pac')
  assert.equal(read('ProxyType=2').script, undefined)
  assert.equal(read('ProxyType=3').detects, true)
})

test('KDE’s variables are names of variables, or their values (N46)', () => {
  const place = read('ProxyType=4\nhttpProxy=HTTP_PROXY\nhttpsProxy=q:2\nNoProxyFor=NO_PROXY', {
    HTTP_PROXY: 'p:1',
    NO_PROXY: 'near.example',
  })
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://p:1'])
  assert.deepEqual(ways(place, 'https://h.example/'), ['http://q:2'])
  assert.deepEqual(ways(place, 'https://near.example/'), straight)
})

test('parseGroup() reads flags behind keys, expands where they say so, and keeps to its group (N46)', () => {
  const text = [
    'ProxyType=9',
    '[Proxy Settings]',
    '# ProxyType=8',
    'ProxyType[$i]=2',
    'Proxy Config Script[$e]=file://$HOME/${NAME}.pac',
    'httpProxy=$HOME\\s\\\\',
    '[Else]',
    'ProxyType=7',
  ].join('\r\n')
  assert.deepEqual(
    [...parseGroup(text, { HOME: '/home/me', NAME: 'x' })],
    [
      ['ProxyType', '2'],
      ['Proxy Config Script', 'file:///home/me/x.pac'],
      ['httpProxy', '$HOME \\'],
    ],
  )
})

test('KDE’s settings are read whatever stands in them', () => {
  const piece = fc.constantFrom('[', ']', '$e', '=', 'ProxyType', '1', '\n', '\\', 'httpProxy', ' ')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        assert.equal(read(text).place, "KDE's settings")
      },
    ),
  )
})
