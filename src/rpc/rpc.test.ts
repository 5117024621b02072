import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LullError } from '../base/error.ts'
import { JobError } from '../job/failure.ts'
import { RefusedError, RpcClient, type Transport } from './client.ts'
import { flag, list, optional, record, text, wellFormed, whole } from './decode.ts'
import { answer, type Dispatch, type Handlers } from './dispatch.ts'
import { encodeAll, encodeItems, EncodedJson } from './encoded-json.ts'
import { paramDecoders } from './params.ts'
import { EventReader, formatEvent } from './server-sent-events.ts'

/** Handlers of which a test needs a few. */
function dispatchWith(
  some: Partial<Handlers<string>>,
): Dispatch<string> & { readonly batches: number[]; readonly defects: unknown[] } {
  const batches: number[] = []
  const defects: unknown[] = []
  const all = new Proxy(some, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (() => {
        throw new Error('a test called a method that it did not bring')
      }),
  })
  return {
    handlers: all as Handlers<string>,
    batch: (work) => {
      batches.push(1)
      return work()
    },
    broken: (error) => defects.push(error),
    batches,
    defects,
  }
}

async function ask(message: unknown, dispatch: Dispatch<string>): Promise<unknown> {
  const response = await answer(
    typeof message === 'string' ? message : JSON.stringify(message),
    'me',
    dispatch,
  )
  return response === undefined ? undefined : JSON.parse(textOf(response))
}

function textOf(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString()
}

const stop = { jsonrpc: '2.0', id: 1, method: 'service.stop', params: {} }

describe('answer()', () => {
  test('answer() follows JSON-RPC 2.0, case by case', async () => {
    const dispatch = dispatchWith({ 'service.stop': () => null })
    const rows: [unknown, unknown, string][] = [
      [stop, { jsonrpc: '2.0', id: 1, result: null }, 'a call, §4'],
      [
        { ...stop, params: undefined },
        { jsonrpc: '2.0', id: 1, result: null },
        'params may be left out, §4.2',
      ],
      [{ ...stop, id: undefined }, undefined, 'a notification has no answer, §4.1'],
      [[{ ...stop, id: undefined }], undefined, 'nor has a batch of them, §6'],
      [
        [stop, { ...stop, id: 'b' }],
        [
          { jsonrpc: '2.0', id: 1, result: null },
          { jsonrpc: '2.0', id: 'b', result: null },
        ],
        '§6',
      ],
    ]
    for (const [message, expected, why] of rows)
      assert.deepEqual(await ask(message, dispatch), expected, why)
  })

  test('answer() gives the code of JSON-RPC for each kind of mistake (§5.1)', async () => {
    const dispatch = dispatchWith({})
    const rows: [unknown, number][] = [
      ['{', -32_700],
      ['', -32_700],
      [[], -32_600],
      [7, -32_600],
      [{ id: 1, method: 'service.stop' }, -32_600],
      [{ ...stop, params: null }, -32_600],
      [{ ...stop, params: 'x', id: undefined }, -32_600],
      [{ ...stop, id: 2 ** 53 }, -32_600],
      [{ ...stop, method: 'no.such' }, -32_601],
      [{ ...stop, method: 'toString' }, -32_601],
      [{ ...stop, params: { extra: 1 } }, -32_602],
      [{ ...stop, method: 'job.get', params: { id: 7 } }, -32_602],
    ]
    for (const [message, code] of rows) {
      const response = (await ask(message, dispatch)) as { error: { code: number } }
      assert.equal(response.error.code, code, JSON.stringify(message))
    }
  })

  test('answer() tells a refusal with its HRESULT, and a defect without its words', async () => {
    const dispatch = dispatchWith({
      'job.get': () => {
        throw new JobError('BG_E_NOT_FOUND', 'Cannot find job x')
      },
      'job.suspend': () => {
        throw new LullError('ERR_STORE_FULL', 'Cannot use the queue')
      },
      'service.stop': () => {
        throw new Error('the secret is 42')
      },
    })
    const refused = await ask({ ...stop, method: 'job.get', params: { id: 'x' } }, dispatch)
    assert.deepEqual(refused, {
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32_000,
        message: 'Cannot find job x',
        data: { hresult: '0x80200001', symbol: 'BG_E_NOT_FOUND', context: 'GENERAL_QUEUE_MANAGER' },
      },
    })
    const full = await ask({ ...stop, method: 'job.suspend', params: { id: 'x' } }, dispatch)
    assert.deepEqual(full, {
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32_000,
        message: 'Cannot use the queue',
        data: {
          hresult: '0x80070070',
          symbol: 'ERROR_DISK_FULL',
          context: 'GENERAL_QUEUE_MANAGER',
        },
      },
    })
    const defect = await ask(stop, dispatch)
    assert.doesNotMatch(JSON.stringify(defect), /42/u)
    assert.equal(dispatch.defects.length, 1)
  })

  test('answer() makes the calls of a batch within one commit', async () => {
    const dispatch = dispatchWith({ 'service.stop': () => null })
    await ask([stop, stop, stop], dispatch)
    assert.equal(dispatch.batches.length, 1)
  })

  test('answer() passes on a result that is bytes already, alone and in a batch', async () => {
    const jobs = [{ id: 'a', displayName: 'Ä\u2028' }, { id: 'b' }]
    const pieces = encodeAll([
      '{"jobs":[',
      encodeItems(jobs),
      '],',
      new Uint8Array(),
      '"next":null}',
    ])
    const dispatch = dispatchWith({
      'job.list': () => new EncodedJson(pieces),
      'service.stop': () => null,
    })
    const list = { jsonrpc: '2.0', id: 'é"', method: 'job.list', params: {} }
    const listed = { jsonrpc: '2.0', id: 'é"', result: { jobs, next: null } }
    const stopped = { jsonrpc: '2.0', id: 1, result: null }
    assert.deepEqual(await ask(list, dispatch), listed)
    assert.deepEqual(await ask([list, stop, stop, list], dispatch), [
      listed,
      stopped,
      stopped,
      listed,
    ])
  })

  test('answer() survives any JSON', async () => {
    const dispatch = dispatchWith({ 'service.stop': () => null })
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const response = await answer(JSON.stringify(value), 'me', dispatch)
        assert(response === undefined || JSON.parse(textOf(response)) !== undefined)
      }),
    )
    assert.deepEqual(dispatch.defects, [])
  })
})

