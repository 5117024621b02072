import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { ScriptError } from '../ports.ts'
import {
  DOWNLOAD_LIMIT_MS,
  downloadScript,
  LONGEST_SCRIPT,
  type FetchedScript,
} from './download.ts'

const text = 'function FindProxyForURL() { return "DIRECT" }'
const bytes = new TextEncoder().encode(text)

type Web = Readonly<Record<string, Partial<FetchedScript>>>

/** Downloads from a web of a few pages; what is fetched is added to `seen`. */
function download(
  url: string,
  web: Web = {},
  seen: string[] = [],
  isDiscovered = false,
): Promise<string> {
  return downloadScript(
    { url, isDiscovered },
    {
      clock: new TurnedClock(),
      signal: new AbortController().signal,
      fetchScript: async (each, { maxBytes }) => {
        assert.equal(maxBytes, LONGEST_SCRIPT)
        seen.push(each.href)
        const page = web[each.href]
        if (page === undefined) throw new Error('connect ECONNREFUSED')
        return { status: 200, bytes: new Uint8Array(), ...page }
      },
    },
  )
}

function fails(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof ScriptError)
    assert.equal(error.code, 'ERR_PAC_UNREACHABLE')
    assert.match(error.message, reason)
    assert.doesNotMatch(error.message, /secret/u)
    return true
  }
}

describe('downloadScript() over HTTP', () => {
  const a = 'http://a.example/proxy.pac'

  test('takes a body of status 200, whatever its media type', async () => {
    assert.equal(await download(a, { [a]: { bytes, contentType: 'text/plain' } }), text)
  })

  test('takes no other status (N60)', async () => {
    for (const status of [201, 204, 206, 304, 401, 403, 404, 407, 500]) {
      await assert.rejects(
        download(a, { [a]: { status, bytes } }),
        fails(new RegExp(`${status}`, 'u')),
      )
    }
  })

  test('tells what keeps it from having an answer, and no user information', async () => {
    const seen: string[] = []
    const url = 'http://user:secret@a.example/proxy.pac#x'
    await assert.rejects(
      download(url, {}, seen),
      fails(/http:\/\/a\.example\/proxy\.pac: connect/u),
    )
    assert.deepEqual(seen, [a])
  })

  test('follows redirects, twenty and no more', async () => {
    const seen: string[] = []
    const web: Record<string, Partial<FetchedScript>> = {}
    for (let hop = 0; hop < 21; hop++) {
      web[`http://a.example/${hop}`] = { status: 302, location: `/${hop + 1}` }
    }
    web['http://a.example/20'] = { bytes }
    assert.equal(await download('http://a.example/0', web, seen), text)
    assert.equal(seen.length, 21)
    web['http://a.example/20'] = { status: 302, location: '/21' }
    await assert.rejects(download('http://a.example/0', web), fails(/more than 20/u))
  })

  const redirects = [
    ['https://a.example/x', 'http://a.example/y', 'from https to http'],
    [a, 'file:///etc/passwd', 'file:'],
    [a, 'data:,x', 'data:'],
    [a, 'http://', 'to nowhere'],
    [a, undefined, 'without a location'],
  ] as const

  for (const [from, location, reason] of redirects) {
    test(`follows no redirect ${reason}`, async () => {
      await assert.rejects(
        download(from, { [from]: { status: 301, location } }),
        fails(new RegExp(reason, 'u')),
      )
    })
  }

  test('forgets user information in a redirect', async () => {
    const seen: string[] = []
    const web = {
      [a]: { status: 307, location: 'http://u:secret@b.example/' },
      'http://b.example/': { bytes },
    }
    assert.equal(await download(a, web, seen), text)
    assert.deepEqual(seen, [a, 'http://b.example/'])
  })

  test('unpacks what is packed', async () => {
    const packed = [
      ['gzip', gzipSync(bytes)],
      ['X-GZip', gzipSync(bytes)],
      ['deflate', deflateSync(bytes)],
      ['br', brotliCompressSync(bytes)],
      ['deflate, gzip', gzipSync(deflateSync(bytes))],
      ['identity', bytes],
    ] as const
    for (const [contentEncoding, body] of packed) {
      assert.equal(await download(a, { [a]: { bytes: body, contentEncoding } }), text)
    }
    await assert.rejects(
      download(a, { [a]: { bytes, contentEncoding: 'constructor' } }),
      fails(/unknown/u),
    )
    await assert.rejects(download(a, { [a]: { bytes, contentEncoding: 'gzip' } }), fails(/header/u))
  })

  test('takes a mebibyte and no more, packed or not (N60)', async () => {
    const most = new Uint8Array(LONGEST_SCRIPT).fill(0x20)
    const more = new Uint8Array(LONGEST_SCRIPT + 1).fill(0x20)
    assert.equal((await download(a, { [a]: { bytes: most } })).length, LONGEST_SCRIPT)
    await assert.rejects(download(a, { [a]: { bytes: more } }), fails(/longer/u))
    const bomb = { bytes: gzipSync(more), contentEncoding: 'gzip' }
    await assert.rejects(download(a, { [a]: bomb }), fails(/larger/u))
  })

  test('ends after half a minute, whether or not anybody listens (N60)', async () => {
    const clock = new TurnedClock()
    const { signal } = new AbortController()
    const signals: AbortSignal[] = []
    const fetchScript = (_: URL, limits: { readonly signal: AbortSignal }): Promise<never> => {
      signals.push(limits.signal)
      return new Promise(() => undefined)
    }
    const call = downloadScript({ url: a, isDiscovered: false }, { clock, signal, fetchScript })
    clock.turn(DOWNLOAD_LIMIT_MS)
    await assert.rejects(call, fails(/30 seconds/u))
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    )
    assert.equal(clock.alarms, 0)
  })
})

