import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { temporaryFolder } from '../files/disks.suite.ts'
import { TurnedClock } from '../testing/turned-clock.ts'
import { systemClock } from './system-clock.ts'
import { hasWinbind, openWinbind } from './winbind.ts'
import { standIn } from './winbind.suite.ts'

const skip = process.platform === 'win32' ? 'winbind is not for Windows' : false

/** Octets as the program writes them. */
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const good = { YR: `YR ${base64('negotiate')}`, TT: `KK ${base64('authenticate')}` }

describe('openWinbind()', { skip }, () => {
  for (const word of ['KK', 'AF']) {
    test(`has winbind answer a challenge, and is done with ${word} (N120)`, async (t) => {
      const { program, heard } = standIn(t, { ...good, TT: `${word} ${base64('authenticate')}` })
      const userName = String.raw`LAB\ann`
      const context = await openWinbind({ clock: systemClock, program, userName })
      assert(context !== undefined)
      const first = await context.step(undefined)
      assert.deepEqual(
        [String(Buffer.from(first.token ?? [])), first.complete],
        ['negotiate', false],
      )
      const second = await context.step(new TextEncoder().encode('challenge'))
      assert.deepEqual(
        [String(Buffer.from(second.token ?? [])), second.complete],
        ['authenticate', true],
      )
      assert.deepEqual(heard(), [
        '--helper-protocol=ntlmssp-client-1 --use-cached-creds --username=ann --domain=LAB',
        'YR',
        `TT ${base64('challenge')}`,
      ])
      context.close()
      context.close()
    })
  }

  test('names no domain where the user has none (N120)', async (t) => {
    const { program, heard } = standIn(t, good)
    const context = await openWinbind({ clock: systemClock, program, userName: 'ann' })
    context?.close()
    assert.match(heard()[0] ?? '', /--username=ann$/u)
  })

  test('knows nobody where winbind asks for a password, and never gives one (N120)', async (t) => {
    const { program, heard } = standIn(t, { YR: 'PW' })
    assert.equal(await openWinbind({ clock: systemClock, program }), undefined)
    assert.deepEqual(heard().slice(1), ['YR'])
  })

  for (const [what, answers] of [
    ['is broken', { ...good, TT: 'BH no such user zoe' }],
    ['refuses', { ...good, TT: 'NA NT_STATUS_LOGON_FAILURE zoe' }],
    ['asks for a password late', { ...good, TT: 'PW' }],
    ['ends', { ...good, TT: 'end' }],
    ['says nonsense', { ...good, TT: 'KK' }],
  ] as const) {
    test(`cannot when winbind ${what}, and shows nothing of what it says (N120, A141)`, async (t) => {
      const { program } = standIn(t, answers)
      const context = await openWinbind({ clock: systemClock, program })
      assert(context !== undefined)
      await assert.rejects(context.step(new Uint8Array(1)), (error) => {
        assert(error instanceof Error && 'code' in error && 'reason' in error)
        assert.deepEqual([error.code, error.reason], ['ERR_NTLM_WINBIND', 'unable'])
        assert.doesNotMatch(error.message, /zoe/u)
        return true
      })
    })
  }

  test('gives up a program that does not answer (N120)', async (t) => {
    const { program } = standIn(t, { YR: 'silence' })
    const clock = new TurnedClock()
    const opening = openWinbind({ clock, program })
    clock.turn(10_000)
    await assert.rejects(opening, { code: 'ERR_NTLM_WINBIND' })
  })

  test('cannot where the program is not installed (N120)', async () => {
    const opening = openWinbind({ clock: systemClock, program: '/nowhere/ntlm_auth' })
    await assert.rejects(opening, { code: 'ERR_NTLM_WINBIND' })
  })

  test('hasWinbind() says whether somebody listens (N120)', (t) => {
    const socket = join(temporaryFolder(t), 'pipe')
    assert(!hasWinbind({ sockets: [socket] }))
    writeFileSync(socket, '')
    assert(hasWinbind({ sockets: ['/nowhere', socket] }))
  })
})