describe('RpcClient', () => {
  const dispatch = dispatchWith({
    'service.stop': () => null,
    'job.suspend': ({ id }) => {
      throw new JobError('BG_E_NOT_FOUND', `Cannot find ${id}`)
    },
  })
  const transport: Transport = {
    post: async (message) => textOf((await answer(message, 'me', dispatch)) ?? []),
    events: async function* () {
      yield 'event: gone\nda'
      yield 'ta: {"kind":"gone","id":"1"}\n\n:\n\n'
    },
  }

  test('RpcClient gets results and refusals of single calls and batches', async () => {
    const client = new RpcClient(transport)
    assert.equal(await client.call('service.stop', {}), null)
    await assert.rejects(client.call('job.suspend', { id: 'a' }), {
      code: 'BG_E_NOT_FOUND',
      hresult: '0x80200001',
    })
    const results = await client.batch('job.suspend', [{ id: 'a' }, { id: 'b' }])
    assert.deepEqual(
      results.map((result) => result instanceof RefusedError && result.message),
      ['Cannot find a', 'Cannot find b'],
    )
  })

  test('RpcClient reads events that come in any pieces', async () => {
    const seen: unknown[] = []
    for await (const event of new RpcClient(transport).watch(undefined, {
      signal: new AbortController().signal,
    }))
      seen.push(event)
    assert.deepEqual(seen, [{ kind: 'gone', id: '1' }])
  })
})

describe('EventReader', () => {
  test('EventReader gives the same events however the text is split', () => {
    const events = fc.array(
      fc.record({ event: fc.constantFrom('job', 'progress'), data: fc.json() }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(events, fc.array(fc.nat(40), { maxLength: 30 }), (sent, cuts) => {
        const whole = sent.map(formatEvent).join('')
        const reader = new EventReader()
        const received = []
        let at = 0
        for (const cut of cuts) {
          received.push(...reader.push(whole.slice(at, at + cut)))
          at += cut
        }
        received.push(...reader.push(whole.slice(at)))
        assert.deepEqual(
          received.map(({ event, data }) => [event, data]),
          sent.map(({ event, data }) => [event, data]),
        )
      }),
    )
  })
})

describe('decoders', () => {
  test('decoders of durations take the seconds that BITS can count, and no more', () => {
    const names = ['minimumRetryDelay', 'noProgressTimeout', 'maximumDownloadTime'] as const
    for (const name of names) {
      const decode = (count: number): unknown =>
        paramDecoders['job.set']({ id: 'x', [name]: count }, 'params')
      assert.deepEqual(decode(2 ** 32 - 1), { id: 'x', [name]: 2 ** 32 - 1 })
      assert.throws(() => decode(2 ** 32), { message: /from 0 to 4294967295, found 4294967296/u })
    }
  })

  test('decoders name the place and what was found there', () => {
    const decoder = record<{ a: string; b?: readonly number[]; c?: boolean }>({
      a: wellFormed(text(3)),
      b: optional(list(whole(1, 9), 2)),
      c: optional(flag),
    })
    assert.deepEqual(decoder({ a: 'x', b: [1, 9] }, 'p'), { a: 'x', b: [1, 9] })
    const rows: [unknown, RegExp][] = [
      [null, /p: expected an object, found null/u],
      [{}, /p\.a: expected a string, found nothing/u],
      [{ a: 'long' }, /p\.a: expected at most 3 characters/u],
      [{ a: 'x', b: [0] }, /p\.b\[0\]: expected a whole number from 1 to 9, found 0/u],
      [{ a: 'x', b: [1, 2, 3] }, /p\.b: expected at most 2 items, found 3/u],
      [{ a: 'x', c: 'yes' }, /p\.c: expected true or false, found "yes"/u],
      [{ a: 'x', z: 1 }, /p\.z: expected one of a, b, c/u],
      [{ a: '\ud800' }, /p\.a: expected a text without half a surrogate pair/u],
    ]
    for (const [value, pattern] of rows) assert.throws(() => decoder(value, 'p'), pattern)
  })
})
