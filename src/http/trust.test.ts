import assert from 'node:assert/strict'
import { rmSync, utimesSync } from 'node:fs'
import { describe, test } from 'node:test'
import { needsOpenssl } from './certificates.suite.ts'
import { ClientFiles } from './certificate/client-files.suite.ts'
import { Trust, type TrustOptions } from './trust.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('Trust', { skip: needsOpenssl }, () => {
  test('context() makes one context for the same options', (t) => {
    const { trust, options, files } = scene(t)
    assert.equal(trust.context(options), trust.context({ ...options }))
    assert.notEqual(trust.context(options), trust.context({ caFile: options.caFile }))
    assert.notEqual(trust.context(options), trust.context({ ...options, maxVersion: 'TLSv1.2' }))
    assert.notEqual(trust.context(options), trust.context({ ...options, caFile: files.path('a.pem') })) // prettier-ignore
  })

  test('context() reads again what has changed', (t) => {
    const { trust, options, files } = scene(t)
    for (const name of ['ca.pem', 'a.pem', 'a.key']) {
      const before = trust.context(options)
      utimesSync(files.path(name), 1, 1)
      assert.notEqual(trust.context(options), before, name)
    }
    rmSync(files.path('a.key'))
    assert.throws(() => trust.context(options), { code: 'ERROR_FILE_NOT_FOUND' })
  })

  test('context() keeps a bounded number of contexts, those used last', (t) => {
    const { trust, options, files } = scene(t)
    const certificateFile = files.pkcs12('a', 'x')
    const first = trust.context(options)
    const other = trust.context({ caFile: options.caFile })
    for (let place = 0; place < 40; place++) {
      // The same file by another name is another context.
      const name = `${files.folder}${'/.'.repeat(place)}/a.p12`
      const certificate = { certificateFile: name, passphrase: bytesOf('x') }
      trust.context({ caFile: options.caFile, certificate })
      assert.equal(trust.context(options), first)
    }
    assert.ok(certificateFile)
    assert.notEqual(trust.context({ caFile: options.caFile }), other)
  })

  test('key() differs where connections must not be shared', (t) => {
    const { trust, options, files } = scene(t)
    const certificateFile = files.pkcs12('a', 'x')
    const withWord = (word: string): TrustOptions => ({
      caFile: options.caFile,
      certificate: { certificateFile, passphrase: bytesOf(word) },
    })
    const all = [
      options,
      { ...options, maxVersion: 'TLSv1.2' } as const,
      { caFile: options.caFile },
      {},
      withWord('x'),
      withWord('y'),
    ]
    const keys = all.map((each) => trust.key(each))
    assert.equal(new Set(keys).size, all.length)
    assert.deepEqual(all.map((each) => trust.key({ ...each })), keys) // prettier-ignore
    assert.doesNotMatch(keys.join(), /"[xy]"/u)
    utimesSync(files.path('a.pem'), 1, 1)
    assert.notEqual(trust.key(options), keys[0])
  })
})

function scene(t: Parameters<typeof makeFiles>[0]) {
  const files = makeFiles(t)
  const certificate = { certificateFile: files.path('a.pem'), keyFile: files.path('a.key') }
  return { trust: new Trust(), files, options: { caFile: files.path('ca.pem'), certificate } }
}

function makeFiles(t: ConstructorParameters<typeof ClientFiles>[0]): ClientFiles {
  const files = new ClientFiles(t)
  files.issue('a')
  return files
}