describe('downloadScript() elsewhere', () => {
  test('takes a script out of its own address (RFC 2397)', async () => {
    const rows = [
      [`data:application/x-ns-proxy-autoconfig,${encodeURIComponent(text)}`, text],
      [`data:;base64,${btoa(text)}`, text],
      ['data:text/plain;charset=utf-8,%C3%A4', 'ä'],
      ['data:,%E4%zz', 'ä%zz'],
      ['data:', ''],
    ] as const
    for (const [url, expected] of rows) assert.equal(await download(url), expected)
  })

  test('reads a file, regular and short enough', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lull-pac-'))
    try {
      const path = join(folder, 'a proxy.pac')
      writeFileSync(path, text)
      assert.equal(await download(pathToFileURL(path).href), text)
      await assert.rejects(download(pathToFileURL(folder).href), fails(/regular|EISDIR/u))
      await assert.rejects(download(pathToFileURL(join(folder, 'none')).href), fails(/ENOENT/u))
      writeFileSync(path, new Uint8Array(LONGEST_SCRIPT + 1))
      await assert.rejects(download(pathToFileURL(path).href), fails(/longer/u))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test(
    'reads no device',
    { skip: process.platform === 'win32' && 'no such files here' },
    async () => {
      await assert.rejects(download('file:///dev/zero'), fails(/regular/u))
    },
  )

  const refused = [
    ['file://server/share/proxy.pac', /another machine/u],
    ['ftp://a.example/proxy.pac', /ftp:/u],
    ['javascript:1', /javascript:/u],
    ['', /none/u],
    ['proxy.pac', /none/u],
  ] as const

  for (const [url, reason] of refused) {
    test(`takes nothing from ${url === '' ? 'nowhere' : url}`, async () => {
      await assert.rejects(download(url), fails(reason))
    })
  }

  test('lets the network name no file and no script itself (N84)', async () => {
    await assert.rejects(download('file:///etc/passwd', {}, [], true), fails(/network/u))
    await assert.rejects(download(`data:,${text}`, {}, [], true), fails(/network/u))
    const url = 'http://a.example/wpad.dat'
    assert.equal(await download(url, { [url]: { bytes } }, [], true), text)
  })
})
