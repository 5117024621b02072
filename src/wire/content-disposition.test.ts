import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assert as check, constantFrom, oneof, property, string } from 'fast-check'

import { parseContentDispositionFileName } from './content-disposition.ts'
import { safeFileName } from './file-name.ts'

/** Text as the codec hands it over: each byte of UTF-8 one character. */
const raw = (text: string) => Buffer.from(text).toString('latin1')

const cases = [
  ['Attachment; filename=example.html', 'example.html', 'RFC 6266 §5, first example'],
  ['INLINE; FILENAME= "an example.html"', 'an example.html', 'RFC 6266 §5, second example'],
  ["attachment; filename*= UTF-8''%e2%82%ac%20rates", '€ rates', 'RFC 6266 §5, third example'],
  [
    'attachment; filename="EURO rates"; filename*=utf-8\'\'%e2%82%ac%20rates',
    '€ rates',
    'RFC 6266 §5, fourth example',
  ],
  ["x; filename*=utf-8'en'%C2%A3%20rates", '£ rates', 'RFC 8187 §3.2.3, with a language'],
  [
    "x; filename*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates",
    '£ and € rates',
    'RFC 8187 §3.2.3, second example',
  ],
  ["x; filename*=iso-8859-1'en'%A3%20rates", '£ rates', 'RFC 5987 §3.2.2, ISO-8859-1'],
  ['x; filename=Economy', 'Economy', 'RFC 8187 §3.2.3, a token'],
  ['x; filename="US-$ rates"', 'US-$ rates', 'RFC 8187 §3.2.3, a quoted string'],
  [
    'attachment; filename*=utf-8\'\'b.txt; filename="a.txt"',
    'b.txt',
    'filename* wins wherever it stands',
  ],
  ['attachment; filename="a.txt"; filename*=utf-8\'\'%ff', 'a.txt', 'filename* is not UTF-8'],
  ['attachment; filename="a.txt"; filename*=utf-8\'\'%2', 'a.txt', 'filename* is cut off'],
  ['attachment; filename="a.txt"; filename*=utf-8\'\'', 'a.txt', 'filename* is empty'],
  ['attachment; filename="a.txt"; filename*=utf-8\'\'..', 'a.txt', 'filename* names no file'],
  ["attachment; filename=a.txt; filename*=koi8-r''%C1", 'a.txt', 'a charset that is not known'],
  ['attachment; filename=a.txt; filename*=b.txt', 'a.txt', 'filename* has no charset'],
  ["attachment; filename*=UTF-8''it's%20(1).txt", "it's (1).txt", 'what many encoders leave alone'],
  ["attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", 'passwd', 'a path'],
  ['attachment; filename="/etc/passwd"', 'passwd', 'a path, RFC 6266 §4.3'],
  [String.raw`attachment; filename="C:\\temp\\x.txt"`, 'x.txt', 'a path of Windows'],
  [String.raw`attachment; filename="a\b\.txt"`, 'ab.txt', 'escapes, RFC 9110 §5.6.4'],
  [String.raw`attachment; filename="say \"hi\".txt"`, 'say _hi_.txt', 'escaped quotes'],
  ['attachment; filename="a;b=c.txt"', 'a;b=c.txt', 'delimiters in quotes'],
  ['attachment; filename="%41.txt"', '%41.txt', 'percent means nothing in filename, §4.3'],
  [`attachment; filename="${raw('日本語.txt')}"`, '日本語.txt', 'bytes that make UTF-8'],
  ['attachment; filename="caf\u00e9.txt"', 'café.txt', 'bytes that do not: ISO-8859-1'],
  ['attachment; filename=my file.txt', 'my file.txt', 'spaces without quotes'],
  ['attachment; filename = "a.txt" ', 'a.txt', 'white space around the sign'],
  [';filename=a.txt', undefined, 'no disposition type'],
  ['filename=a.txt', undefined, 'no disposition type'],
  ['"attachment"; filename=a.txt', undefined, 'a quoted disposition type'],
  ['attachment;filename=a.txt;', 'a.txt', 'a trailing semicolon'],
  ['attachment;;  ;filename=a.txt', 'a.txt', 'empty parameters'],
  ['attachment; foo; filename=a.txt', 'a.txt', 'a parameter without a value'],
  ['attachment; foo=bar; size=10; filename=a.txt', 'a.txt', 'other parameters'],
  ['attachment; filename*0="a"; filename*1=".txt"', undefined, 'continuations are not for HTTP'],
  ['attachment; filename=a.txt; filename=b.txt', undefined, 'one twice, RFC 6266 §4.1'],
  ['attachment; filename=a.txt; FILENAME=b.txt', undefined, 'one twice in two cases'],
  ['attachment; filename="a.txt', undefined, 'no closing quote'],
  ['attachment; filename="a.txt\\', undefined, 'nothing behind a backslash'],
  ['attachment; filename="a.txt"b', undefined, 'something behind the quote'],
  ['attachment filename=a.txt', undefined, 'no semicolon'],
  ['attachment; file name=a.txt', undefined, 'a space in a name'],
  ['attachment; filename=', undefined, 'an empty value'],
  ['attachment; filename=""', undefined, 'an empty value'],
  ['attachment; filename=".."', undefined, 'no file'],
  ['attachment', undefined, 'no parameters'],
  ['', undefined, 'an empty field'],
  [undefined, undefined, 'no field'],
  [`attachment; filename=a.txt; x=${'y'.repeat(4096)}`, undefined, 'longer than is looked at'],
] as const

for (const [value, expected, reason] of cases) {
  test(`parseContentDispositionFileName() of ${value?.slice(0, 70)}: ${reason}`, () => {
    assert.equal(parseContentDispositionFileName(value), expected)
  })
}

const names = string({
  unit: oneof(
    constantFrom(...Array.from('ab.;="\\ %\'*é€😀')),
    string({ unit: 'binary', maxLength: 1 }),
  ),
  maxLength: 40,
})

test('parseContentDispositionFileName() finds the safe form of the name that was encoded', () => {
  check(
    property(names, (name) => {
      if (!name.isWellFormed() || name.startsWith('\ufeff')) return
      const extended = encodeURIComponent(name)
      const quoted = raw(name).replace(/["\\]/g, (character) => `\\${character}`)
      const expected = safeFileName(name)
      assert.equal(parseContentDispositionFileName(`x; filename*=UTF-8''${extended}`), expected)
      assert.equal(parseContentDispositionFileName(`x; filename="${quoted}"`), expected)
    }),
    { numRuns: 1000 },
  )
})

test('parseContentDispositionFileName() gives only safe names, whatever a server sends', () => {
  const noise = string({
    unit: constantFrom(
      'filename',
      '*',
      '=',
      "utf-8''",
      '"',
      '\\',
      ';',
      ' ',
      '%2F',
      '%',
      '..',
      '/',
      'é',
    ),
    maxLength: 20,
  })
  check(
    property(
      oneof(
        string(),
        noise.map((tail) => `attachment; ${tail}`),
      ),
      (value) => {
        const name = parseContentDispositionFileName(value)
        if (name !== undefined) assert.equal(safeFileName(name), name)
      },
    ),
    { numRuns: 3000 },
  )
})
