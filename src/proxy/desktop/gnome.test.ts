import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { FailureError } from '../../job/failure.ts'
import { describeHop } from '../decision.ts'
import type { PlaceSettings } from '../settings.ts'
import { parseKeys, settingsOf } from './gnome.ts'
import { parseGVariant } from './gvariant.ts'
import { linuxDesktop } from './linux.ts'

const schema = 'org.gnome.system.proxy'
const hasGSettings = spawnSync('gsettings', ['list-keys', schema], { stdio: 'ignore' }).status === 0
const without = hasGSettings ? false : 'gsettings or its schema is not installed'

/** A home whose settings are a file, as GLib's keyfile backend keeps them. */
class Home {
  readonly folder = mkdtempSync(join(tmpdir(), 'lull-gnome-'))
  readonly environment = {
    PATH: process.env['PATH'],
    HOME: this.folder,
    XDG_CONFIG_HOME: join(this.folder, '.config'),
    XDG_RUNTIME_DIR: this.folder,
    XDG_CURRENT_DESKTOP: 'ubuntu:GNOME',
    GSETTINGS_BACKEND: 'keyfile',
  }

  constructor(context: TestContext) {
    context.after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  set(key: string, value: string): void {
    const [child = '', name = ''] = key.includes(' ') ? key.split(' ') : ['', key]
    const of = child === '' ? schema : `${schema}.${child}`
    execFileSync('gsettings', ['set', of, name, value], { env: this.environment })
  }

  async read(): Promise<PlaceSettings> {
    const desktop = linuxDesktop({ environment: this.environment, home: this.folder }, '/nowhere')
    const [gnome] = await desktop.read()
    assert(gnome !== undefined)
    return gnome
  }
}

function ways(place: PlaceSettings, url: string): readonly string[] | undefined {
  return place.fixed?.choose(new URL(url)).hops.map(describeHop)
}

test(
  'GNOME has nothing set where nobody set anything (N45)',
  { skip: without },
  async (context) => {
    const place = await new Home(context).read()
    assert.deepEqual(place, { place: "GNOME's settings", says: 'no proxy is set' })
  },
)

test(
  'GNOME’s manual proxies and ignored hosts are read from its own program (N45)',
  { skip: without },
  async (context) => {
    const home = new Home(context)
    home.set('mode', 'manual')
    home.set('http host', 'proxy.example')
    home.set('http port', '3128')
    home.set('https host', '2001:db8::1')
    home.set('https port', '443')
    home.set('ignore-hosts', "['*.near.example', 'it''s'] ".replace("''", ''))
    const place = await home.read()
    assert.deepEqual(ways(place, 'http://h.example/'), ['http://proxy.example:3128'])
    assert.deepEqual(ways(place, 'https://h.example/'), ['http://[2001:db8::1]:443'])
    assert.deepEqual(ways(place, 'http://near.example/'), ['straight to the server'])
  },
)

test(
  'GNOME’s script is read, and detection where none is named (N45)',
  { skip: without },
  async (context) => {
    const home = new Home(context)
    home.set('mode', 'auto')
    assert.equal((await home.read()).detects, true)
    home.set('autoconfig-url', 'http://pac.example/it’s.pac')
    const place = await home.read()
    assert.equal(place.script, 'http://pac.example/it’s.pac')
    assert.equal(place.detects, undefined)
  },
)

test('a desktop whose program is missing says so, and the environment is asked (N49)', async () => {
  const environment = { PATH: '/nowhere', XDG_CURRENT_DESKTOP: 'GNOME', http_proxy: 'p' }
  const places = await linuxDesktop({ environment, home: '/nowhere' }, '/nowhere').read()
  assert.deepEqual(
    places.map(({ place, says }) => `${place}: ${says}`),
    [
      "GNOME's settings: cannot be read: gsettings is not installed",
      'the environment: http_proxy set',
    ],
  )
})

test('GNOME’s SOCKS proxy serves what has no proxy of its own (N12, N45)', () => {
  const keys = new Map([
    ['mode', 'manual'],
    ['socks host', 's'],
    ['socks port', '0'],
    ['http host', 'p'],
    ['http port', '8080'],
  ])
  const place = settingsOf(keys)
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://p:8080'])
  assert.deepEqual(ways(place, 'https://h.example/'), ['socks5://s:1080', 'socks4://s:1080'])
})

test('GNOME’s settings fail whoever needs them when they name no proxy (N2)', () => {
  const place = settingsOf(
    new Map([
      ['mode', 'manual'],
      ['http host', 'a b'],
    ]),
  )
  assert.throws(() => ways(place, 'http://h.example/'), FailureError)
})

test('parseKeys() keeps nothing about passwords', () => {
  const line = `${schema}.http authentication-password 'secret'\n`
  assert.equal(parseKeys(line).size, 0)
})

for (const [text, value] of [
  [`'it\\'s'`, "it's"],
  [`"it's"`, "it's"],
  [`'a\\\\b\\n\\u00e9'`, 'a\\b\né'],
  ['@as []', []],
  ["['a', \"b'c\"]", ['a', "b'c"]],
  ["(['direct://'],)", ['direct://']],
  ['true', 'true'],
  ['8080', '8080'],
  ['uint32 5', 'uint32 5'],
  ["''", ''],
] as const) {
  test(`parseGVariant() reads ${text}`, () => {
    assert.deepEqual(parseGVariant(text), value)
  })
}

test('parseGVariant() and parseKeys() read whatever they are given', () => {
  const piece = fc.constantFrom("'", '"', '\\', 'u', '00e9', '[', ']', ',', 'a', ' ')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        parseGVariant(text)
        settingsOf(parseKeys(`${schema} mode 'manual'\n${schema}.http host ${text}`))
      },
    ),
  )
})
