import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { describeHop } from '../decision.ts'
import type { PlaceSettings } from '../settings.ts'
import { linuxDesktop } from './linux.ts'
import { parseAssignments, suseSettings } from './suse.ts'

function fileWith(context: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lull-suse-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'proxy')
  writeFileSync(path, text)
  return path
}

function ways(place: PlaceSettings | undefined, url: string): readonly string[] | undefined {
  return place?.fixed?.choose(new URL(url)).hops.map(describeHop)
}

/** As YaST writes it. */
const enabled = `## Path: Network/Proxy
PROXY_ENABLED="yes"
HTTP_PROXY="http://proxy.example:3128"
HTTPS_PROXY='http://proxy.example:3129/'
FTP_PROXY=""
NO_PROXY="localhost, 127.0.0.1, .near.example"
`

test('SUSE’s file names proxies, and hosts without, by the rules of no_proxy (N47)', async (context) => {
  const place = await suseSettings(fileWith(context, enabled))
  assert.deepEqual(ways(place, 'http://h.example/'), ['http://proxy.example:3128'])
  assert.deepEqual(ways(place, 'https://h.example/'), ['http://proxy.example:3129'])
  assert.deepEqual(ways(place, 'https://x.near.example/'), ['straight to the server'])
})

test('SUSE’s file sets nothing where it is switched off, empty or missing (N47)', async (context) => {
  const off = await suseSettings(fileWith(context, enabled.replace('yes', 'no')))
  assert.equal(off?.fixed, undefined)
  const empty = await suseSettings(fileWith(context, 'PROXY_ENABLED="yes"\nHTTP_PROXY=""\n'))
  assert.equal(empty?.fixed, undefined)
  assert.equal(await suseSettings('/nowhere'), undefined)
})

test('the environment is asked before SUSE’s file (N49)', async (context) => {
  const path = fileWith(context, enabled)
  const places = await linuxDesktop(
    { environment: { http_proxy: 'p' }, home: '/nowhere' },
    path,
  ).read()
  assert.deepEqual(
    places.map(({ place }) => place),
    ['the desktop', 'the environment', path],
  )
})

test(
  'a pipe in place of SUSE’s file keeps nobody waiting',
  { skip: process.platform === 'win32' },
  async (context) => {
    const path = `${fileWith(context, '')}.pipe`
    execFileSync('mkfifo', [path])
    assert.equal(await suseSettings(path), undefined)
  },
)

test('parseAssignments() reads whatever it is given', () => {
  const piece = fc.constantFrom('A', '=', '"', "'", '#', ' ', '\n', 'export ')
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        for (const name of parseAssignments(text).keys()) assert.match(name, /^\w+$/u)
      },
    ),
  )
})
