import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MechanismError } from '../../auth/error.ts'
import type { HelperAnswer, HelperRequest, OpenRequest } from './conversation.ts'
import { encodeFrame, FrameCollector, type Frame } from './frame.ts'
import type { Initiator, OpenParts } from './initiator.ts'
import { serve } from './serve.ts'

const open: OpenRequest = {
  kind: 'open',
  context: 1,
  mechanism: 'kerberos',
  identity: { kind: 'password', userName: 'alice' },
  targetName: 'HTTP@localhost',
  mutual: true,
  delegation: 'never',
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const nothing = new Uint8Array()

/** Says everything back, and keeps what it was given. */
class EchoInitiator implements Initiator {
  readonly given: OpenParts[] = []
  readonly closed: string[] = []
  failure: unknown

  open({ targetName }: OpenRequest, parts: OpenParts) {
    this.given.push(parts)
    return {
      step: (token: Uint8Array | undefined) => {
        if (this.failure !== undefined) throw this.failure
        return token === undefined
          ? { token: bytes('begin'), complete: false }
          : { complete: token.length === 0 }
      },
      sign: (message: Uint8Array) => message.toReversed(),
      verify: (message: Uint8Array, code: Uint8Array) => message.length === code.length,
      close: () => void this.closed.push(targetName),
    }
  }
}

/** A helper's whole life: what it is asked, and what it has answered when its parent has gone. */
function answers(
  initiator: Initiator,
  asked: readonly (readonly [HelperRequest, ...Uint8Array[]])[],
): readonly Frame<HelperAnswer>[] {
  const input = Buffer.concat(asked.map(([head, ...parts]) => encodeFrame({ head, parts })))
  const collector = new FrameCollector<HelperAnswer>()
  const answered: Frame<HelperAnswer>[] = []
  let at = 0
  serve(() => initiator, {
    read(length) {
      at += length
      return at > input.length ? undefined : input.subarray(at - length, at)
    },
    write: (answer) => void answered.push(...collector.take(answer)),
  })
  // What was read and stays in the input was not wiped.
  assert(!input.includes('swordfish'), 'a helper wipes what it was given')
  return answered
}

describe('serve()', () => {
  test('answers each request in order, and ends with its parent', () => {
    const answered = answers(new EchoInitiator(), [
      [open, bytes('swordfish'), nothing],
      [{ kind: 'step', context: 1 }, nothing],
      [{ kind: 'sign', context: 1 }, bytes('abc')],
      [{ kind: 'verify', context: 1 }, bytes('abc'), bytes('x')],
      [{ kind: 'close', context: 1 }],
    ])
    assert.deepEqual(
      answered.map(({ head, parts }) => [head, parts.map((part) => Buffer.from(part).toString())]),
      [
        [{ kind: 'stepped', complete: false }, ['begin']],
        [{ kind: 'stepped', complete: true }, []],
        [{ kind: 'signed' }, ['cba']],
        [{ kind: 'verified', isGood: false }, []],
        [{ kind: 'closed' }, []],
      ],
    )
  })

  test('gives a password to an identity that has one, and wipes it afterwards', () => {
    const initiator = new EchoInitiator()
    answers(initiator, [
      [open, bytes('swordfish'), bytes('binding')],
      [{ ...open, context: 2, identity: { kind: 'implicit' } }, nothing, nothing],
    ])
    const [first, second] = initiator.given
    assert.deepEqual([...(first?.password ?? [])], Array(9).fill(0))
    assert.equal(first?.channelBinding?.length, 'binding'.length)
    assert.deepEqual(second, { password: undefined, channelBinding: undefined })
  })

  test('tells a failure in its parts, and closes what it could not begin', () => {
    const initiator = new EchoInitiator()
    initiator.failure = new MechanismError('ERR_TEST', 'Cannot do this: a test', {
      reason: 'refused',
    })
    const close = { kind: 'close', context: 1 } as const
    const [failed, closed] = answers(initiator, [[open, bytes('swordfish'), nothing], [close]])
    assert.deepEqual(failed?.head, {
      kind: 'failed',
      code: 'ERR_TEST',
      message: 'Cannot do this: a test',
      reason: 'refused',
    })
    assert.equal(closed?.head.kind, 'closed')
    assert.deepEqual(initiator.closed, ['HTTP@localhost'])
  })

  test('does not survive a mistake of ours', () => {
    assert.throws(() => answers(new EchoInitiator(), [[{ kind: 'sign', context: 7 }, nothing]]), {
      message: /^Broken invariant: /u,
    })
  })
})
