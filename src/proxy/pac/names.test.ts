import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { AnswerReader, AnswerWriter, newAnswerMemory } from './conversation.ts'
import { NameService, systemNames } from './names.ts'

describe('systemNames', () => {
  test('resolves what the system resolves, in one family or in all', async () => {
    assert.deepEqual(await systemNames.resolve('localhost', 4), ['127.0.0.1'])
    assert((await systemNames.resolve('LOCALHOST', 0)).every((each) => isIP(each) !== 0))
    await assert.rejects(systemNames.resolve('nothing.invalid', 0))
    await assert.rejects(systemNames.resolve('a b', 0))
  })

  test('knows addresses of this machine that others can reach', async () => {
    for (const each of await systemNames.ownAddresses()) {
      assert.notEqual(isIP(each), 0, each)
      assert.doesNotMatch(each, /^(?:127\.|169\.254\.|::1$|fe80:)/u)
    }
  })
})

test('NameService keeps no more than it may, and never rejects', async () => {
  let asked = 0
  const names = {
    resolve: async () => {
      asked++
      throw new Error('no such name')
    },
    ownAddresses: () => Promise.reject(new Error('no network')),
  }
  const service = new NameService(names, new TurnedClock())
  assert.equal(await service.answer({ kind: 'ownAddresses' }), '')
  for (let index = 0; index < 1_001; index++) {
    assert.equal(await service.answer({ kind: 'resolve', name: `n${index}` }), '')
  }
  await service.answer({ kind: 'resolve', name: 'n1000' })
  assert.equal(asked, 1_001)
  await service.answer({ kind: 'resolve', name: 'n0' })
  assert.equal(asked, 1_002)
})

describe('answers in shared memory', () => {
  test('come as they were written', () => {
    const memory = newAnswerMemory()
    const [writer, reader] = [new AnswerWriter(memory), new AnswerReader(memory)]
    let ticket = 0
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        writer.asked(++ticket)
        writer.write(ticket, text)
        assert.equal(reader.wait(ticket, 0), text)
      }),
    )
  })

  test('that are too long end where an address ends', () => {
    const memory = newAnswerMemory()
    const [writer, reader] = [new AnswerWriter(memory), new AnswerReader(memory)]
    writer.asked(1)
    writer.write(
      1,
      Array.from({ length: 5_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join(';'),
    )
    const kept = reader.wait(1, 0)?.split(';') ?? []
    assert(kept.length > 1_000 && kept.every((each) => isIP(each) === 4))
  })

  test('to a question that was given up are no answer to the next', () => {
    const memory = newAnswerMemory()
    const [writer, reader] = [new AnswerWriter(memory), new AnswerReader(memory)]
    writer.asked(1)
    assert.equal(reader.wait(1, 0), undefined)
    // The next question is on its way, and the answer to the first is written before it is heard.
    writer.write(1, 'first')
    assert.equal(reader.wait(2, 1), undefined)
    writer.asked(2)
    writer.write(1, 'first')
    assert.equal(reader.wait(2, 1), undefined)
    writer.write(2, 'second')
    assert.equal(reader.wait(2, 0), 'second')
  })
})
