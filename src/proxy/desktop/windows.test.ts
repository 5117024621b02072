import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeHop } from '../decision.ts'
import type { PlaceSettings } from '../settings.ts'
import { parseConnection, parseValues, settingsOf, windowsDesktop } from './windows.ts'

/** What `reg query` prints. */
const manual = [
  '',
  String.raw`HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings`,
  '    User Agent    REG_SZ    Mozilla/4.0 (compatible; MSIE 8.0; Win32)',
  '    ProxyEnable    REG_DWORD    0x1',
  '    ProxyServer    REG_SZ    http=p1:80;https=p2:443',
  '    ProxyOverride    REG_SZ    *.near.example;10.*;<local>',
  '    Empty    REG_SZ',
  '    CertificateRevocation    REG_DWORD    0x1',
  '',
  String.raw`HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections`,
  '',
].join('\r\n')

/** DefaultConnectionSettings as Windows lays it out. */
function connection(flags: number, ...texts: readonly string[]): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(0x46, 0)
  head.writeUInt32LE(7, 4)
  head.writeUInt32LE(flags, 8)
  const parts = texts.flatMap((text) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    return [length, Buffer.from(text, 'latin1')]
  })
  return Buffer.concat([head, ...parts, Buffer.alloc(32)])
}

function ways(place: PlaceSettings, url: string): readonly string[] | undefined {
  return place.fixed?.choose(new URL(url)).hops.map(describeHop)
}

const straight = ['straight to the server']

test('Windows’s values name proxies and hosts without (N55)', () => {
  const place = settingsOf(parseValues(manual), undefined)
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://p1:80'])
  assert.deepEqual(ways(place, 'https://h.example/'), ['http://p2:443'])
  for (const host of ['x.near.example', '10.1.2.3', 'simple', 'localhost']) {
    assert.deepEqual(ways(place, `http://${host}/`), straight, host)
  }
})

test('Windows’s proxies do not count where they are switched off (N55)', () => {
  const values = parseValues(
    manual.replace('ProxyEnable    REG_DWORD    0x1', 'ProxyEnable    REG_DWORD    0x0'),
  )
  assert.equal(settingsOf(values, parseConnection(connection(3, 'p', '', ''))).fixed, undefined)
})

test('Windows’s detection is found in the settings of the connection alone (N55)', () => {
  assert.equal(settingsOf(new Map(), parseConnection(connection(9, '', '', ''))).detects, true)
  assert.equal(settingsOf(new Map(), parseConnection(connection(1, '', '', ''))).detects, false)
  assert.equal(settingsOf(new Map(), undefined).detects, false)
})

test('Windows’s script is the value, else that of the connection (N55)', () => {
  const values = parseValues('    AutoConfigURL    REG_SZ    http://pac.example/a.pac\r\n')
  const script = 'http://pac.example/b.pac'
  const both = parseConnection(connection(5, '', '', script))
  assert.equal(settingsOf(values, both).script, 'http://pac.example/a.pac')
  assert.equal(settingsOf(new Map(), both).script, script)
  const off = parseConnection(connection(1, '', '', script))
  assert.equal(settingsOf(new Map(), off).script, undefined)
})

test('Windows’s proxies are those of the connection where there are no values (N55)', () => {
  const place = settingsOf(new Map(), parseConnection(connection(3, 'p:1', 'near.example', '')))
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://p:1'])
  assert.deepEqual(ways(place, 'http://near.example/'), straight)
})

test('parseValues() reads numbers, texts and bytes (N55)', () => {
  const values = parseValues(
    `${manual}    DefaultConnectionSettings    REG_BINARY    ${connection(9, 'p', '', '').toString('hex')}\r\n`,
  )
  assert.equal(values.get('proxyenable'), 1)
  assert.equal(values.get('empty'), '')
  const blob = values.get('defaultconnectionsettings')
  assert(Buffer.isBuffer(blob))
  assert.deepEqual(parseConnection(blob), {
    isManual: false,
    detects: true,
    hasScript: false,
    proxies: 'p',
    bypass: '',
    script: '',
  })
})

test('parseConnection() reads texts of every length and refuses what is cut short', () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
  fc.assert(
    fc.property(text, text, text, fc.nat(15), (proxies, bypass, script, flags) => {
      const bytes = connection(flags, proxies, bypass, script)
      const { isManual, ...read } = parseConnection(bytes) ?? {}
      assert.equal(isManual, (flags & 2) !== 0)
      assert.deepEqual(read, {
        detects: (flags & 8) !== 0,
        hasScript: (flags & 4) !== 0,
        proxies,
        bypass,
        script,
      })
      const needed = 24 + proxies.length + bypass.length + script.length
      for (let length = 0; length < needed; length++) {
        assert.equal(parseConnection(bytes.subarray(0, length)), undefined)
      }
    }),
    { numRuns: 50 },
  )
})

test('parseValues() and parseConnection() read whatever they are given', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 64 }), (text, bytes) => {
      parseValues(`    ${text}    REG_BINARY    ${text}`)
      parseConnection(Buffer.from(bytes))
    }),
  )
})

test(
  'Windows’s settings are not those of netsh winhttp, which is not even asked for (A116)',
  { skip: process.platform === 'win32' },
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'lull-windows-'))
    context.after(() => rmSync(folder, { recursive: true, force: true }))
    const program = `${folder}/root\\System32\\reg.exe`
    const asked = join(folder, 'asked')
    const netsh = connection(3, 'netsh:80', '', '').toString('hex')
    const script = `#!/bin/sh
echo "$2" >> '${asked}'
echo '    WinHttpSettings    REG_BINARY    ${netsh}'
`
    writeFileSync(program, script)
    chmodSync(program, 0o755)
    const environment = { SystemRoot: `${folder}/root`, PATH: '/usr/bin:/bin' }
    const [registry] = await windowsDesktop({ environment, home: folder }).read()
    assert.equal(registry?.says, 'no proxy is set')
    assert.equal(registry.fixed, undefined)
    assert.doesNotMatch(readFileSync(asked, 'utf8'), /winhttp/iu)
  },
)

for (const [policy, hive] of [
  ['', 'HKCU'],
  ['    ProxySettingsPerUser    REG_DWORD    0x1', 'HKCU'],
  ['    ProxySettingsPerUser    REG_DWORD    0x0', 'HKLM'],
] as const) {
  test(
    `Windows’s settings are those of ${hive} where the policy is ${JSON.stringify(policy.trim())} (N56)`,
    { skip: process.platform === 'win32' },
    async (context) => {
      const folder = mkdtempSync(join(tmpdir(), 'lull-windows-'))
      context.after(() => rmSync(folder, { recursive: true, force: true }))
      // Elsewhere this is one file name; it stands for the program that only Windows has.
      const program = `${folder}/root\\System32\\reg.exe`
      const script = `#!/bin/sh
case $2 in
  *Policies*) echo '${policy}' ;;
  *Connections) echo '    DefaultConnectionSettings    REG_BINARY    ${connection(9, '', '', '').toString('hex')}' ;;
  HKCU*) echo '    AutoConfigURL    REG_SZ    HKCU' ;;
  HKLM*) echo '    AutoConfigURL    REG_SZ    HKLM' ;;
esac
`
      writeFileSync(program, script)
      chmodSync(program, 0o755)
      const environment = { SystemRoot: `${folder}/root`, http_proxy: 'p', PATH: '/usr/bin:/bin' }
      const [registry, after] = await windowsDesktop({ environment, home: folder }).read()
      assert.equal(registry?.script, hive)
      assert.equal(registry?.detects, true)
      assert.equal(after?.place, 'the environment')
    },
  )
}
