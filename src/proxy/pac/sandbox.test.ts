import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LullError } from '../../base/error.ts'
import type { ScriptSource } from '../ports.ts'
import { askOnce, place, Scratch } from './scratch.suite.ts'
import { scriptLimits } from './limits.ts'
import { NameService } from './names.ts'
import { Sandbox } from './sandbox.ts'
import { decodeAnswers, tableScript } from './table.suite.ts'

/** A script whose answer is the value of the expression in the query. */
const evaluator = `function FindProxyForURL(url, host) {
  return (0, eval)(decodeURIComponent(url.slice(url.indexOf('?') + 1)))
}`

function urlOf(expression: string): string {
  // Apostrophes are legal in a query, and the URL class escapes what is not.
  return `http://www.example.com/?${encodeURIComponent(expression)}`
}

describe('an answer', () => {
  const rows = [
    ['null', ''],
    ['undefined', ''],
    ['""', ''],
    ['"DIRECT"', 'DIRECT'],
    ['1', 'ERR_PAC_FAILED'],
    ['true', 'ERR_PAC_FAILED'],
    ['["DIRECT"]', 'ERR_PAC_FAILED'],
    ['new String("DIRECT")', 'ERR_PAC_FAILED'],
    ['({ toString: function () { return "DIRECT" } })', 'ERR_PAC_FAILED'],
    ['Promise.resolve("DIRECT")', 'ERR_PAC_FAILED'],
    ['Symbol("DIRECT")', 'ERR_PAC_FAILED'],
    ['(function () {})', 'ERR_PAC_FAILED'],
    ['10n', 'ERR_PAC_FAILED'],
    ['(function () { throw "DIRECT" })()', 'ERR_PAC_FAILED'],
    ['(function () { throw null })()', 'ERR_PAC_FAILED'],
    ['(function () { throw { get message() { throw 1 } } })()', 'ERR_PAC_FAILED'],
    ['(function () { throw Symbol() })()', 'ERR_PAC_FAILED'],
    ['notDefined', 'ERR_PAC_FAILED'],
    ['"x".repeat(65536)', 'x'.repeat(65_536)],
    ['"x".repeat(65537)', 'ERR_PAC_LIMIT'],
  ] as const

  test('that is a string is taken, nothing is nothing, and anything else is a failure (N68)', async () => {
    await using scratch = new Scratch()
    scratch.served = evaluator
    const answers: string[] = []
    for (const [expression] of rows) answers.push(await scratch.ask(urlOf(expression)))
    assert.deepEqual(
      answers,
      rows.map(([, answer]) => answer),
    )
  })

  test('passes unchanged, whatever characters it is made of', async () => {
    await using scratch = new Scratch()
    scratch.served = evaluator
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (text) => {
        assert.equal(await scratch.ask(urlOf(JSON.stringify(text))), text)
      }),
      { numRuns: 100 },
    )
  })

  test('of any shape never gets out of the sandbox as anything but a string or a failure', async () => {
    await using scratch = new Scratch()
    scratch.served = evaluator
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 3 }), async (json) => {
        // Wrapped, because a text that is nothing but {} is a block.
        const answer = await scratch.ask(urlOf(`(${json})`))
        const value: unknown = JSON.parse(json)
        if (typeof value === 'string') assert.equal(answer, value)
        else assert.equal(answer, value === null ? '' : 'ERR_PAC_FAILED')
      }),
      { numRuns: 100 },
    )
  })
})

/** Scripts are given little, so that tests are quick: a call computes for a blink, and has room for little. */
const tight = { limits: { computeMs: 100, callMs: 400, nameMs: 50, memory: 8 * 1024 * 1024 } }

function data(text: string): ScriptSource {
  return { url: `data:,${encodeURIComponent(text)}`, isDiscovered: false }
}

