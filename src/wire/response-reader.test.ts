import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { MisuseError, ProtocolError } from '../base/error.ts'
import type { WireLimits } from './limits.ts'
import { bytewise, failureOf, octets, readResponses, type Seen } from './reading.suite.ts'
import { ResponseReader } from './response-reader.ts'
import type { ResponseFraming } from './wire.ts'

const ok = 'HTTP/1.1 200 OK\r\n'
const chunkedHead = `${ok}Transfer-Encoding: chunked\r\n\r\n`

/** The head that a response begins with. */
function headOf(seen: readonly Seen[]) {
  const event = seen.find((event) => event.kind === 'head')
  assert.ok(event !== undefined && 'status' in event.head, `no head in ${JSON.stringify(seen)}`)
  return event.head
}

function bodyOf(seen: readonly Seen[]): string {
  return seen.map((event) => (event.kind === 'body' ? event.text : '')).join('')
}

suite('ResponseReader finds where a body ends', () => {
  const none: ResponseFraming = { kind: 'none' }
  const five: ResponseFraming = { kind: 'length', length: 5 }
  const chunked: ResponseFraming = { kind: 'chunked' }
  const close: ResponseFraming = { kind: 'close' }
  const rows: readonly (readonly [why: string, method: string, head: string, ResponseFraming])[] = [
    ['RFC 9112 §6.3(1): HEAD', 'HEAD', `${ok}Content-Length: 5`, none],
    ['RFC 9112 §6.3(1): HEAD, chunked', 'HEAD', `${ok}Transfer-Encoding: chunked`, none],
    ['RFC 9112 §6.3(1): 204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5', none],
    ['RFC 9112 §6.3(1): 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5', none],
    ['RFC 9112 §6.3(1): 101', 'GET', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x', none],
    ['RFC 9112 §6.3(2): CONNECT 200', 'CONNECT', `${ok}Content-Length: 5`, none],
    ['RFC 9112 §6.3(2): CONNECT 299', 'CONNECT', 'HTTP/1.1 299 x\r\nTransfer-Encoding: x', none],
    ['RFC 9112 §6.3(2): CONNECT 407', 'CONNECT', 'HTTP/1.1 407 x\r\nContent-Length: 5', five],
    ['RFC 9112 §6.3(4)', 'GET', `${ok}Transfer-Encoding: chunked`, chunked],
    ['RFC 9112 §7: codings in any case', 'GET', `${ok}TRANSFER-ENCODING:Chunked`, chunked],
    ['RFC 9112 §6.3(6)', 'GET', `${ok}Content-Length: 5`, five],
    ['RFC 9112 §6.3(5): said twice', 'GET', `${ok}Content-Length: 5, 5`, five],
    ['RFC 9112 §6.3(5): two lines', 'GET', `${ok}Content-Length: 5\r\nContent-Length: 5`, five],
    ['RFC 9110 §8.6: 1*DIGIT', 'GET', `${ok}Content-Length: 005`, five],
    ['RFC 9110 §8.6: 0', 'GET', `${ok}Content-Length: 0`, { kind: 'length', length: 0 }],
    [
      'RFC 9110 §8.6: 2^53 - 1',
      'GET',
      `${ok}Content-Length: 9007199254740991`,
      { kind: 'length', length: 2 ** 53 - 1 },
    ],
    ['RFC 9112 §6.3(8)', 'GET', `${ok}Server: x`, close],
    ['RFC 9112 §6.3(8): 1.0', 'GET', 'HTTP/1.0 200 OK\r\nConnection: keep-alive', close],
    ['RFC 9110 §9.3.8: TRACE', 'TRACE', `${ok}Content-Length: 5`, five],
    ['RFC 9110 §9.1: methods have case', 'head', `${ok}Content-Length: 5`, five],
  ]
  for (const [why, method, head, framing] of rows) {
    test(`${why}: ${method} ${JSON.stringify(head)}`, () => {
      const text = `${head}\r\n\r\n`
      assert.deepEqual(headOf(readResponses([text], [method])).framing, framing)
      assert.deepEqual(headOf(readResponses(bytewise(text), [method])).framing, framing)
    })
  }
})

suite('ResponseReader reads a body to its end', () => {
  const rows: readonly (readonly [why: string, message: string, body: string])[] = [
    ['a length', `${ok}Content-Length: 5\r\n\r\nhello`, 'hello'],
    ['length 0', `${ok}Content-Length: 0\r\n\r\n`, ''],
    ['RFC 9112 §7.1', `${chunkedHead}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`, 'hello world'],
    [
      'RFC 9112 §7.1: hexadecimal, any case',
      `${chunkedHead}a\r\n0123456789\r\n0\r\n\r\n`,
      '0123456789',
    ],
    [
      'RFC 9112 §7.1: hexadecimal, any case',
      `${chunkedHead}A\r\n0123456789\r\n0\r\n\r\n`,
      '0123456789',
    ],
    ['RFC 9112 §7.1: 1*HEXDIG', `${chunkedHead}0005\r\nhello\r\n000\r\n\r\n`, 'hello'],
    ['RFC 9112 §7.1.1: an extension', `${chunkedHead}5;a=b\r\nhello\r\n0;c\r\n\r\n`, 'hello'],
    ['RFC 9112 §7.1.1: quoted', `${chunkedHead}5;a="b;\\"c"\r\nhello\r\n0\r\n\r\n`, 'hello'],
    ['RFC 9112 §7.1.1: BWS', `${chunkedHead}5 \t; a = b\r\nhello\r\n0 ;x\r\n\r\n`, 'hello'],
    ['a chunk of line ends', `${chunkedHead}4\r\n\r\n\r\n\r\n0\r\n\r\n`, '\r\n\r\n'],
  ]
  for (const [why, message, body] of rows) {
    test(`${why}: ${JSON.stringify(message.slice(ok.length))}`, () => {
      for (const pieces of [[message], bytewise(message)]) {
        const seen = readResponses(pieces, ['GET'], { ends: true })
        assert.equal(bodyOf(seen), body)
        assert.deepEqual(seen.slice(-2), [{ kind: 'end', trailers: [] }, { kind: 'closed' }])
      }
    })
  }

  test('RFC 9112 §6.3(8): up to the end of the connection', () => {
    const seen = readResponses([`${ok}\r\nhel`, 'lo'], ['GET'], { ends: true })
    assert.equal(bodyOf(seen), 'hello')
    assert.deepEqual(seen.slice(-2), [{ kind: 'end', trailers: [] }, { kind: 'closed' }])
  })

  test('RFC 9112 §7.1.2: with trailers, which are no part of the head', () => {
    const message = `${chunkedHead}5\r\nhello\r\n0\r\nRepr-Digest: sha-256=:AA==:\r\nX: \r\n\r\n`
    for (const pieces of [[message], bytewise(message)]) {
      const seen = readResponses(pieces, ['GET'])
      assert.deepEqual(seen.at(-1), {
        kind: 'end',
        trailers: [
          ['Repr-Digest', 'sha-256=:AA==:'],
          ['X', ''],
        ],
      })
      assert.deepEqual(headOf(seen).fields, [['Transfer-Encoding', 'chunked']])
    }
  })
})

suite('ResponseReader reads a status line', () => {
  const rows: readonly (readonly [
    why: string,
    line: string,
    version: string,
    status: number,
    string,
  ])[] = [
    ['RFC 9112 §4', 'HTTP/1.1 404 Not Found', '1.1', 404, 'Not Found'],
    ['RFC 9112 §4: the reason may be empty', 'HTTP/1.1 200 ', '1.1', 200, ''],
    ['many servers leave the space out too', 'HTTP/1.1 200', '1.1', 200, ''],
    [
      'RFC 9112 §4: reasons have HTAB and obs-text',
      'HTTP/1.1 200 \t\xe9\x80',
      '1.1',
      200,
      '\t\xe9\x80',
    ],
    ['RFC 9112 §4: reasons may begin with a space', 'HTTP/1.1 200  OK', '1.1', 200, ' OK'],
    ['RFC 9110 §2.5: 1.0', 'HTTP/1.0 200 OK', '1.0', 200, 'OK'],
    ['RFC 9110 §2.5: a higher minor version', 'HTTP/1.9 200 OK', '1.1', 200, 'OK'],
    ['RFC 9110 §15: a status past 599', 'HTTP/1.1 999 Denied', '1.1', 999, 'Denied'],
    ['RFC 9112 §2.2: an empty line before it', '\r\nHTTP/1.1 200 OK', '1.1', 200, 'OK'],
    ['RFC 9112 §2.2: an empty line of LF alone', '\nHTTP/1.1 200 OK', '1.1', 200, 'OK'],
  ]
  for (const [why, line, version, status, reason] of rows) {
    test(`${why}: ${JSON.stringify(line)}`, () => {
      const text = `${line}\r\nContent-Length: 0\r\n\r\n`
      for (const pieces of [[text], bytewise(text)]) {
        const head = headOf(readResponses(pieces, ['GET']))
        assert.deepEqual([head.version, head.status, head.reason], [version, status, reason])
        assert.deepEqual(head.fields, [['Content-Length', '0']])
      }
    })
  }
})

test('ResponseReader reads each status line, also where it is like the one before', () => {
  const lines = ['200 OK', '200 OK', '200 Ok', '200 OK!', '206 OK', '100 OK', '200 OK', '200']
  const text = lines.map((line) => `HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`).join('')
  const methods = lines.map(() => 'GET')
  for (const pieces of [[text], bytewise(text)]) {
    const told = readResponses(pieces, methods).flatMap((event) => {
      if (event.kind === 'interim') return [`${event.status}`]
      return event.kind === 'head' && 'status' in event.head
        ? [`${event.head.status} ${event.head.reason}`.trim()]
        : []
    })
    assert.deepEqual(told, lines.with(5, '100'))
  }
})

suite('ResponseReader reads fields', () => {
  const rows: readonly (readonly [why: string, lines: string, ...fields: [string, string][]])[] = [
    [
      'RFC 9112 §5: order and names as sent',
      'b: 1\r\nA: 2\r\nB: 3',
      ['b', '1'],
      ['A', '2'],
      ['B', '3'],
    ],
    ['RFC 9112 §5.1: OWS is no part of a value', 'A:1\r\nB: \t 2 \t', ['A', '1'], ['B', '2']],
    ['RFC 9110 §5.5: white space inside', 'A: 1 \t 2', ['A', '1 \t 2']],
    ['RFC 9110 §5.5: empty', 'A:\r\nB:  \t', ['A', ''], ['B', '']],
    ['RFC 9110 §5.5: obs-text', 'A: \xe4\x80\xff', ['A', '\xe4\x80\xff']],
    [
      'RFC 9110 §5.6.2: any token is a name',
      "!#$%&'*+-.^_`|~09azAZ: x",
      ["!#$%&'*+-.^_`|~09azAZ", 'x'],
    ],
    ['RFC 9110 §5.5: colons in a value', 'A: b:c: d', ['A', 'b:c: d']],
    ['RFC 9112 §2.2: LF alone', 'A: 1\nB: 2', ['A', '1'], ['B', '2']],
    ['no fields', ''],
  ]
  for (const [why, lines, ...fields] of rows) {
    test(`${why}: ${JSON.stringify(lines)}`, () => {
      const text = `${ok}${lines}${lines === '' ? '' : '\r\n'}\r\n`
      for (const pieces of [[text], bytewise(text)]) {
        assert.deepEqual(headOf(readResponses(pieces, ['GET'])).fields, fields)
      }
    })
  }

  test('RFC 9112 §2.2: a head whose lines all end with LF alone', () => {
    const text = 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'
    for (const pieces of [[text], bytewise(text)]) {
      assert.equal(bodyOf(readResponses(pieces, ['GET'])), 'hi')
    }
  })
})

suite('ResponseReader refuses', () => {
  const rows: readonly (readonly [why: string, message: string, code: string])[] = [
    [
      'RFC 9112 §6.3(3)',
      `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'FRAMING_CONFLICT',
    ],
    [
      'RFC 9112 §6.3(3)',
      `${ok}Transfer-Encoding: x\r\nContent-Length: 5\r\n\r\n`,
      'FRAMING_CONFLICT',
    ],
    ['RFC 9112 §6.3(4)', `${ok}Transfer-Encoding: gzip\r\n\r\n`, 'TRANSFER_ENCODING'],
    [
      'RFC 9112 §6.1: not alone',
      `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    [
      'RFC 9112 §6.1: not last',
      `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    [
      'RFC 9112 §6.1: twice',
      `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    [
      'RFC 9112 §6.1: twice, two lines',
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    [
      'RFC 9112 §7: no parameters',
      `${ok}Transfer-Encoding: chunked;a=b\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    ['RFC 9112 §6.1: empty', `${ok}Transfer-Encoding:\r\n\r\n`, 'TRANSFER_ENCODING'],
    [
      'RFC 9112 §6.1: identity is gone',
      `${ok}Transfer-Encoding: identity\r\n\r\n`,
      'TRANSFER_ENCODING',
    ],
    ['RFC 9112 §6.1: xchunked', `${ok}Transfer-Encoding: xchunked\r\n\r\n`, 'TRANSFER_ENCODING'],
    [
      'RFC 9112 §6.1: 1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'TRANSFER_ENCODING',
    ],
    ['RFC 9112 §6.3(5)', `${ok}Content-Length: 5, 6\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9112 §6.3(5)', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9112 §6.3(5): spelt twice', `${ok}Content-Length: 5, 05\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: signed', `${ok}Content-Length: +5\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: signed', `${ok}Content-Length: -5\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: hexadecimal', `${ok}Content-Length: 0x5\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: a fraction', `${ok}Content-Length: 5.0\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: an exponent', `${ok}Content-Length: 5e0\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: empty', `${ok}Content-Length:\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: an empty member', `${ok}Content-Length: 5,\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: an empty member', `${ok}Content-Length: ,5\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: a blank', `${ok}Content-Length: 5 5\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: other blanks', `${ok}Content-Length: 5\xa0\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: 2^53', `${ok}Content-Length: 9007199254740992\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6: 10^30', `${ok}Content-Length: 1${'0'.repeat(30)}\r\n\r\n`, 'CONTENT_LENGTH'],

    ['RFC 9112 §5.2: a folded line', `${ok}A: b\r\n c\r\n\r\n`, 'OBS_FOLD'],
    ['RFC 9112 §5.2: a folded line', `${ok}A: b\r\n\tc\r\n\r\n`, 'OBS_FOLD'],
    ['RFC 9112 §2.2: white space first', `${ok} A: b\r\n\r\n`, 'OBS_FOLD'],
    ['RFC 9112 §5.1: white space before the colon', `${ok}A : b\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9112 §5.1: HTAB before the colon', `${ok}A\t: b\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9112 §5: no name', `${ok}: b\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9112 §5: no colon', `${ok}A\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9110 §5.1: not a token', `${ok}A(b): c\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9110 §5.1: not ASCII', `${ok}\xc4: c\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9110 §5.1: NUL in a name', `${ok}A\0: b\r\n\r\n`, 'FIELD_NAME'],
    ['RFC 9110 §5.5: NUL', `${ok}A: b\0c\r\n\r\n`, 'FIELD_VALUE'],
    ['RFC 9110 §5.5: a control character', `${ok}A: b\x01c\r\n\r\n`, 'FIELD_VALUE'],
    ['RFC 9110 §5.5: DEL', `${ok}A: b\x7fc\r\n\r\n`, 'FIELD_VALUE'],
    ['RFC 9110 §5.5: vertical tab', `${ok}A: b\vc\r\n\r\n`, 'FIELD_VALUE'],
    ['RFC 9112 §2.2: CR alone in a value', `${ok}A: b\rc\r\n\r\n`, 'LINE_END'],
    ['RFC 9112 §2.2: CR alone ends no line', `${ok}A: b\rB: c\r\n\r\n`, 'LINE_END'],
    ['RFC 9112 §2.2: CR CR LF', `${ok}A: b\r\r\n\r\n`, 'LINE_END'],
    ['RFC 9112 §2.2: CR alone ends no head', `${ok}A: b\r\n\rX`, 'LINE_END'],
    ['RFC 9112 §2.2: CR alone in the status line', 'HTTP/1.1 200 O\rK\r\n\r\n', 'LINE_END'],
    ['RFC 9112 §4: a control character', 'HTTP/1.1 200 O\0K\r\n\r\n', 'START_LINE'],

    ['RFC 9112 §4: two blanks', 'HTTP/1.1  200 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §4: HTAB', 'HTTP/1.1\t200 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §4: four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §4: two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9110 §15: below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §4: no blank after the status', 'HTTP/1.1 200OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §4: no status', 'HTTP/1.1\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §2.3: two digits of minor version', 'HTTP/1.10 200 OK\r\n\r\n', 'START_LINE'],
    ['RFC 9112 §2.3: HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'VERSION'],
    ['RFC 9112 §2.3: HTTP/2 without a minor version', 'HTTP/2 200\r\n\r\n', 'VERSION'],
    ['RFC 9112 §2.3: HTTP/0.9', 'HTTP/0.9 200 OK\r\n\r\n', 'VERSION'],
    ['RFC 9112 §2.3: lower case', 'http/1.1 200 OK\r\n\r\n', 'NOT_HTTP'],
    ['HTTP/0.9 has no head', '<html>', 'NOT_HTTP'],
    ['Shoutcast', 'ICY 200 OK\r\n\r\n', 'NOT_HTTP'],
    ['another service', 'SSH-2.0-x', 'NOT_HTTP'],
    ['RFC 9113 §3.4: HTTP/2 begins with SETTINGS', '\0\0\x12\x04\0\0\0\0\0', 'NOT_HTTP'],
    ['a TLS alert', '\x15\x03\x01\0\x02\x02\x46', 'NOT_HTTP'],
    ['a byte order mark', '\xef\xbb\xbfHTTP/1.1 200 OK\r\n\r\n', 'NOT_HTTP'],
    ['RFC 9112 §2.2: two empty lines', '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'NOT_HTTP'],
    ['RFC 9112 §2.2: CR alone before the status line', '\rHTTP/1.1 200 OK\r\n\r\n', 'LINE_END'],

    ['RFC 9112 §7.1: no size', `${chunkedHead}\r\nhello`, 'CHUNK'],
    ['RFC 9112 §7.1: no size', `${chunkedHead};a=b\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: signed', `${chunkedHead}+5\r\nhello\r\n0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: signed', `${chunkedHead}-5\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: 0x', `${chunkedHead}0x5\r\nhello\r\n0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: not a digit', `${chunkedHead}5g\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: blanks first', `${chunkedHead} 5\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: blanks without an extension', `${chunkedHead}5 \r\nhello\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: blanks inside', `${chunkedHead}5 5\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: LF alone after a size', `${chunkedHead}5\nhello\r\n0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: CR alone after a size', `${chunkedHead}5\rhello\r\n0\r\n\r\n`, 'CHUNK'],
    [
      'RFC 9112 §7.1: LF alone after an extension',
      `${chunkedHead}5;a\nhello\r\n0\r\n\r\n`,
      'CHUNK',
    ],
    ['RFC 9112 §7.1: CR alone in an extension', `${chunkedHead}5;a\rb\r\nhello\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: NUL in an extension', `${chunkedHead}5;\0\r\nhello\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: LF alone after the data', `${chunkedHead}5\r\nhello\n0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: CR alone after the data', `${chunkedHead}5\r\nhello\r0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: CR and another octet', `${chunkedHead}5\r\nhello\r!0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1: data past the size', `${chunkedHead}5\r\nhello!\r\n0\r\n\r\n`, 'CHUNK'],
    ['RFC 9112 §7.1.2: LF alone in trailers', `${chunkedHead}0\r\nA: b\n\r\n`, 'LINE_END'],
    ['RFC 9112 §7.1.2: LF alone for the empty line', `${chunkedHead}0\r\n\n`, 'LINE_END'],
    ['RFC 9112 §7.1.2: a folded trailer', `${chunkedHead}0\r\nA: b\r\n c\r\n\r\n`, 'OBS_FOLD'],
    ['RFC 9112 §7.1.2: no colon', `${chunkedHead}0\r\nHTTP/1.1 200 OK\r\n\r\n`, 'FIELD_NAME'],
  ]
  for (const [why, message, reason] of rows) {
    test(`${why}: ${JSON.stringify(message)}`, () => {
      for (const pieces of [[message], bytewise(message)]) {
        assert.equal(failureOf(readResponses(pieces, ['GET'])), `ERR_WIRE_${reason}`)
      }
    })
  }
})

suite('ResponseReader refuses a connection that closes', () => {
  const rows: readonly (readonly [where: string, message: string, code: string])[] = [
    ['inside a status line', 'HTTP/1.', 'SHORT_HEAD'],
    ['inside the prefix of a status line', 'HT', 'SHORT_HEAD'],
    ['after an empty line', '\r\n', 'SHORT_HEAD'],
    ['after a CR', '\r', 'SHORT_HEAD'],
    ['inside a head', `${ok}A: b\r\n`, 'SHORT_HEAD'],
    ['inside the empty line of a head', `${ok}A: b\r\n\r`, 'SHORT_HEAD'],
    ['after an interim response', 'HTTP/1.1 100 Continue\r\n\r\n', 'SHORT_HEAD'],
    ['before a body', `${ok}Content-Length: 5\r\n\r\n`, 'SHORT_BODY'],
    [
      'one byte before the end of a body (RFC 9112 §8)',
      `${ok}Content-Length: 5\r\n\r\nhell`,
      'SHORT_BODY',
    ],
    ['before a chunk', chunkedHead, 'SHORT_BODY'],
    ['inside a size', `${chunkedHead}5`, 'SHORT_BODY'],
    ['inside a chunk', `${chunkedHead}5\r\nhell`, 'SHORT_BODY'],
    ['after a chunk (RFC 9112 §8)', `${chunkedHead}5\r\nhello\r\n`, 'SHORT_BODY'],
    ['after the last chunk', `${chunkedHead}0\r\n`, 'SHORT_BODY'],
    ['inside trailers', `${chunkedHead}0\r\nA: b\r\n`, 'SHORT_BODY'],
    ['inside the empty line of trailers', `${chunkedHead}0\r\nA: b\r\n\r`, 'SHORT_BODY'],
  ]
  for (const [where, message, reason] of rows) {
    test(`${where}: ${JSON.stringify(message)}`, () => {
      for (const pieces of [[message], bytewise(message)]) {
        const seen = readResponses(pieces, ['GET'], { ends: true })
        assert.equal(failureOf(seen), `ERR_WIRE_${reason}`)
      }
    })
  }
})

suite('ResponseReader holds its limits', () => {
  const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n'
  const end = 'Content-Length: 0\r\n\r\n'
  const rows: readonly (readonly [
    limits: Partial<WireLimits>,
    fits: string,
    tooMuch: string,
    code: string,
  ])[] = [
    [
      { maxStartLineBytes: 20 },
      `HTTP/1.1 200 12345\r\n${end}`,
      `HTTP/1.1 200 123456\r\n`,
      'START_LINE_TOO_LONG',
    ],
    [
      { maxStartLineBytes: 20 },
      `\r\nHTTP/1.1 200 12345\r\n${end}`,
      `HTTP/1.1 200 ${'x'.repeat(99)}`,
      'START_LINE_TOO_LONG',
    ],
    [
      { maxFieldBytes: 19 },
      `${ok}A: 45678901234567\r\n${end}`,
      `${ok}A: 456789012345678\r\n`,
      'FIELD_TOO_LONG',
    ],
    [
      { maxFieldBytes: 19 },
      `${ok}A: 45678901234567\n${end}`,
      `${ok}${'A'.repeat(99)}`,
      'FIELD_TOO_LONG',
    ],
    [{ maxHeadBytes: 38 }, `${ok}${end}`, `${ok}A: b\r\n${end}`, 'HEAD_TOO_LONG'],
    [{ maxHeadBytes: 38 }, `${ok}${end}`, `HTTP/1.1 200 ${'x'.repeat(99)}`, 'HEAD_TOO_LONG'],
    [{ maxFields: 2 }, `${ok}A: b\r\n${end}`, `${ok}A: b\r\nC: d\r\n${end}`, 'TOO_MANY_FIELDS'],
    [
      { maxFields: 1 },
      `${chunkedHead}0\r\nA: b\r\n\r\n`,
      `${chunkedHead}0\r\nA: b\r\nC: d\r\n\r\n`,
      'TOO_MANY_FIELDS',
    ],
    [
      { maxInterimResponses: 2 },
      interim.repeat(2) + ok + end,
      interim.repeat(3),
      'TOO_MANY_INTERIM',
    ],
    [
      { maxChunkSizeDigits: 4 },
      `${chunkedHead}0001\r\nx\r\n0\r\n\r\n`,
      `${chunkedHead}00001\r\nx\r\n`,
      'CHUNK_SIZE_TOO_LONG',
    ],
    [
      {},
      `${chunkedHead}0000000000000001\r\nx\r\n0\r\n\r\n`,
      `${chunkedHead}20000000000000\r\n`,
      'CHUNK_SIZE_TOO_LONG',
    ],
    [
      { maxChunkExtensionBytes: 4 },
      `${chunkedHead}1;abcd\r\nx\r\n0;efgh\r\n\r\n`,
      `${chunkedHead}1;abcde\r\nx\r\n`,
      'CHUNK_EXTENSION_TOO_LONG',
    ],
    [
      { maxChunkExtensionBytes: 4 },
      `${chunkedHead}1   ;\r\nx\r\n0\r\n\r\n`,
      `${chunkedHead}1     ;\r\n`,
      'CHUNK_EXTENSION_TOO_LONG',
    ],
    [
      { maxTrailerBytes: 8 },
      `${chunkedHead}0\r\nA: b\r\n\r\n`,
      `${chunkedHead}0\r\nA: bc\r\n\r\n`,
      'TRAILERS_TOO_LONG',
    ],
  ]
  for (const [limits, fits, tooMuch, reason] of rows) {
    test(`${JSON.stringify(limits)}: ${JSON.stringify(tooMuch)}`, () => {
      for (const pieces of [[fits], bytewise(fits)]) {
        const seen = readResponses(pieces, ['GET'], { ends: true, limits })
        assert.deepEqual(seen.at(-1), { kind: 'closed' })
      }
      for (const pieces of [[tooMuch], bytewise(tooMuch)]) {
        assert.equal(failureOf(readResponses(pieces, ['GET'], { limits })), `ERR_WIRE_${reason}`)
      }
    })
  }

  test('counts interim responses for each request anew', () => {
    const response = `${interim.repeat(2)}${ok}${end}`
    const limits = { maxInterimResponses: 2 }
    const seen = readResponses([response + response], ['GET', 'GET'], { limits, ends: true })
    assert.deepEqual(seen.at(-1), { kind: 'closed' })
  })

  test('takes a head of 60 KiB unless told otherwise', () => {
    const text = `${ok}${`A: ${'x'.repeat(12 * 1024)}\r\n`.repeat(5)}${end}`
    assert.equal(headOf(readResponses([text], ['GET'])).fields.length, 6)
  })
})

suite('ResponseReader tells whether the connection goes on (RFC 9112 §9.3)', () => {
  const rows: readonly (readonly [head: string, keepAlive: boolean])[] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 0', true],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Foo, CLOSE', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nConnection: close', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: closed', true],
    ['HTTP/1.1 200 OK\r\nServer: x', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive', true],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive', false],
    ['HTTP/1.1 407 x\r\nContent-Length: 0\r\nProxy-Connection: close', false],
    ['HTTP/1.0 407 x\r\nContent-Length: 0\r\nProxy-Connection: Keep-Alive', true],
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade', false],
    ['HTTP/1.1 204 No Content', true],
  ]
  for (const [head, keepAlive] of rows) {
    test(`${keepAlive}: ${JSON.stringify(head)}`, () => {
      assert.equal(headOf(readResponses([`${head}\r\n\r\n`], ['GET'])).keepAlive, keepAlive)
    })
  }
})

suite('ResponseReader keeps responses in the order of their requests', () => {
  const end = 'Content-Length: 0\r\n\r\n'

  test('RFC 9112 §9.3.2: a pipeline of GET, HEAD and GET', () => {
    const text = [
      `${ok}Content-Length: 5\r\n\r\nhello`,
      `${ok}Content-Length: 7\r\n\r\n`,
      `${chunkedHead}1\r\n!\r\n0\r\n\r\n`,
    ].join('')
    for (const pieces of [[text], bytewise(text)]) {
      const seen = readResponses(pieces, ['GET', 'HEAD', 'GET'], { ends: true })
      assert.equal(bodyOf(seen), 'hello!')
      assert.deepEqual(
        seen.map((event) => event.kind),
        ['head', 'body', 'end', 'head', 'end', 'head', 'body', 'end', 'closed'],
      )
    }
  })

  test('RFC 9110 §15.2: interim responses come before the final one', () => {
    const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: </a>\r\n\r\n${ok}${end}`
    for (const pieces of [[text], bytewise(text)]) {
      const seen = readResponses(pieces, ['POST'])
      assert.deepEqual(seen.slice(0, 2), [
        { kind: 'interim', status: 100, fields: [] },
        { kind: 'interim', status: 103, fields: [['Link', '</a>']] },
      ])
      assert.equal(headOf(seen).status, 200)
    }
  })

  const rows: readonly (readonly [why: string, text: string])[] = [
    ['before any request', `${ok}${end}`],
    ['even an empty line', '\r\n'],
  ]
  for (const [why, text] of rows) {
    test(`RFC 9112 §9.2: refuses a response that no request asked for: ${why}`, () => {
      assert.equal(failureOf(readResponses([text], [])), 'ERR_WIRE_UNSOLICITED')
    })
  }

  test('RFC 9112 §6.3: refuses bytes past the length, after the end of the message', () => {
    const seen = readResponses([`${ok}Content-Length: 5\r\n\r\nhello!`], ['GET'])
    assert.deepEqual(
      seen.map((event) => event.kind),
      ['head', 'body', 'end', 'error'],
    )
    assert.equal(failureOf(seen), 'ERR_WIRE_UNSOLICITED')
  })

  test('RFC 9110 §15.4.5: refuses the body of a 304', () => {
    const seen = readResponses(['HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\nhello'], ['GET'])
    assert.equal(failureOf(seen), 'ERR_WIRE_UNSOLICITED')
  })

  test('RFC 9112 §9.6: refuses a response after the one that was to be the last', () => {
    const text = `${ok}Connection: close\r\n${end}${ok}${end}`
    assert.equal(failureOf(readResponses([text], ['GET', 'GET'])), 'ERR_WIRE_UNSOLICITED')
  })
})

suite('ResponseReader hands over a connection', () => {
  const rows: readonly (readonly [why: string, method: string, head: string])[] = [
    ['RFC 9110 §15.2.2: 101', 'GET', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['RFC 9110 §9.3.6: CONNECT', 'CONNECT', 'HTTP/1.1 200 Connection established\r\n\r\n'],
  ]
  for (const [why, method, head] of rows) {
    test(`${why}: what follows the head is not read`, () => {
      const reader = new ResponseReader()
      reader.expect(method)
      reader.push(octets(`${head}\x16\x03\x01`))
      assert.equal(reader.next()?.kind, 'head')
      assert.equal(reader.next()?.kind, 'end')
      assert.equal(reader.next(), undefined)
      assert.deepEqual(reader.takeRest(), Uint8Array.of(0x16, 0x03, 0x01))
      assert.deepEqual(reader.takeRest(), new Uint8Array())
      assert.equal(reader.isIdle, false)
      assert.throws(() => reader.push(octets('x')), isMisuse('ERR_WIRE_SWITCHED'))
      assert.throws(() => reader.expect('GET'), isMisuse('ERR_WIRE_SWITCHED'))
    })
  }

  test('but not in the midst of a response', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.push(octets(`${ok}Content-Length: 5\r\n\r\nhe`))
    assert.equal(reader.next()?.kind, 'head')
    assert.throws(() => reader.takeRest(), isMisuse('ERR_WIRE_WITHIN_MESSAGE'))
  })
})

suite('ResponseReader', () => {
  test('gives the largest view of the pushed bytes, and copies none', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    const head = octets(`${ok}Content-Length: 300\r\n\r\n`)
    const first = new Uint8Array(head.length + 100)
    first.set(head)
    const second = new Uint8Array(200)
    const views: Uint8Array[] = []
    for (const bytes of [first, second]) {
      reader.push(bytes)
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === 'body') views.push(event.bytes)
      }
    }
    assert.deepEqual(
      views.map((view) => [view.buffer, view.byteOffset, view.length]),
      [
        [first.buffer, head.length, 100],
        [second.buffer, 0, 200],
      ],
    )
  })

  test('gives one view for each chunk of a push', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    const bytes = octets(`${chunkedHead}5\r\nhello\r\n3\r\nyou`)
    reader.push(bytes)
    assert.equal(reader.next()?.kind, 'head')
    const views = [reader.next(), reader.next()]
    assert.equal(reader.next(), undefined)
    for (const view of views) assert.ok(view?.kind === 'body' && view.bytes.buffer === bytes.buffer)
  })

  test('throws the same error for ever once the server broke the protocol', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.push(octets('nonsense'))
    const thrown: unknown[] = []
    const calls = [
      () => reader.next(),
      () => reader.next(),
      () => reader.push(octets('x')),
      () => reader.end(),
      () => reader.expect('GET'),
      () => reader.takeRest(),
    ]
    for (const call of calls) {
      try {
        call()
      } catch (error) {
        thrown.push(error)
      }
    }
    assert.equal(thrown.length, calls.length)
    assert.equal(new Set(thrown).size, 1)
    assert.ok(thrown[0] instanceof ProtocolError)
    assert.equal(reader.isIdle, false)
  })

  test('refuses bytes before the events of the last ones were taken', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.push(octets(ok))
    assert.throws(() => reader.push(octets('x')), isMisuse('ERR_WIRE_NOT_DRAINED'))
    assert.equal(reader.next(), undefined, 'a misuse does not break the reader')
  })

  test('says once that the connection closed, also when responses are due', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.end()
    reader.end()
    assert.deepEqual(reader.next(), { kind: 'closed' })
    assert.equal(reader.next(), undefined)
    assert.equal(reader.hasResponseBegun, false)
    assert.throws(() => reader.push(octets('x')), isMisuse('ERR_WIRE_ENDED'))
    assert.throws(() => reader.expect('GET'), isMisuse('ERR_WIRE_ENDED'))
  })

  test('isIdle is true between messages when nothing is due', () => {
    const reader = new ResponseReader()
    const idle = [reader.isIdle]
    reader.expect('GET')
    idle.push(reader.isIdle)
    reader.push(octets(`${ok}Content-Length: 0\r\n\r\n`))
    idle.push(reader.isIdle)
    reader.next()
    idle.push(reader.isIdle)
    reader.next()
    idle.push(reader.isIdle)
    reader.push(octets('x'))
    idle.push(reader.isIdle)
    assert.deepEqual(idle, [true, false, false, false, true, false])
  })

  test('isIdle is false from the moment the server has closed', () => {
    const reader = new ResponseReader()
    reader.end()
    assert.equal(reader.isIdle, false)
  })

  test('isIdle is false after a response that was the last one', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.push(octets(`${ok}Connection: close\r\nContent-Length: 0\r\n\r\n`))
    reader.next()
    assert.equal(reader.next()?.kind, 'end')
    assert.equal(reader.isIdle, false)
  })

  test('hasResponseBegun is true from the first byte of a response to its end', () => {
    const reader = new ResponseReader()
    reader.expect('GET')
    reader.expect('GET')
    const begun = [reader.hasResponseBegun]
    for (const piece of ['H', 'TTP/1.1 100 x\r\n\r\n', `${ok}Content-Length: 0\r\n\r\n`, '\r']) {
      reader.push(octets(piece))
      while (reader.next() !== undefined);
      begun.push(reader.hasResponseBegun)
    }
    assert.deepEqual(begun, [false, true, true, false, true])
  })
})

function isMisuse(code: string) {
  return (error: unknown) => error instanceof MisuseError && error.code === code
}
