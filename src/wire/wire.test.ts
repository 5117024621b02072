/** What holds for every message: how it is cut does not matter, what is formatted is read, and nothing else happens. */

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import * as fc from 'fast-check'

import type { Field } from './fields.ts'
import { decodeOctets, encodeOctets } from './octet.ts'
import {
  bytewise,
  listOf,
  octets,
  readRequests,
  readResponses,
  type Seen,
} from './reading.suite.ts'
import { RequestReader } from './request-reader.ts'
import { ResponseReader } from './response-reader.ts'
import { formatChunk, formatLastChunk, formatRequest, formatResponse } from './write.ts'

const host: Field = ['Host', 'example.org']

function textOf(units: fc.Arbitrary<string>, minLength: number, maxLength: number) {
  return fc.string({ unit: units, minLength, maxLength })
}

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
const tokens = textOf(fc.constantFrom(...bytewise("!#$%&'*+-.^_`|~09azAZ")), 1, 12)
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
const texts = textOf(octet, 0, 40).map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''))
const values = texts.map((text) => text.replaceAll(/^[\t ]+|[\t ]+$/g, ''))
/** Names that say something to the codec are left out: what is wanted of those is added. */
const special = /^(?:host|content-length|transfer-encoding|connection|proxy-connection|expect)$/i
const fieldLists = fc.array(
  fc.tuple(
    tokens.filter((name) => !special.test(name)),
    values,
  ),
  { maxLength: 5 },
)
const bodies = textOf(octet, 0, 60)

/** A body with what frames it, and what its message ends with. */
interface Framed {
  readonly fields: readonly Field[]
  readonly wire: string
  readonly body: string
  readonly trailers: readonly Field[]
}

const framedByLength: fc.Arbitrary<Framed> = bodies.map((body) => ({
  fields: [['Content-Length', `${body.length}`]],
  wire: body,
  body,
  trailers: [],
}))

const framedByChunks: fc.Arbitrary<Framed> = fc
  .record({ chunks: fc.array(textOf(octet, 1, 30), { maxLength: 4 }), trailers: fieldLists })
  .map(({ chunks, trailers }) => ({
    fields: [['Transfer-Encoding', 'chunked']],
    wire: [...chunks.flatMap((chunk) => formatChunk(octets(chunk))), formatLastChunk(trailers)]
      .map((bytes) => decodeOctets(bytes))
      .join(''),
    body: chunks.join(''),
    trailers,
  }))

const framedBodies = fc.oneof(framedByLength, framedByChunks)

/** A message on the wire, and what its receiver should see. */
interface Message {
  readonly wire: string
  readonly seen: readonly Seen[]
}

function messageOf(head: string, event: Seen, { wire, body, trailers }: Framed): Message {
  const middle: Seen[] = body === '' ? [] : [{ kind: 'body', text: body }]
  return { wire: head + wire, seen: [event, ...middle, { kind: 'end', trailers }] }
}

const requests: fc.Arbitrary<Message> = fc
  .record({
    method: tokens,
    target: textOf(visible, 1, 30),
    fields: fieldLists,
    framed: framedBodies,
  })
  .map(({ method, target, fields, framed }) => {
    const all = [host, ...fields, ...framed.fields]
    const isChunked = framed.fields[0]?.[0] === 'Transfer-Encoding'
    const framing = isChunked
      ? { kind: 'chunked' as const }
      : { kind: 'length' as const, length: framed.body.length }
    const rest = { version: '1.1', fields: all, framing, keepAlive: true } as const
    return messageOf(
      decodeOctets(formatRequest({ method, target, fields: all })),
      { kind: 'head', head: { method, target, ...rest, expectContinue: false } },
      framed,
    )
  })

const statuses = fc
  .integer({ min: 200, max: 599 })
  .filter((status) => status !== 204 && status !== 304)

const responses: fc.Arbitrary<Message> = fc
  .record({ status: statuses, reason: texts, fields: fieldLists, framed: framedBodies })
  .map(({ status, reason, fields, framed }) => {
    const all = [...fields, ...framed.fields]
    const isChunked = framed.fields[0]?.[0] === 'Transfer-Encoding'
    const framing = isChunked
      ? { kind: 'chunked' as const }
      : { kind: 'length' as const, length: framed.body.length }
    const head = { version: '1.1', status, reason, fields: all, framing, keepAlive: true } as const
    return messageOf(
      decodeOctets(formatResponse({ status, reason, fields: all })),
      { kind: 'head', head },
      framed,
    )
  })

/** A text cut in pieces, some of them perhaps empty. */
function cut(text: string, places: readonly number[]): readonly string[] {
  const ends = places.map((place) => place % (text.length + 1)).sort((a, b) => a - b)
  return [...ends, text.length].map((end, index) => text.slice(ends[index - 1] ?? 0, end))
}

const cuts = fc.array(fc.nat(), { maxLength: 8 })

