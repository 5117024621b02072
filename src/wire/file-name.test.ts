import assert from 'node:assert/strict'
import { basename, posix, win32 } from 'node:path'
import { test } from 'node:test'

import { assert as check, constantFrom, oneof, property, string, webUrl } from 'fast-check'

import { fileNameFromUrl, LONGEST_FILE_NAME, safeFileName } from './file-name.ts'

const cases = [
  ['report.pdf', 'report.pdf', 'nothing to do'],
  ['an example.html', 'an example.html', 'a space inside'],
  ['€ rates', '€ rates', 'letters of every script'],
  ['日本語.txt', '日本語.txt', 'letters of every script'],
  ['👩‍👩‍👧.png', '👩‍👩‍👧.png', 'joined code points'],
  ['/etc/passwd', 'passwd', 'a path, RFC 6266 §4.3'],
  ['../../etc/passwd', 'passwd', 'a path upwards'],
  [String.raw`..\..\boot.ini`, 'boot.ini', 'a path of Windows'],
  [String.raw`a/b\c/d.txt`, 'd.txt', 'both separators'],
  [String.raw`\\server\share\x`, 'x', 'a share'],
  ['C:x.txt', 'C_x.txt', 'a drive'],
  ['x.txt:hidden', 'x.txt_hidden', 'an alternate stream'],
  ['x.txt::$DATA', 'x.txt__$DATA', 'the main stream by name'],
  ['folder/', undefined, 'nothing behind the separator'],
  ['', undefined, 'nothing'],
  ['.', undefined, 'this folder'],
  ['..', undefined, 'the folder above'],
  ['...', undefined, 'dots alone'],
  ['. . ', undefined, 'dots and spaces alone'],
  ['   ', undefined, 'spaces alone'],
  ['a/..', undefined, 'the folder above at the end'],
  ['.\u202e.', '_._', 'no new name arises by leaving something out'],
  ['.\0.', '_._', 'no new name arises by leaving something out'],
  ['x\0.txt', 'x_.txt', 'NUL'],
  ['x\r\ny.txt', 'x__y.txt', 'line breaks'],
  ['x\u007f\u0085.txt', 'x__.txt', 'DEL and a C1 control'],
  ['<a>:"b"|?*.txt', '_a___b____.txt', 'what Windows forbids'],
  ['photo\u202egpj.exe', 'photo_gpj.exe', 'a turned writing direction'],
  ['\u2066x\u2069\u200f.txt', '_x__.txt', 'isolates and marks'],
  ['\ufeffx\u200b.txt', '_x_.txt', 'what is not seen'],
  ['x\uf05cy\uf03az', 'x_y_z', 'characters that stand for \\ and : on some systems'],
  ['x\ud800y', 'x_y', 'half a surrogate pair'],
  ['  x.txt', 'x.txt', 'white space in front'],
  ['x.txt. . ', 'x.txt', 'what Windows drops at the end'],
  ['x.txt\u3000', 'x.txt', 'white space of any kind'],
  ['.bashrc', '_.bashrc', 'a hidden file'],
  ['~', '_~', 'what a shell expands'],
  ['~root', '_~root', 'what a shell expands'],
  ['-rf', '_-rf', 'what a program takes for an option'],
  ['CON', '_CON', 'a device'],
  ['con.txt', '_con.txt', 'a device with an extension'],
  ['nul.tar.gz', '_nul.tar.gz', 'a device with two extensions'],
  ['aux .txt', '_aux .txt', 'a device before a space'],
  ['prn.', '_prn', 'a device before a dot'],
  ['COM1', '_COM1', 'a device with a number'],
  ['lpt9.log', '_lpt9.log', 'a device with a number'],
  ['COM¹', '_COM¹', 'a device with a superscript number'],
  ['CONIN$', '_CONIN$', 'a device'],
  ['COM10', 'COM10', 'no device'],
  ['console.log', 'console.log', 'no device'],
  ['x.con', 'x.con', 'no device'],
  ['Desktop.ini', '_Desktop.ini', 'what steers the folder on Windows'],
  ['a'.repeat(300), 'a'.repeat(255), 'too long'],
  [`${'a'.repeat(300)}.iso`, `${'a'.repeat(251)}.iso`, 'too long, the extension stays'],
  [`${'é'.repeat(300)}.iso`, `${'é'.repeat(125)}.iso`, 'cut between code points'],
  ['😀'.repeat(300), '😀'.repeat(63), 'cut between code points'],
  [`x.${'a'.repeat(300)}`, `x.${'a'.repeat(253)}`, 'too long, the extension does not stay'],
  [`.${'a'.repeat(300)}`, `_.${'a'.repeat(253)}`, 'too long and hidden'],
  [`${'a'.repeat(254)} ${'b'.repeat(9)}`, 'a'.repeat(254), 'cut before what must not stand last'],
  [`con${' '.repeat(250)}x.txt`, `_con${' '.repeat(247)}.txt`, 'cut to a device'],
] as const

for (const [name, expected, reason] of cases) {
  test(`safeFileName() of ${JSON.stringify(name.slice(0, 30))}: ${reason}`, () => {
    assert.equal(safeFileName(name), expected)
  })
}

/** Names made of what is dangerous, in any order, and a long one now and then. */
const suspicious = string({
  unit: oneof(
    constantFrom(...Array.from('./\\:*?"<>|~- \0\r\n\t%$'), 'a', 'Z', 'con', 'NUL', 'com1', '¹'),
    constantFrom('\u202e', '\u2066', '\ufeff', '\uf05c', '\ud800', '\udc00', '😀', 'é', '\u3000'),
    constantFrom('a'.repeat(120), ' '.repeat(120), '😀'.repeat(40), '.txt', 'desktop.ini'),
  ),
  maxLength: 12,
})