describe('a hostile script', () => {
  const rows = [
    ['for (;;);', 'ERR_PAC_LIMIT', 'an endless loop'],
    ['for (;;) { try { for (;;); } catch (e) {} }', 'ERR_PAC_LIMIT', 'one that catches its end'],
    ['try { for (;;); } finally { for (;;); }', 'ERR_PAC_LIMIT', 'one that goes on at its end'],
    ['var a = []; for (;;) a.push(new Array(1000).fill("x"))', 'ERR_PAC_LIMIT', 'memory in arrays'],
    ['var b = []; for (;;) b.push(new ArrayBuffer(1e5))', 'ERR_PAC_LIMIT', 'memory in buffers'],
    ['"x".repeat(1e9)', 'ERR_PAC_LIMIT', 'memory at once'],
    ['var s = "x"; for (;;) s += s + 1', 'ERR_PAC_FAILED', 'a string that is too long'],
    ['(function f() { return f() + 1 })()', 'ERR_PAC_LIMIT', 'depth'],
    [
      '(function f() { try { f() } catch (e) { f() } f() })()',
      'ERR_PAC_LIMIT',
      'depth that is caught',
    ],
    ['JSON.parse("[".repeat(200000))', 'ERR_PAC_LIMIT', 'depth of data'],
    ['eval("(".repeat(100000))', 'ERR_PAC_LIMIT', 'depth of code'],
    ['/^(a+)+$/.test("a".repeat(50) + "b")', 'ERR_PAC_LIMIT', 'an expression that goes back'],
    ['shExpMatch("a".repeat(5000), "*a*a*a*a*a*a*b")', 'ERR_PAC_LIMIT', 'a pattern that goes back'],
    ['throw { get message() { for (;;); } }', 'ERR_PAC_LIMIT', 'an error that does not end'],
    [
      'new Proxy({}, { get: function () { for (;;); } }).x',
      'ERR_PAC_LIMIT',
      'a trap that does not end',
    ],
    ['Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)', 'ERR_PAC_LIMIT', 'a long way'],
  ] as const

  test('is stopped whatever it does, and the next call is as good as any', async () => {
    await using scratch = new Scratch(tight)
    const bodies = rows.map(([body], index) => `if (host === 'h${index}') { ${body} }`)
    scratch.served = `var calls = 0; function FindProxyForURL(url, host) { ${bodies.join('\n')} return "DIRECT" }`
    const results: (readonly [string, string, string])[] = []
    for (const [index, [, , what]] of rows.entries()) {
      const failed = await scratch.ask(`http://h${index}/`)
      results.push([what, failed, await scratch.ask(`http://good/${index}`)])
    }
    assert.deepEqual(
      results,
      rows.map(([, code, what]) => [what, code, 'DIRECT']),
    )
  })

  test('that cannot be interrupted is ended from outside', async () => {
    await using scratch = new Scratch(tight)
    scratch.served = `function FindProxyForURL(url, host) {
      if (host === 'bad') { alert(dnsResolve('a.test')); return new Array(2 ** 32 - 1).join() }
      return "DIRECT"
    }`
    assert.equal(await scratch.ask('http://good/'), 'DIRECT')
    const bad = scratch.ask('http://bad/')
    const next = scratch.ask('http://next/')
    // It asks for a name on its way into the dark.
    while (scratch.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    scratch.clock.turn(tight.limits.callMs + 1_000)
    assert.deepEqual([await bad, await next], ['ERR_PAC_LIMIT', 'DIRECT'])
  })

  test('that does not even load is stopped, and not loaded again at once', async () => {
    await using scratch = new Scratch(tight)
    scratch.served = 'for (;;);'
    assert.equal(await scratch.ask(), 'ERR_PAC_LIMIT')
    assert.equal(await scratch.ask('http://other/'), 'ERR_PAC_LIMIT')
    assert.equal(scratch.fetches, 1)
  })

  test('that runs into its limits again and again rests for a while', async () => {
    await using scratch = new Scratch(tight)
    scratch.served = `function FindProxyForURL(url, host) { alert(host); for (;;); }`
    for (const host of ['a', 'b', 'c', 'd', 'e']) {
      assert.equal(await scratch.ask(`http://${host}/`), 'ERR_PAC_LIMIT')
    }
    const runs = (): number => scratch.lines.filter((line) => line.startsWith('debug')).length
    assert.equal(runs(), 3)
    scratch.clock.turn(5 * 60_000)
    assert.equal(await scratch.ask('http://f/'), 'ERR_PAC_LIMIT')
    assert.equal(runs(), 4)
  })

  test('does not stop another script', async () => {
    await using scratch = new Scratch(tight)
    const endless = data('function FindProxyForURL() { return new Array(2 ** 32 - 1).join() }')
    const other = data('function FindProxyForURL() { return "PROXY other:1" }')
    const stuck = scratch.scripts.evaluate(endless, new URL('http://x/'))
    const failed = assert.rejects(stuck, { code: 'ERR_PAC_CLOSED' })
    assert.equal(await scratch.scripts.evaluate(other, new URL('http://x/')), 'PROXY other:1')
    await scratch.scripts.close()
    await failed
  })
})

describe('the sandbox', () => {
  test('has nothing in it but the language and the functions of scripts', async () => {
    const outside = `process require module exports global std os bjson print console scriptArgs fetch WebAssembly
      Worker SharedWorker setTimeout setInterval setImmediate queueScript load read write performance navigator window
      self document XMLHttpRequest WebSocket Buffer URL TextEncoder atob structuredClone Intl Deno Bun host given`
    const rows = outside.split(/\s+/u).map((name) => ({ expression: `typeof ${name}` }))
    const values = decodeAnswers(await askOnce(tableScript(rows)))
    assert.deepEqual(
      rows.map(({ expression }, index) => `${expression} ${values[index]}`),
      rows.map(({ expression }) => `${expression} undefined`),
    )
  })

  test('has no way out through constructors, modules or errors', async () => {
    const rows = [
      ['this.constructor.constructor("return typeof process")()', 'undefined'],
      ['dnsResolve.constructor("return typeof require")()', 'undefined'],
      ['(function () {}).constructor("return this === globalThis")()', 'true'],
      ['typeof new Error().stack.match(/thread|virtual|node_modules|file:/)', 'object'],
      ['new Error().stack.match(/thread|virtual|node_modules|file:/)', 'null'],
      ['eval("import(\'os\')") instanceof Promise', 'true'],
      ['eval("import os from \'os\'")', 'throws'],
      ['typeof Object.getPrototypeOf(dnsResolve).caller', 'throws'],
    ] as const
    const values = decodeAnswers(
      await askOnce(tableScript(rows.map(([expression]) => ({ expression })))),
    )
    assert.deepEqual(
      values,
      rows.map(([, expected]) => expected),
    )
  })

  test('never loads a module', async () => {
    await using scratch = new Scratch()
    scratch.served = `var got = "nothing"
      import('node:fs').then(function () { got = "module" }, function () { got = "refused" })
      function FindProxyForURL() { return "PROXY " + got + ":1" }`
    assert.equal(await scratch.ask(), 'PROXY nothing:1')
  })

  test('keeps the state of a script between calls (N67)', async () => {
    await using scratch = new Scratch()
    scratch.served = 'var n = 0; function FindProxyForURL() { return "PROXY p:" + ++n }'
    assert.deepEqual(
      [await scratch.ask('http://a/'), await scratch.ask('http://b/')],
      ['PROXY p:1', 'PROXY p:2'],
    )
  })

  test('asks FindProxyForURLEx where there is one (N66), also one that is a constant', async () => {
    const plain = 'function FindProxyForURL() { return "PROXY plain:1" }'
    assert.equal(await askOnce(`${plain}; function FindProxyForURLEx() { return "EX" }`), 'EX')
    assert.equal(await askOnce('const FindProxyForURL = (url, host) => host'), 'www.example.com')
    assert.equal(await askOnce(`${plain}; var FindProxyForURLEx = 1`), 'PROXY plain:1')
  })

  test('shows a script of an https URL nothing but where it is, and never user information (N65)', async () => {
    await using scratch = new Scratch()
    scratch.served = 'function FindProxyForURL(url, host) { return url + " " + host }'
    const views = [
      ['https://u:p@Host.Example:8443/secret?x#y', 'https://host.example:8443/ host.example'],
      ['https://host.example/secret', 'https://host.example/ host.example'],
      ['http://u:p@host.example/a?b#c', 'http://host.example/a?b host.example'],
      ['http://[2001:DB8::1]:81/', 'http://[2001:db8::1]:81/ 2001:db8::1'],
    ] as const
    for (const [url, view] of views) assert.equal(await scratch.ask(url), view)
  })

  test('writes what a script says to the log, and no more than a page of it', async () => {
    await using scratch = new Scratch()
    scratch.served = `function FindProxyForURL() {
      alert('first'); for (var i = 0; i < 1e4; i++) alert('x'.repeat(100)); return 'DIRECT'
    }`
    assert.equal(await scratch.ask(), 'DIRECT')
    assert.equal(scratch.lines.length, 1)
    assert.match(scratch.lines[0] ?? '', /^debug A proxy script says .*first/u)
    assert((scratch.lines[0]?.length ?? 0) < 2 * scriptLimits.log)
  })

  test('has its thread when it is asked, and none when nobody asks', async () => {
    const { clock } = new Scratch()
    const names = new NameService({ resolve: async () => [], ownAddresses: async () => [] }, clock)
    const text = 'function FindProxyForURL(url, host) { return host }'
    const sandbox = new Sandbox({ clock, names, limits: scriptLimits, idleMs: 30_000 })
    assert(!sandbox.isRunning)
    sandbox.prepare()
    assert(sandbox.isRunning)
    clock.turn(30_000)
    assert(!sandbox.isRunning)
    const order = { url: 'http://a/', host: 'a' }
    assert.deepEqual(await sandbox.load(text), { ok: true, answer: '', said: '' })
    assert.deepEqual(await sandbox.call(order), { ok: true, answer: 'a', said: '' })
    clock.turn(29_999)
    assert(sandbox.isRunning)
    clock.turn(1)
    assert(!sandbox.isRunning)
    assert.deepEqual(await sandbox.call(order), { ok: true, answer: 'a', said: '' })
    await sandbox.close()
    assert(!sandbox.isRunning)
    assert.equal((await sandbox.call(order)).ok, false)
  })
})

describe('a name', () => {
  test('is asked for once in a call, and no more than twenty of them', async () => {
    await using scratch = new Scratch()
    scratch.served = `function FindProxyForURL() {
      for (var i = 0; i < 50; i++) dnsResolve('n' + (i >> 1) + '.test')
      return String(dnsResolve('a.test'))
    }`
    assert.equal(await scratch.ask(), 'null')
    assert.deepEqual(
      scratch.asked,
      Array.from({ length: 20 }, (_, index) => `n${index}.test`),
    )
  })

  test('that nobody answers for has no address in time, and its late answer is nobody else’s', async () => {
    const late = Promise.withResolvers<readonly string[]>()
    const names = {
      resolve: (name: string) =>
        name === 'slow.test' ? late.promise : Promise.resolve(['10.0.0.2']),
      ownAddresses: async () => [],
    }
    await using scratch = new Scratch({ ...tight, names })
    scratch.served = `function FindProxyForURL(url, host) {
      return dnsResolve('slow.test') + ' ' + dnsResolve('quick.test')
    }`
    const answer = await scratch.ask()
    late.resolve(['10.0.0.1'])
    assert.equal(answer, 'null 10.0.0.2')
  })

  test('that is too long for DNS, or none, is not asked for', async () => {
    await using scratch = new Scratch()
    scratch.served = `function FindProxyForURL() {
      return [dnsResolve('x'.repeat(300)), dnsResolve(''), dnsResolve({}), dnsResolve('10.0.0.1')].join()
    }`
    assert.equal(await scratch.ask(), ',,,10.0.0.1')
    assert.deepEqual(scratch.asked, [])
  })

  test('is remembered for other calls for a minute, and a failure for less', async () => {
    await using scratch = new Scratch()
    scratch.served = `function FindProxyForURL() { return dnsResolve('a.test') + dnsResolve('b.test') }`
    const urls = ['http://1/', 'http://2/', 'http://3/', 'http://4/']
    const waits = [0, 9_999, 1, 50_000]
    const asked: number[] = []
    for (const [index, url] of urls.entries()) {
      scratch.clock.turn(waits[index] ?? 0)
      assert.equal(await scratch.ask(url), '10.1.2.3null')
      asked.push(scratch.asked.length)
    }
    assert.deepEqual(asked, [2, 2, 3, 5])
  })
})

test('a caller that gives up hears its own reason, and the answer is there for the next', async () => {
  await using scratch = new Scratch()
  scratch.served = 'var n = 0; function FindProxyForURL() { return "PROXY p:" + ++n }'
  const controller = new AbortController()
  const url = new URL('http://www.example.com/')
  const call = scratch.scripts.evaluate(place, url, { signal: controller.signal })
  controller.abort(new LullError('ERR_TEST_ABORT', 'Given up'))
  await assert.rejects(call, { code: 'ERR_TEST_ABORT' })
  await assert.rejects(scratch.scripts.evaluate(place, url, { signal: controller.signal }), {
    code: 'ERR_TEST_ABORT',
  })
  assert.equal(await scratch.ask(), 'PROXY p:1')
})
