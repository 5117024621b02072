import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { MisuseError, ProtocolError } from '../base/error.ts'
import type { WireLimits } from './limits.ts'
import { bytewise, failureOf, octets, readRequests, type Seen } from './reading.suite.ts'
import { RequestReader } from './request-reader.ts'
import type { RequestFraming } from './wire.ts'

const host = 'Host: a\r\n'
const post = `POST / HTTP/1.1\r\n${host}`
const chunkedPost = `${post}Transfer-Encoding: chunked\r\n\r\n`

/** The head that a request begins with. */
function headOf(seen: readonly Seen[]) {
  const event = seen.find((event) => event.kind === 'head')
  assert.ok(event !== undefined && 'method' in event.head, `no head in ${JSON.stringify(seen)}`)
  return event.head
}

suite('RequestReader reads a request line', () => {
  const rows: readonly (readonly [why: string, line: string, method: string, target: string])[] = [
    ['RFC 9112 §3.2.1: origin-form', 'GET /a?b=c HTTP/1.1', 'GET', '/a?b=c'],
    ['RFC 9112 §3.2.2: absolute-form', 'GET http://h/p HTTP/1.1', 'GET', 'http://h/p'],
    ['RFC 9112 §3.2.3: authority-form', 'CONNECT h:443 HTTP/1.1', 'CONNECT', 'h:443'],
    ['RFC 9112 §3.2.4: asterisk-form', 'OPTIONS * HTTP/1.1', 'OPTIONS', '*'],
    ['MC-BUP §2.2.1: an extension method', 'BITS_POST /a HTTP/1.1', 'BITS_POST', '/a'],
    ['RFC 9110 §9.1: any token', "!#$%&'*+-.^_`|~ / HTTP/1.1", "!#$%&'*+-.^_`|~", '/'],
    ['no leading slash', 'GET a HTTP/1.1', 'GET', 'a'],
    ['visible ASCII that no URI has', 'GET /"<>\\^`{|} HTTP/1.1', 'GET', '/"<>\\^`{|}'],
    ['RFC 9112 §2.2: an empty line before it', '\r\nGET / HTTP/1.1', 'GET', '/'],
  ]
  for (const [why, line, method, target] of rows) {
    test(`${why}: ${JSON.stringify(line)}`, () => {
      const text = `${line}\r\n${host}\r\n`
      for (const pieces of [[text], bytewise(text)]) {
        const seen = readRequests(pieces, { ends: true })
        assert.deepEqual(headOf(seen), {
          method,
          target,
          version: '1.1',
          fields: [['Host', 'a']],
          framing: { kind: 'none' },
          keepAlive: true,
          expectContinue: false,
        })
        assert.deepEqual(seen.slice(1), [{ kind: 'end', trailers: [] }, { kind: 'closed' }])
      }
    })
  }
})

suite('RequestReader finds where a body ends', () => {
  const rows: readonly (readonly [why: string, head: string, RequestFraming])[] = [
    ['RFC 9112 §6.3(7)', post, { kind: 'none' }],
    ['RFC 9112 §6.3(6)', `${post}Content-Length: 5\r\n`, { kind: 'length', length: 5 }],
    ['RFC 9112 §6.3(6): 0', `${post}Content-Length: 0\r\n`, { kind: 'length', length: 0 }],
    ['RFC 9112 §6.3(4)', `${post}Transfer-Encoding: chunked\r\n`, { kind: 'chunked' }],
    [
      'RFC 9110 §9.3.1: GET with a body',
      `GET / HTTP/1.1\r\n${host}Content-Length: 5\r\n`,
      { kind: 'length', length: 5 },
    ],
  ]
  for (const [why, head, framing] of rows) {
    test(`${why}: ${JSON.stringify(head)}`, () => {
      assert.deepEqual(headOf(readRequests([`${head}\r\n`])).framing, framing)
    })
  }
})

