import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { TurnedClock } from '../../testing/turned-clock.ts'
import { scratchFolder } from '../scratch.suite.ts'
import type { HelperAnswer, HelperRequest } from './conversation.ts'
import { encodeFrame } from './frame.ts'
import { handOver, HelperProcess } from './helper-process.ts'

/** A stream that keeps what it is given, and is done with it when it is told. */
class Keeper extends Writable {
  readonly kept: Uint8Array[] = []
  #done: ((error: Error | null) => void) | undefined

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.kept.push(chunk)
    this.#done = done
  }

  finish(error: Error | null): void {
    this.#done?.(error)
  }
}

describe('handOver()', () => {
  const ends = [
    ['was written', null],
    ['cannot be written', new Error('broken pipe')],
  ] as const
  for (const [how, end] of ends) {
    test(`wipes a frame as soon as it ${how}, and no sooner`, async () => {
      const stream = new Keeper().on('error', () => undefined)
      const frame = Uint8Array.of(1, 2, 3)
      handOver(stream, frame)
      const [kept] = stream.kept
      assert.deepEqual([...(kept ?? [])], [1, 2, 3])
      stream.finish(end)
      await new Promise(setImmediate)
      assert.deepEqual([...frame], [0, 0, 0])
      assert.deepEqual([...(kept ?? [])], [0, 0, 0], 'the stream had no copy')
    })
  }
})

/** A helper whose program is written here; what `answer` stands for is the bytes of one. */
function helperOf(t: TestContext, program: string): HelperProcess {
  const answer = encodeFrame({ head: { kind: 'closed' } satisfies HelperAnswer, parts: [] })
  const path = join(scratchFolder(t), 'program.mjs')
  writeFileSync(
    path,
    `const answer = Buffer.from('${Buffer.from(answer).toString('hex')}', 'hex')
${program}`,
  )
  const helper = new HelperProcess({
    script: pathToFileURL(path),
    environment: {},
    clock: new TurnedClock(),
    deadlineMs: 1_000,
    idleMs: 1_000,
  })
  t.after(() => helper.end())
  return helper
}

const request: HelperRequest = {
  kind: 'open',
  context: 1,
  mechanism: 'kerberos',
  identity: { kind: 'implicit' },
  targetName: 'HTTP@localhost',
  mutual: true,
  delegation: 'never',
}

describe('HelperProcess', () => {
  const failures: readonly (readonly [name: string, program: string, says: RegExp])[] = [
    ['prints what is no frame', `console.log('hello, world')`, /it says what is no answer$/u],
    ['ends', `process.exit(3)`, /it ended with 3$/u],
    ['cannot be loaded', `import './nothing.js'`, /it ended with 1$/u],
  ]
  for (const [name, program, says] of failures) {
    test(`fails what it was asked when the program ${name}`, async (t) => {
      const helper = helperOf(t, program)
      await assert.rejects(helper.ask(request), {
        name: 'MechanismError',
        code: 'ERR_MECHANISM_HELPER',
        reason: 'unable',
        message: says,
      })
      assert(helper.isOver)
    })
  }

  test('takes no more requests when the program answers what nobody asked', async (t) => {
    const helper = helperOf(t, 'process.stdout.write(Buffer.concat([answer, answer]))')
    assert.deepEqual((await helper.ask(request)).head, { kind: 'closed' })
    assert(helper.isOver)
  })
})
