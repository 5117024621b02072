import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOwnCoding } from './own-coding.ts'

const rows: readonly (readonly [coding: string, url: string, isOwn: boolean, why: string])[] = [
  ['gzip', 'http://h/a.tar.gz', true, 'as twisted, mini_httpd and AddEncoding of Apache say it'],
  ['x-gzip', 'http://h/a.tgz?mirror=1', true, 'by its old name, and with a query'],
  ['gzip', 'http://h/A.GZ', true, 'in capitals'],
  ['x-compress', 'http://h/a.tar.Z', true, 'of old archives'],
  ['bzip2', 'http://h/a.tbz2', true, 'as Python names it'],
  ['xz', 'http://h/a.tar.xz', true, 'as Python names it'],
  ['br', 'http://h/a.js.br', true, 'made before'],
  ['zstd', 'http://h/a.tar.zst', true, 'made before'],
  ['gzip', 'http://h/a.tar', false, 'compressed on the way'],
  ['gzip', 'http://h/?a.gz', false, 'a query is no name'],
  ['gzip', 'http://h/a.xz', false, 'another coding than that of the file'],
  ['gzip, gzip', 'http://h/a.gz', false, 'once more on the way'],
  ['gzip', 'a.gz', false, 'no URL'],
]

for (const [coding, url, isOwn, why] of rows) {
  test(`isOwnCoding(${coding}) is ${isOwn} for ${url}: ${why}`, () => {
    assert.equal(isOwnCoding(coding, url), isOwn)
  })
}