const anyName = oneof(suspicious, string({ unit: 'binary' }))

test('safeFileName() gives a name that stays in its folder on every platform', () => {
  check(
    property(anyName, (text) => {
      const name = safeFileName(text)
      if (name === undefined) return
      assert.equal(posix.join('/folder', name), `/folder/${name}`)
      assert.equal(win32.join('C:\\folder', name), `C:\\folder\\${name}`)
      assert.equal(win32.resolve('C:\\folder', name), `C:\\folder\\${name}`)
      assert.equal(basename(name), name)
    }),
    { numRuns: 2000 },
  )
})

test('safeFileName() gives a name that every file system can hold', () => {
  check(
    property(anyName, (text) => {
      const name = safeFileName(text)
      if (name === undefined) return
      const bytes = Buffer.byteLength(name)
      assert.ok(bytes >= 1 && bytes <= LONGEST_FILE_NAME)
      assert.equal(Buffer.from(name).toString(), name)
      assert.doesNotMatch(name, /[\p{Cc}\p{Cs}<>:"/\\|?*]|^[.~\s-]|[.\s]$/u)
      assert.doesNotMatch(name, /^(?:con|prn|aux|nul|com\d|lpt\d) *(?:\.|$)/i)
    }),
    { numRuns: 2000 },
  )
})

test('safeFileName() leaves alone what it has made', () => {
  check(
    property(anyName, (text) => {
      const name = safeFileName(text)
      if (name !== undefined) assert.equal(safeFileName(name), name)
    }),
    { numRuns: 2000 },
  )
})

const urls = [
  ['https://example.com/a/report.pdf', 'report.pdf', 'the last segment'],
  ['https://example.com/a/report.pdf?x=/y.zip#/z', 'report.pdf', 'neither query nor fragment'],
  ['https://example.com/a/b/', 'b', 'the last segment that is not empty'],
  ['https://example.com/a///', 'a', 'the last segment that is not empty'],
  ['https://example.com/', undefined, 'no segment'],
  ['https://example.com', undefined, 'no segment'],
  ['https://example.com/a/..', undefined, 'no segment once it is resolved'],
  ['https://example.com/%E2%82%AC%20rates.txt', '€ rates.txt', 'UTF-8'],
  ['https://example.com/€ rates.txt', '€ rates.txt', 'not encoded yet'],
  ['https://example.com/%F0%9F%98%80', '😀', 'four bytes'],
  ['https://example.com/caf%E9%20x', 'caf%E9 x', 'ISO-8859-1 stays as it is written'],
  ['https://example.com/100%', '100%', 'a percent sign alone'],
  ['https://example.com/%zz', '%zz', 'no hexadecimal'],
  ['https://example.com/%C0%AF', '%C0%AF', 'an overlong slash'],
  ['https://example.com/%ED%A0%80', '%ED%A0%80', 'a surrogate'],
  ['https://example.com/%F4%90%80%80', '%F4%90%80%80', 'past the last code point'],
  ['https://example.com/%2541', '%41', 'decoded once'],
  ['https://example.com/..%2F..%2Fetc%2Fpasswd', 'passwd', 'encoded separators'],
  ['https://example.com/..%5C..%5Cboot.ini', 'boot.ini', 'encoded separators'],
  ['https://example.com/a%2F', undefined, 'nothing behind an encoded separator'],
  ['https://example.com/%00.txt', '_.txt', 'NUL'],
  ['https://example.com/con', '_con', 'a device'],
  [`https://example.com/${'%41'.repeat(5000)}`, 'A'.repeat(255), 'longer than is looked at'],
  ['https://example.com/a/con', '_con', 'a device in a plain URL'],
  ['https://example.com/a/b.txt.', 'b.txt', 'a dot at the end'],
  ['https://example.com/a\\b.txt', 'b.txt', 'a backslash, which is a slash in such a URL'],
  ['https://example.com?/a/b.txt', undefined, 'a query where a path would stand'],
  ['https:///example.com', undefined, 'a host behind one slash too many'],
  ['https://exa mple/b.txt', undefined, 'a host that is none'],
  ['https://example.com/..', undefined, 'no segment once it is resolved'],
  ['not a URL', undefined, 'no URL'],
  ['/a/b', undefined, 'a relative reference'],
] as const

for (const [url, expected, reason] of urls) {
  test(`fileNameFromUrl() of ${url.slice(0, 60)}: ${reason}`, () => {
    assert.equal(fileNameFromUrl(url), expected)
  })
}

test('fileNameFromUrl() finds the name that was encoded into the URL', () => {
  check(
    property(anyName, (text) => {
      const name = safeFileName(text)
      if (name === undefined || !name.isWellFormed()) return
      assert.equal(fileNameFromUrl(`https://example.com/a/${encodeURIComponent(name)}?q`), name)
    }),
  )
})

test('fileNameFromUrl() finds the same name whatever stands behind the path', () => {
  const tail = string({ unit: constantFrom('a', '_', '.', '-', '/', '\\', '%', '4', '1', '\t') })
  check(
    property(webUrl(), tail, (url, tail) => {
      const path = `${new URL(url).origin}/${tail}`
      assert.equal(fileNameFromUrl(path), fileNameFromUrl(`${path}?`))
    }),
    { numRuns: 2000 },
  )
})

test('fileNameFromUrl() gives only safe names', () => {
  const tail = string({ unit: constantFrom('%', '2', 'F', 'f', 'e', '/', '\\', '.', '5C', '80') })
  check(
    property(webUrl(), tail, (url, tail) => {
      const name = fileNameFromUrl(`${url}/${tail}`)
      if (name !== undefined) assert.equal(safeFileName(name), name)
    }),
    { numRuns: 2000 },
  )
})
