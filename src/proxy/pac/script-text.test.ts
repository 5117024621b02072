import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { scriptText } from './script-text.ts'

describe('scriptText()', () => {
  const rows = [
    ['7b', undefined, '{', 'ASCII'],
    ['e4', undefined, 'ä', 'ISO-8859-1 where nothing says otherwise'],
    ['c3a4', undefined, 'Ã¤', 'also where it looks like UTF-8'],
    ['efbbbfc3a4', undefined, 'ä', 'a mark of UTF-8'],
    ['fffee400', undefined, 'ä', 'a mark of UTF-16, low byte first'],
    ['feff00e4', undefined, 'ä', 'a mark of UTF-16, high byte first'],
    ['c3a4', 'application/x-ns-proxy-autoconfig; charset=utf-8', 'ä', 'a charset'],
    [
      'c3a4',
      'text/html;Charset="UTF-8"',
      'ä',
      'a charset in quotes, and a media type of something else',
    ],
    ['efbbbfe4', 'a/b; charset=iso-8859-1', 'ï»¿ä', 'a charset before a mark (N61)'],
    ['efbbbfc3a4', 'a/b; charset=utf-8', 'ä', 'a charset and a mark of the same'],
    ['efbbbfc3a4', 'a/b; charset=klingon', 'ä', 'a mark where there is no such charset'],
    ['e4', 'a/b; charset=', 'ä', 'no charset'],
    ['ff', 'a/b; charset=utf-8', '\ufffd', 'what is no character'],
    ['', undefined, '', 'nothing'],
  ] as const

  for (const [hex, contentType, text, reason] of rows) {
    test(`reads ${reason}`, () => {
      assert.equal(scriptText(Buffer.from(hex, 'hex'), contentType), text)
    })
  }
})
