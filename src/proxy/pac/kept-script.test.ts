import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DECISION_LIFE_MS } from './decisions.ts'
import { RETRY_DELAYS_MS, SCRIPT_LIFE_MS } from './kept-script.ts'
import { place, Scratch } from './scratch.suite.ts'

/** A script that answers with its own name and how often it was called. */
function counting(name: string): string {
  return `var n = 0; function FindProxyForURL(url, host) { return '${name} ' + ++n }`
}

function notThere(): Promise<never> {
  return Promise.reject(new Error('connect ECONNREFUSED'))
}

const elsewhere = Array.from({ length: 20 }, (_, index) => `http://host${index}/`)

describe('a script', () => {
  test('is fetched when it is asked first, and not for the next twelve hours (N62)', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    assert.equal(scratch.fetches, 0)
    assert.equal(await scratch.ask(elsewhere[0]), 'one 1')
    scratch.clock.turn(SCRIPT_LIFE_MS - 1)
    assert.equal(await scratch.ask(elsewhere[1]), 'one 2')
    assert.equal(scratch.fetches, 1)
  })

  test('is fetched again when it is stale, and goes on where it is the same', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    await scratch.ask(elsewhere[0])
    scratch.clock.turn(SCRIPT_LIFE_MS)
    assert.equal(await scratch.ask(elsewhere[1]), 'one 2')
    scratch.served = counting('two')
    scratch.clock.turn(SCRIPT_LIFE_MS)
    assert.equal(await scratch.ask(elsewhere[2]), 'two 1')
    assert.equal(scratch.fetches, 3)
  })

  test('stays where the next one cannot be had or cannot be used (N62, N63)', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    await scratch.ask(elsewhere[0])
    const worse = [notThere, 'not a script', 'var x = 1', 'throw 1'] as const
    for (const [index, each] of worse.entries()) {
      scratch.served = each
      scratch.clock.turn(SCRIPT_LIFE_MS)
      assert.equal(await scratch.ask(elsewhere[index + 1]), `one ${index + 2}`)
    }
    assert.equal(scratch.fetches, 5)
  })

  test('that cannot be had is tried again after 8 s, 32 s, 2 min and 4 h (N62)', async () => {
    await using scratch = new Scratch()
    scratch.served = notThere
    assert.equal(await scratch.ask(), 'ERR_PAC_UNREACHABLE')
    for (const [index, delayMs] of [...RETRY_DELAYS_MS, RETRY_DELAYS_MS[3]].entries()) {
      scratch.clock.turn(delayMs - 1)
      assert.equal(await scratch.ask(), 'ERR_PAC_UNREACHABLE')
      assert.equal(scratch.fetches, index + 1)
      scratch.clock.turn(1)
      assert.equal(await scratch.ask(), 'ERR_PAC_UNREACHABLE')
      assert.equal(scratch.fetches, index + 2)
    }
    scratch.served = counting('one')
    scratch.clock.turn(RETRY_DELAYS_MS[3])
    assert.equal(await scratch.ask(), 'one 1')
  })

  const unusable = [
    ['', 'nothing'],
    ['<html>not found</html>', 'a page'],
    ['function FindProxyForURL(url, host) {', 'half a script'],
    ['var FindProxyForURL = "DIRECT"', 'a script whose function is none'],
    ['function findproxyforurl() { return "DIRECT" }', 'a script with another function'],
    ['throw new Error("no")', 'a script that throws'],
    ['import x from "y"; function FindProxyForURL() {}', 'a module'],
  ] as const

  for (const [text, what] of unusable) {
    test(`is not one: ${what}`, async () => {
      await using scratch = new Scratch()
      scratch.served = text
      assert.equal(await scratch.ask(), 'ERR_PAC_INVALID')
      assert.equal(await scratch.ask(elsewhere[0]), 'ERR_PAC_INVALID')
      assert.equal(scratch.fetches, 1)
    })
  }

  test('is fetched once for all who ask at the same time, and asked once for the same URL', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    const answers = await Promise.all([
      scratch.ask('https://a.example/1'),
      scratch.ask('https://a.example/2'),
      scratch.ask('https://b.example/1'),
    ])
    assert.deepEqual(answers, ['one 1', 'one 1', 'one 2'])
    assert.equal(scratch.fetches, 1)
  })

  test('is not asked again for a URL for five minutes, nor for a host under https (N67)', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    assert.equal(await scratch.ask('https://a.example/1'), 'one 1')
    assert.equal(await scratch.ask('http://a.example/1'), 'one 2')
    assert.equal(await scratch.ask('http://a.example/2'), 'one 3')
    scratch.clock.turn(DECISION_LIFE_MS - 1)
    assert.equal(await scratch.ask('https://a.example/2'), 'one 1')
    assert.equal(await scratch.ask('http://a.example/1#f'), 'one 2')
    scratch.clock.turn(1)
    assert.equal(await scratch.ask('https://a.example/1'), 'one 4')
  })

  test('is asked again for a URL that it failed for', async () => {
    await using scratch = new Scratch()
    scratch.served =
      'var n = 0; function FindProxyForURL() { if (n++ === 0) throw 1; return "now" }'
    assert.equal(await scratch.ask(), 'ERR_PAC_FAILED')
    assert.equal(await scratch.ask(), 'now')
  })

  test('is fetched anew on another network, failures and names are forgotten (N62)', async () => {
    await using scratch = new Scratch()
    scratch.served = notThere
    assert.equal(await scratch.ask(), 'ERR_PAC_UNREACHABLE')
    scratch.scripts.networkChanged()
    scratch.served = 'function FindProxyForURL(url, host) { return dnsResolve("a.test") }'
    assert.equal(await scratch.ask(), '10.1.2.3')
    scratch.scripts.networkChanged()
    assert.equal(await scratch.ask(), '10.1.2.3')
    assert.deepEqual([scratch.fetches, scratch.asked.length], [3, 2])
  })

  test('comes to the end of its calls when the network changes', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    const answer = scratch.ask()
    scratch.scripts.networkChanged()
    assert.equal(await answer, 'one 1')
  })

  test('makes room when there are too many of them', async () => {
    await using scratch = new Scratch()
    scratch.served = counting('one')
    const ask = (index: number): Promise<string> =>
      scratch.scripts.evaluate({ ...place, url: `${place.url}?${index}` }, new URL('http://a/'))
    for (let index = 0; index < 9; index++) assert.equal(await ask(index), 'one 1')
    assert.equal(scratch.fetches, 9)
    await ask(8)
    assert.equal(scratch.fetches, 9)
    await ask(0)
    assert.equal(scratch.fetches, 10)
  })

  test('breaks off when all is closed, and is not begun again', async () => {
    const scratch = new Scratch()
    scratch.served = () => new Promise(() => undefined)
    const fetching = scratch.ask()
    await scratch.scripts.close()
    assert.equal(await fetching, 'ERR_PAC_CLOSED')
    assert.equal(await scratch.ask(), 'ERR_PAC_CLOSED')
    await scratch.scripts.close()
  })

  test('is another one for each file of authorities that its server was verified against (N60)', async () => {
    const trusted: (string | undefined)[] = []
    await using scratch = new Scratch({
      fetchScript: async (_, { caFile }) => {
        trusted.push(caFile)
        const text = `function FindProxyForURL() { return 'PROXY ${caFile ?? 'platform'}' }`
        return { status: 200, bytes: new TextEncoder().encode(text) }
      },
    })
    const url = new URL('http://www.example.com/')
    for (const caFile of ['a', 'b', 'a', undefined]) {
      const answer = await scratch.scripts.evaluate({ ...place, caFile }, url)
      assert.equal(answer, `PROXY ${caFile ?? 'platform'}`)
    }
    assert.deepEqual(trusted, ['a', 'b', undefined])
  })
})
