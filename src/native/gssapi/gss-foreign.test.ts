import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gssLibraryNames, openGssForeign } from './gss-foreign.ts'

const noLibc = process.platform === 'linux' ? false : 'the C library has another name'

describe('openGssForeign()', () => {
  test('names the package to install where there is no library', () => {
    const library = openGssForeign(['libnothing-of-that-name.so.0'])
    assert(library.kind === 'missing')
    assert.match(library.reason, /libgssapi-krb5-2 \(Debian/u)
  })

  test('takes no library for GSSAPI that is none', { skip: noLibc }, () => {
    assert.equal(openGssForeign(['libc.so.6']).kind, 'missing')
  })

  test('says why where koffi has no binary for this platform', () => {
    const library = openGssForeign(gssLibraryNames('linux'), () => {
      throw new Error('Cannot find the native module\nRequire stack:\n- index.js')
    })
    assert.deepEqual(library, {
      kind: 'missing',
      reason: 'koffi cannot be loaded: Cannot find the native module',
    })
  })
})
