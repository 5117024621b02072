import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { array, assert as check, asyncProperty, nat } from 'fast-check'

import type { ExpectedDigest } from '../job/job.ts'
import type { DigestAlgorithm } from '../wire/digest-fields.ts'
import { rejectionOf, temporaryFolder } from './disks.suite.ts'
import { PartialFile } from './partial-file.ts'
import { Verification } from './verify.ts'

/** Vectors of RFC 1321 §A.5 and FIPS 180-2 Appendix A to C, of the message `abc`. */
const vectors = [
  ['md5', '900150983cd24fb0d6963f7d28e17f72'],
  ['sha-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['sha-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'sha-512',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
] as const

const { signal } = new AbortController()

/** A flushed file of these bytes. */
function fileOf(t: TestContext, bytes: Uint8Array): PartialFile {
  const file = PartialFile.create(join(temporaryFolder(t), 'x.part'), { target: '/data/x' })
  t.after(() => file.close())
  file.write(bytes, 0)
  file.flush()
  return file
}

function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): ExpectedDigest {
  const hex = createHash(algorithm.replace('-', '')).update(bytes).digest('hex')
  return { algorithm, hex }
}

function announce(algorithm: DigestAlgorithm, hex: string) {
  return [{ algorithm, bytes: new Uint8Array(Buffer.from(hex, 'hex')) }]
}

for (const [algorithm, hex] of vectors) {
  for (const continuous of [true, false]) {
    const way = continuous ? 'as the bytes come by' : 'by reading the file back'
    test(`Verification computes ${algorithm} ${way}`, async (t) => {
      const file = fileOf(t, Buffer.from('abc'))
      const right = new Verification([{ algorithm, hex }], { continuous })
      right.update(Buffer.from('a'))
      right.update(Buffer.from('bc'))
      await right.check(file, 3, signal)
      const wrong = new Verification([{ algorithm, hex: hex.replace(/^./, '0') }], { continuous })
      wrong.update(Buffer.from('abc'))
      const found = await rejectionOf(wrong.check(file, 3, signal))
      assert.equal(found.symbol, 'BG_E_VALIDATION_FAILED')
      assert.equal(found.context, 'REMOTE_FILE')
      assert.equal(found.severity, 'fatal')
      assert.equal(
        found.sentence,
        `Cannot accept what was received for /data/x: its ${algorithm} is ${hex}, ${hex.replace(/^./, '0')} was expected`,
      )
    })
  }
}

test('Verification agrees whether the bytes come by in any split or are read back', async (t) => {
  const bytes = Buffer.alloc(3 * 1024 * 1024 + 17, 'some text')
  const file = fileOf(t, bytes)
  const digest = digestOf('sha-256', bytes)
  await new Verification([digest], { continuous: false }).check(file, bytes.length, signal)
  await check(
    asyncProperty(array(nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const verification = new Verification([digest], { continuous: true })
      let from = 0
      for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        verification.update(bytes.subarray(from, cut))
        from = cut
      }
      await verification.check(file, bytes.length, signal)
    }),
    { numRuns: 20 },
  )
})

test('Verification believes the file and not the passage when bytes are missing from it', async (t) => {
  const file = fileOf(t, Buffer.from('abc'))
  const verification = new Verification([digestOf('md5', Buffer.from('abc'))], { continuous: true })
  verification.update(Buffer.from('ab'))
  await verification.check(file, 3, signal)
})

test('Verification reads nothing when nothing is expected', async (t) => {
  const file = fileOf(t, Buffer.from('abc'))
  file.close()
  const verification = new Verification([], { continuous: false })
  verification.update(Buffer.from('abc'))
  await verification.check(file, 3, signal)
})

test('Verification of an empty file takes the digest of nothing', async (t) => {
  const file = fileOf(t, new Uint8Array(0))
  for (const continuous of [true, false]) {
    const empty = new Verification([digestOf('sha-1', new Uint8Array(0))], { continuous })
    await empty.check(file, 0, signal)
    const other = new Verification([digestOf('sha-1', Buffer.from('abc'))], { continuous })
    await rejectionOf(other.check(file, 0, signal))
  }
})

test('Verification checks everything the user gave and the strongest the server announced', async (t) => {
  const bytes = Buffer.from('abc')
  const file = fileOf(t, bytes)
  const wrong = '0'.repeat(128)
  const cases = [
    [
      'the user’s second is wrong',
      [digestOf('sha-512', bytes), { algorithm: 'md5', hex: wrong.slice(0, 32) }],
      [],
      false,
    ],
    [
      'the server’s only one is wrong',
      [digestOf('sha-512', bytes)],
      announce('md5', wrong.slice(0, 32)),
      false,
    ],
    [
      'the server’s weaker one is wrong',
      [],
      [
        ...announce('md5', wrong.slice(0, 32)),
        ...announce('sha-256', digestOf('sha-256', bytes).hex),
      ],
      true,
    ],
    [
      'both speak of one algorithm and differ',
      [digestOf('sha-512', bytes)],
      announce('sha-512', wrong),
      false,
    ],
    [
      'all are right',
      [digestOf('md5', bytes)],
      announce('sha-512', digestOf('sha-512', bytes).hex),
      true,
    ],
  ] as const
  for (const [name, given, announced, isRight] of cases) {
    await t.test(name, async () => {
      for (const continuous of [true, false]) {
        const verification = new Verification(given, { continuous })
        verification.expect(announced)
        verification.update(bytes)
        if (isRight) await verification.check(file, 3, signal)
        else await rejectionOf(verification.check(file, 3, signal))
      }
    })
  }
})

test('Verification says that the server announced what differs', async (t) => {
  const verification = new Verification([], { continuous: true })
  verification.expect(announce('md5', '0'.repeat(32)))
  verification.update(Buffer.from('abc'))
  const { sentence } = await rejectionOf(
    verification.check(fileOf(t, Buffer.from('abc')), 3, signal),
  )
  assert.match(sentence, / is 900150983cd24fb0d6963f7d28e17f72, 0{32} was announced by the server$/)
})

test('Verification stops reading when its signal is aborted', async (t) => {
  const file = fileOf(t, Buffer.alloc(4 * 1024 * 1024))
  const controller = new AbortController()
  const verification = new Verification([{ algorithm: 'md5', hex: '' }], { continuous: false })
  const checked = verification.check(file, 4 * 1024 * 1024, controller.signal)
  controller.abort(new Error('enough'))
  await assert.rejects(checked, /enough/)
})

test('Verification notices a file that is shorter than it should be', async (t) => {
  const file = fileOf(t, Buffer.from('abc'))
  writeFileSync(file.path, 'ab')
  const verification = new Verification([digestOf('md5', Buffer.from('abc'))], {
    continuous: false,
  })
  await assert.rejects(verification.check(file, 3, signal), /every byte is there/)
})
