/** Chromium's evaluation of proxy scripts is the oracle of ours: the same tables and the same wild scripts. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { functionRows, knownNames } from '../../src/proxy/pac/functions.suite.ts'
import { decodeAnswers, tableScript, urlsScript } from '../../src/proxy/pac/table.suite.ts'
import { wildScripts } from '../../src/proxy/pac/wild.suite.ts'
import { scriptHost, scriptView } from '../../src/proxy/ports.ts'
import { chromiumIsMissing, runInChromium } from '../lab/chromium.ts'

describe('Chromium', { skip: chromiumIsMissing }, () => {
  test('every function of a script is what it is there (N70 to N73)', async () => {
    const rows = functionRows.filter(({ isOurs }) => isOurs !== true)
    const { answers } = await runInChromium({ script: tableScript(rows), names: knownNames })
    const values = decodeAnswers(answers[0] ?? '')
    assert.deepEqual(
      rows.map(({ now, expression }, index) => [now, expression, values[index]]),
      rows.map(({ now, expression, expected }) => [now, expression, expected]),
    )
  })

  for (const { name, text, urls, answers } of wildScripts) {
    test(`a wild script answers what it answers there: ${name}`, async () => {
      const run = await runInChromium({ script: urlsScript(text, urls), names: knownNames })
      assert.deepEqual(decodeAnswers(run.answers[0] ?? ''), answers)
    })
  }

  test('a script sees no more of a URL than there (N65)', async () => {
    const urls = [
      'http://person:secret@probe.test:8080/a/b?c=d#e',
      'https://secure.test:8443/private?x#y',
      'https://other.test/private',
      'http://[2001:db8::7]:81/x',
    ].map((each) => new URL(each))
    const [page, ...images] = urls
    const script = tableScript([{ expression: '' }]).replace(
      /function FindProxyForURL[^]*/u,
      'function FindProxyForURL(url, host) { return encodeAnswers([url, host]) }',
    )
    const { answers } = await runInChromium({
      script,
      names: {},
      page: page?.href ?? '',
      html: images.map(({ href }) => `<img src="${href}">`).join(''),
      hosts: urls.map(scriptHost),
    })
    const seen = new Set(answers.map((each) => decodeAnswers(each).join(' ')))
    for (const url of urls) assert(seen.has(`${scriptView(url)} ${scriptHost(url)}`), url.href)
    assert(![...seen].some((each) => /secret|private/u.test(each)))
  })
})