suite('RequestReader refuses', () => {
  const rows: readonly (readonly [why: string, message: string, code: string])[] = [
    [
      'RFC 9112 §6.1',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'FRAMING_CONFLICT',
    ],
    [
      'RFC 9112 §6.1',
      `${post}Transfer-Encoding: x\r\nContent-Length: 0\r\n\r\n`,
      'FRAMING_CONFLICT',
    ],
    ['RFC 9112 §6.3(4)', `${post}Transfer-Encoding: chunked, gzip\r\n\r\n`, 'TRANSFER_ENCODING'],
    ['RFC 9112 §6.3(4)', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'TRANSFER_ENCODING'],
    ['RFC 9112 §6.3(4)', `${post}Transfer-Encoding: chunked\x80\r\n\r\n`, 'TRANSFER_ENCODING'],
    ['RFC 9112 §6.3(4)', `${post}Transfer-Encoding: "chunked"\r\n\r\n`, 'TRANSFER_ENCODING'],
    [
      'RFC 9112 §6.1: 1.0',
      'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
      'TRANSFER_ENCODING',
    ],
    ['RFC 9112 §6.3(5)', `${post}Content-Length: 5, 6\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9112 §6.3(5)', `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 'CONTENT_LENGTH'],
    ['RFC 9110 §8.6', `${post}Content-Length: +5\r\n\r\n`, 'CONTENT_LENGTH'],

    ['RFC 9112 §3.2: no Host', 'GET / HTTP/1.1\r\n\r\n', 'HOST'],
    ['RFC 9112 §3.2: two Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 'HOST'],
    ['RFC 9112 §3.2: two Hosts in 1.0', `GET / HTTP/1.0\r\n${host}host: b\r\n\r\n`, 'HOST'],
    ['RFC 9112 §3.2: a list', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 'HOST'],
    ['RFC 9112 §3.2: a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'HOST'],
    ['RFC 9112 §3.2: a name of a user', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 'HOST'],
    ['RFC 9112 §3.2: a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 'HOST'],

    ['RFC 9112 §3: two blanks', `GET  / HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: HTAB', `GET\t/ HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: blanks first', ` GET / HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: a blank in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: no target', `GET HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: a target past ASCII', `GET /\xe4 HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §3: a control character', `GET /\0 HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9110 §9.1: not a token', `G(T / HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['a byte order mark', `\xef\xbb\xbfGET / HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §2.2: two empty lines', `\r\n\r\nGET / HTTP/1.1\r\n${host}\r\n`, 'START_LINE'],
    ['RFC 9112 §2.3: blanks last', `GET / HTTP/1.1 \r\n${host}\r\n`, 'NOT_HTTP'],
    ['RFC 9112 §2.3: lower case', `GET / http/1.1\r\n${host}\r\n`, 'NOT_HTTP'],
    ['HTTP/0.9', 'GET /\r\n\r\n', 'NOT_HTTP'],
    ['RFC 9113 §3.4: HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'VERSION'],
    ['a TLS handshake', '\x16\x03\x01\x02\0\x01', 'START_LINE'],

    ['RFC 9112 §2.2: LF alone after a request line', `GET / HTTP/1.1\n${host}\r\n`, 'LINE_END'],
    ['RFC 9112 §2.2: LF alone after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 'LINE_END'],
    ['RFC 9112 §2.2: LF alone for the empty line', `GET / HTTP/1.1\r\n${host}\n`, 'LINE_END'],
    ['RFC 9112 §2.2: CR alone', 'GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n', 'LINE_END'],
    [
      'RFC 9112 §5.1: white space before the colon',
      'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
      'FIELD_NAME',
    ],
    ['RFC 9112 §5.2: a folded line', `${post}A: b\r\n c\r\n\r\n`, 'OBS_FOLD'],
    ['RFC 9112 §2.2: white space first', `GET / HTTP/1.1\r\n ${host}\r\n`, 'OBS_FOLD'],
    ['RFC 9110 §5.5: NUL', `${post}A: \0\r\n\r\n`, 'FIELD_VALUE'],
    ['RFC 9112 §7.1: LF alone after a size', `${chunkedPost}1\nx\r\n0\r\n\r\n`, 'CHUNK'],
  ]
  for (const [why, message, reason] of rows) {
    test(`${why}: ${JSON.stringify(message)}`, () => {
      for (const pieces of [[message], bytewise(message)]) {
        assert.equal(failureOf(readRequests(pieces)), `ERR_WIRE_${reason}`)
      }
    })
  }
})

suite('RequestReader takes a Host', () => {
  const rows: readonly (readonly [why: string, host: string])[] = [
    ['RFC 9112 §3.2: empty, for a target without authority', ''],
    ['RFC 3986 §3.2.2: a name', 'cdn.example.org'],
    ['RFC 3986 §3.2.3: a port', 'cdn.example.org:8080'],
    ['RFC 3986 §3.2.3: an empty port', 'cdn.example.org:'],
    ['RFC 3986 §3.2.2: IPv6', '[::1]:8080'],
    ['RFC 6874: IPv6 with a zone', '[fe80::1%25eth0]'],
    ['RFC 3986 §3.2.2: pct-encoded', 'a%20b'],
    ['underscores are usual', 'my_host'],
  ]
  for (const [why, value] of rows) {
    test(`${why}: ${JSON.stringify(value)}`, () => {
      const seen = readRequests([`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`])
      assert.deepEqual(headOf(seen).fields, [['Host', value]])
    })
  }

  test('RFC 9112 §3.2: or none in HTTP/1.0', () => {
    assert.equal(headOf(readRequests(['GET / HTTP/1.0\r\n\r\n'])).version, '1.0')
  })
})

suite('RequestReader refuses a connection that closes', () => {
  const rows: readonly (readonly [where: string, message: string, code: string])[] = [
    ['inside a request line', 'GE', 'SHORT_HEAD'],
    ['inside a head', post, 'SHORT_HEAD'],
    ['inside an empty line', '\r', 'SHORT_HEAD'],
    ['inside a body', `${post}Content-Length: 5\r\n\r\nhell`, 'SHORT_BODY'],
    ['inside a chunked body', `${chunkedPost}5\r\nhello\r\n`, 'SHORT_BODY'],
  ]
  for (const [where, message, reason] of rows) {
    test(`${where}: ${JSON.stringify(message)}`, () => {
      for (const pieces of [[message], bytewise(message)]) {
        assert.equal(failureOf(readRequests(pieces, { ends: true })), `ERR_WIRE_${reason}`)
      }
    })
  }

  test('but not after an empty line, with which old clients end a body', () => {
    for (const pieces of [['\r\n'], ['\r', '\n']]) {
      assert.deepEqual(readRequests(pieces, { ends: true }), [{ kind: 'closed' }])
    }
  })
})

suite('RequestReader holds its limits', () => {
  const rows: readonly (readonly [
    Partial<WireLimits>,
    fits: string,
    tooMuch: string,
    code: string,
  ])[] = [
    [
      { maxStartLineBytes: 18 },
      `GET /12 HTTP/1.1\r\n${host}\r\n`,
      `GET /123 HTTP/1.1\r\n${host}\r\n`,
      'START_LINE_TOO_LONG',
    ],
    [{ maxFieldBytes: 9 }, `${post}\r\n`, `GET / HTTP/1.1\r\nHost: abc\r\n`, 'FIELD_TOO_LONG'],
    [{ maxHeadBytes: 28 }, `${post}\r\n`, `POST /1 HTTP/1.1\r\n${host}\r\n`, 'HEAD_TOO_LONG'],
    [{ maxFields: 1 }, `${post}\r\n`, `${post}A: b\r\n\r\n`, 'TOO_MANY_FIELDS'],
  ]
  for (const [limits, fits, tooMuch, reason] of rows) {
    test(`${JSON.stringify(limits)}: ${JSON.stringify(tooMuch)}`, () => {
      for (const pieces of [[fits], bytewise(fits)]) {
        assert.deepEqual(readRequests(pieces, { ends: true, limits }).at(-1), { kind: 'closed' })
      }
      for (const pieces of [[tooMuch], bytewise(tooMuch)]) {
        assert.equal(failureOf(readRequests(pieces, { limits })), `ERR_WIRE_${reason}`)
      }
    })
  }

  test('takes a target of 8000 bytes unless told otherwise (RFC 9112 §3)', () => {
    const target = `/${'a'.repeat(7999)}`
    assert.equal(headOf(readRequests([`GET ${target} HTTP/1.1\r\n${host}\r\n`])).target, target)
  })
})

suite('RequestReader tells whether the client waits for 100 (RFC 9110 §10.1.1)', () => {
  const expect = 'Expect: 100-continue\r\n'
  const rows: readonly (readonly [why: string, head: string, expectContinue: boolean])[] = [
    ['a length', `${post}Content-Length: 5\r\n${expect}`, true],
    ['chunks', `${post}Transfer-Encoding: chunked\r\n${expect}`, true],
    ['any case', `${post}Content-Length: 5\r\nexpect: 100-Continue\r\n`, true],
    ['no body', `${post}${expect}`, false],
    ['another expectation', `${post}Content-Length: 5\r\nExpect: 200-ok\r\n`, false],
    ['1.0', `POST / HTTP/1.0\r\nContent-Length: 5\r\n${expect}`, false],
    ['no expectation', `${post}Content-Length: 5\r\n`, false],
  ]
  for (const [why, head, expectContinue] of rows) {
    test(`${expectContinue}: ${why}`, () => {
      assert.equal(headOf(readRequests([`${head}\r\n`])).expectContinue, expectContinue)
    })
  }
})

suite('RequestReader reads one request after another', () => {
  test('RFC 9112 §9.3.2: a pipeline', () => {
    const text = [
      `${post}Content-Length: 5\r\n\r\nhello`,
      `${chunkedPost}6\r\n world\r\n0\r\nA: b\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host}\r\n`,
    ].join('')
    for (const pieces of [[text], bytewise(text)]) {
      const seen = readRequests(pieces, { ends: true })
      assert.deepEqual(
        seen.filter((event) => event.kind !== 'head'),
        [
          { kind: 'body', text: 'hello' },
          { kind: 'end', trailers: [] },
          { kind: 'body', text: ' world' },
          { kind: 'end', trailers: [['A', 'b']] },
          { kind: 'end', trailers: [] },
          { kind: 'closed' },
        ],
      )
    }
  })

  const lasts: readonly (readonly [why: string, request: string])[] = [
    ['close', `POST / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
    ['1.0', 'GET / HTTP/1.0\r\n\r\n'],
  ]
  for (const [why, request] of lasts) {
    test(`RFC 9112 §9.6: and nothing after the last one: ${why}`, () => {
      const text = `${request}GET /2 HTTP/1.1\r\n${host}\r\nnonsense`
      for (const pieces of [[text], bytewise(text)]) {
        const seen = readRequests(pieces, { ends: true })
        assert.equal(headOf(seen).keepAlive, false)
        assert.deepEqual(
          seen.map((event) => event.kind),
          ['head', 'end', 'closed'],
        )
      }
    })
  }

  test('the next one only when it is asked for', () => {
    const reader = new RequestReader()
    reader.push(octets(`${post}\r\n${post}\r\n`))
    assert.equal(reader.next()?.kind, 'head')
    assert.equal(reader.next()?.kind, 'end')
    assert.equal(reader.isIdle, false)
    assert.equal(reader.next()?.kind, 'head')
    assert.equal(reader.next()?.kind, 'end')
    assert.equal(reader.isIdle, true)
  })
})

suite('RequestReader', () => {
  test('hands over the connection after a request for another protocol', () => {
    const reader = new RequestReader()
    reader.push(octets(`CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\x16\x03\x01`))
    assert.equal(reader.next()?.kind, 'head')
    assert.throws(() => reader.takeRest(), isMisuse('ERR_WIRE_WITHIN_MESSAGE'))
    assert.equal(reader.next()?.kind, 'end')
    assert.deepEqual(reader.takeRest(), Uint8Array.of(0x16, 0x03, 0x01))
    assert.equal(reader.next(), undefined)
    assert.throws(() => reader.push(octets('x')), isMisuse('ERR_WIRE_SWITCHED'))
  })

  test('throws the same error for ever once the client broke the protocol', () => {
    const reader = new RequestReader()
    reader.push(octets('\0'))
    const thrown: unknown[] = []
    for (const call of [() => reader.next(), () => reader.next(), () => reader.push(octets('x'))]) {
      try {
        call()
      } catch (error) {
        thrown.push(error)
      }
    }
    assert.equal(thrown.length, 3)
    assert.equal(new Set(thrown).size, 1)
    assert.ok(thrown[0] instanceof ProtocolError)
  })

  test('refuses bytes before the events of the last ones were taken', () => {
    const reader = new RequestReader()
    reader.push(octets(post))
    assert.throws(() => reader.push(octets('x')), isMisuse('ERR_WIRE_NOT_DRAINED'))
  })
})

function isMisuse(code: string) {
  return (error: unknown) => error instanceof MisuseError && error.code === code
}