suite('What is formatted is read, however it is cut', () => {
  test('requests, by RequestReader', () => {
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 3 }), cuts, (messages, places) => {
        const wire = messages.map((message) => message.wire).join('')
        assert.deepEqual(readRequests(cut(wire, places), { ends: true }), [
          ...messages.flatMap((message) => message.seen),
          { kind: 'closed' },
        ])
      }),
    )
  })

  test('responses, by ResponseReader', () => {
    fc.assert(
      fc.property(fc.array(responses, { maxLength: 3 }), cuts, (messages, places) => {
        const wire = messages.map((message) => message.wire).join('')
        const methods = messages.map(() => 'GET')
        assert.deepEqual(readResponses(cut(wire, places), methods, { ends: true }), [
          ...messages.flatMap((message) => message.seen),
          { kind: 'closed' },
        ])
      }),
    )
  })
})

/** One change of a text: what stands at a place is replaced, by nothing, by octets, or by a part of the text itself. */
const edits = fc.record({
  at: fc.nat(),
  removed: fc.integer({ min: 0, max: 3 }),
  added: fc.oneof(
    textOf(octet, 0, 3),
    textOf(fc.constantFrom('\r', '\n', ' ', ':', ';', '0', 'f', ','), 0, 4),
    fc.constantFrom(
      '\r\n\r\n',
      'Content-Length: 1\r\n',
      'Transfer-Encoding: chunked\r\n',
      'HTTP/1.0',
    ),
  ),
})

function applyEdits(
  text: string,
  changes: readonly (typeof edits extends fc.Arbitrary<infer T> ? T : never)[],
) {
  let changed = text
  for (const { at, removed, added } of changes) {
    const place = at % (changed.length + 1)
    changed = changed.slice(0, place) + added + changed.slice(place + removed)
  }
  return changed
}

/** Octets that no one would send, and messages in which something is wrong. */
function spoilt(messages: fc.Arbitrary<Message>): fc.Arbitrary<string> {
  const edited = fc
    .tuple(fc.array(messages, { minLength: 1, maxLength: 2 }), fc.array(edits, { maxLength: 4 }))
    .map(([messages, changes]) => applyEdits(messages.map(({ wire }) => wire).join(''), changes))
  return fc.oneof({ weight: 1, arbitrary: textOf(octet, 0, 60) }, { weight: 9, arbitrary: edited })
}

// The helpers let only protocol errors through, and record their code: anything else fails the property.
suite(
  'Whatever comes, a reader sees the same events and fails with the same protocol error',
  () => {
    test('RequestReader', () => {
      fc.assert(
        fc.property(spoilt(requests), cuts, fc.boolean(), (wire, places, ends) => {
          const whole = readRequests([wire], { ends })
          assert.deepEqual(readRequests(cut(wire, places), { ends }), whole)
          assert.deepEqual(readRequests(bytewise(wire), { ends }), whole)
        }),
        { numRuns: 500 },
      )
    })

    test('ResponseReader', () => {
      const methods = fc.array(fc.constantFrom('GET', 'HEAD', 'CONNECT'), { maxLength: 3 })
      fc.assert(
        fc.property(
          spoilt(responses),
          methods,
          cuts,
          fc.boolean(),
          (wire, methods, places, ends) => {
            const whole = readResponses([wire], methods, { ends })
            assert.deepEqual(readResponses(cut(wire, places), methods, { ends }), whole)
            assert.deepEqual(readResponses(bytewise(wire), methods, { ends }), whole)
          },
        ),
        { numRuns: 500 },
      )
    })
  },
)

suite('A client and a server in one memory', () => {
  const heard: string[] = []

  test('understand each other through a pipeline of requests', () => {
    const client = new ResponseReader()
    const server = new RequestReader()
    const targets = ['/a', '/b', '/c']
    for (const target of targets) {
      client.expect('POST')
      const fields: Field[] = [host, ['Transfer-Encoding', 'chunked']]
      const pieces = [
        formatRequest({ method: 'POST', target, fields }),
        ...formatChunk(encodeOctets(`body of ${target}`)),
        formatLastChunk(),
      ]
      for (const piece of pieces) {
        server.push(piece)
        serve(server, client)
      }
    }
    assert.equal(client.isIdle, true)
    assert.equal(server.isIdle, true)
    assert.deepEqual(heard, [
      '200 echo of POST /a',
      'body of /a',
      '200 echo of POST /b',
      'body of /b',
      '200 echo of POST /c',
      'body of /c',
    ])
  })

  /** Answers what was pushed to the server, body by body, and lets the client hear it. */
  function serve(server: RequestReader, client: ResponseReader): void {
    for (let event = server.next(); event !== undefined; event = server.next()) {
      if (event.kind === 'head') {
        assert.deepEqual(listOf(event.head.fields)[0], host)
        const reason = `echo of ${event.head.method} ${event.head.target}`
        hear(
          client,
          formatResponse({ status: 200, reason, fields: [['Transfer-Encoding', 'chunked']] }),
        )
      }
      if (event.kind === 'body') for (const piece of formatChunk(event.bytes)) hear(client, piece)
      if (event.kind === 'end') hear(client, formatLastChunk())
    }
  }

  function hear(client: ResponseReader, bytes: Uint8Array): void {
    client.push(bytes)
    for (let event = client.next(); event !== undefined; event = client.next()) {
      if (event.kind === 'head') heard.push(`${event.head.status} ${event.head.reason}`)
      if (event.kind === 'body') heard.push(decodeOctets(event.bytes))
    }
  }
})
