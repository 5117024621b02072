import assert from 'node:assert/strict'
import { chmodSync, linkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { computeNtHash } from '../auth/ntlm/password-keys.ts'
import { defaultAuthSettings } from '../auth/settings.ts'
import { noMechanisms } from '../auth/world.suite.ts'
import { temporaryFolder } from '../files/disks.suite.ts'
import { guarded, guards, realWorld, user } from '../http/guarded.suite.ts'
import { Identity } from '../http/identity.ts'
import { fetchText, makeClient } from '../http/servers.suite.ts'
import { LocalNtlm } from './local-ntlm.ts'
import { systemClock } from './system-clock.ts'
import { standIn } from './winbind.suite.ts'

const skip = process.platform === 'win32' ? 'SSPI knows who is logged on there' : false

/** A machine without winbind. */
const alone = { clock: systemClock, sockets: [] }

/** The right name and password of the guarded servers. */
const entry = `LAB:${user.name}:${user.password}\n`

function fileOf(t: TestContext, text = entry, mode = 0o600): string {
  const path = join(temporaryFolder(t), 'ntlm-users')
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

function identityOf(t: TestContext, file: string | undefined): Identity {
  const settings = { ...defaultAuthSettings, implicitHosts: ['*'] }
  const environment = file === undefined ? {} : { NTLM_USER_FILE: file }
  const mechanisms = new LocalNtlm(noMechanisms, { ...realWorld, settings }, environment, alone)
  const credentials = { kind: 'implicit' } as const
  const pairs = [{ target: 'server', scheme: 'ntlm', credentials } as const]
  const identity = new Identity({
    wallet: { pairs },
    world: { ...realWorld, settings, mechanisms },
  })
  t.after(() => identity.close())
  return identity
}

describe('LocalNtlm', { skip }, () => {
  test('proves with NTLM who is logged on as a file of that person says (N121)', async (t) => {
    const server = await guarded(t, [guards.ntlm()])
    const identity = identityOf(t, fileOf(t))
    const { text } = await fetchText(makeClient(t), `${server.url}/file`, { identity })
    assert.equal(text, '/file')
  })

  test('proves it by the hash of a password as well (N121)', async (t) => {
    const server = await guarded(t, [guards.ntlm()])
    const hash = Buffer.from(computeNtHash(new TextEncoder().encode(user.password))).toString('hex')
    const line = `LAB\\${user.name}:1000:${'X'.repeat(32)}:${hash}:[U          ]:LCT-5F000000:`
    const identity = identityOf(t, fileOf(t, line))
    const { text } = await fetchText(makeClient(t), `${server.url}/file`, { identity })
    assert.equal(text, '/file')
  })

  test('proves nothing as somebody whom the server does not know (N121)', async (t) => {
    const server = await guarded(t, [guards.ntlm()])
    const identity = identityOf(t, fileOf(t, `LAB:${user.name}:wrong`))
    const { response } = await fetchText(makeClient(t), `${server.url}/file`, { identity })
    assert.equal(response.status, 401)
  })

  const files: readonly (readonly [what: string, make: (t: TestContext) => string, why: RegExp])[] =
    [
      ['others can read', (t) => fileOf(t, entry, 0o644), /others can read .*chmod 600/u],
      ['a group can write', (t) => fileOf(t, entry, 0o620), /others can read/u],
      ['is not there', (t) => join(temporaryFolder(t), 'nothing'), /cannot be opened/u],
      ['names nobody', (t) => fileOf(t, '# nobody\n'), /names nobody/u],
      ['is a folder', (t) => temporaryFolder(t), /is no file/u],
      [
        'is a link',
        (t) => {
          const path = join(temporaryFolder(t), 'link')
          symlinkSync(fileOf(t), path)
          return path
        },
        /cannot be opened/u,
      ],
    ]

  for (const [what, make, why] of files) {
    test(`takes no file that ${what} (N121)`, async (t) => {
      const mechanisms = new LocalNtlm(noMechanisms, realWorld, { NTLM_USER_FILE: make(t) }, alone)
      assert.match(mechanisms.unavailable('ntlm') ?? '', why)
      const identity = { kind: 'implicit' } as const
      const opening = mechanisms.open({
        mechanism: 'ntlm',
        identity,
        targetName: 'HTTP@h',
        mutual: false,
      })
      await assert.rejects(opening, { code: 'ERR_NTLM_USER_FILE' })
    })
  }

  test('takes a file by each of its names', (t) => {
    const path = fileOf(t)
    linkSync(path, `${path}-too`)
    const mechanisms = new LocalNtlm(
      noMechanisms,
      realWorld,
      { NTLM_USER_FILE: `${path}-too` },
      alone,
    )
    assert.equal(mechanisms.unavailable('ntlm'), undefined)
  })

  test('looks for no file that nobody names: what a Samba server keeps is nobody who is logged on (N122)', async (t) => {
    for (const environment of [{}, { NTLM_USER_FILE: '' }, { HOME: temporaryFolder(t) }]) {
      const mechanisms = new LocalNtlm(noMechanisms, realWorld, environment, alone)
      assert.equal(mechanisms.unavailable('ntlm'), noMechanisms.unavailable('ntlm'))
    }
    const server = await guarded(t, [guards.ntlm()])
    const identity = identityOf(t, undefined)
    const { response } = await fetchText(makeClient(t), `${server.url}/file`, { identity })
    assert.equal(response.status, 401)
  })

  test('leaves to the platform what that can do, and every identity but who is logged on', async (t) => {
    const asked: string[] = []
    const inner = {
      unavailable: () => undefined,
      open: ({ mechanism, identity }: { mechanism: string; identity: { kind: string } }) => {
        asked.push(`${mechanism} ${identity.kind}`)
        return Promise.reject(new Error('The platform was asked'))
      },
    }
    const mechanisms = new LocalNtlm(inner, realWorld, { NTLM_USER_FILE: fileOf(t) }, alone)
    const request = { targetName: 'HTTP@h', mutual: false } as const
    const tickets = { kind: 'tickets', cache: 'FILE:/tmp/t' } as const
    for (const [mechanism, identity] of [
      ['ntlm', { kind: 'implicit' }],
      ['kerberos', { kind: 'implicit' }],
      ['kerberos', tickets],
    ] as const) {
      await assert.rejects(mechanisms.open({ mechanism, identity, ...request }), /was asked/u)
    }
    assert.deepEqual(asked, ['ntlm implicit', 'kerberos implicit', 'kerberos tickets'])
  })

  for (const [what, answers, expected] of [
    ['winbind’s word before that of the file', { YR: 'YR b3Vycw==' }, 'ours'],
    ['the file’s word where winbind keeps no password', { YR: 'PW' }, 'NTLMSSP\0'],
    ['the file’s word where winbind is broken', { YR: 'BH broken' }, 'NTLMSSP\0'],
  ] as const) {
    test(`takes ${what} (N120, N121)`, async (t) => {
      const { program } = standIn(t, answers)
      const winbind = { clock: systemClock, sockets: [program], program }
      const environment = { NTLM_USER_FILE: fileOf(t) }
      const mechanisms = new LocalNtlm(noMechanisms, realWorld, environment, winbind)
      assert.equal(mechanisms.unavailable('ntlm'), undefined)
      const request = { mechanism: 'ntlm', targetName: 'HTTP@h', mutual: false } as const
      const context = await mechanisms.open({ ...request, identity: { kind: 'implicit' } })
      const { token } = await context.step(undefined)
      context.close()
      assert.equal(
        Buffer.from(token ?? [])
          .toString('latin1')
          .slice(0, 8),
        expected,
      )
    })
  }

  test('signs nothing with winbind, and leaves that to the file (A285, N120)', async (t) => {
    const { program, heard } = standIn(t, { YR: 'YR b3Vycw==' })
    const winbind = { clock: systemClock, sockets: [program], program }
    const mechanisms = new LocalNtlm(
      noMechanisms,
      realWorld,
      { NTLM_USER_FILE: fileOf(t) },
      winbind,
    )
    const request = { mechanism: 'ntlm', targetName: 'HTTP@h', mutual: false } as const
    const identity = { kind: 'implicit' } as const
    const context = await mechanisms.open({ ...request, identity, integrity: true })
    const { token } = await context.step(undefined)
    context.close()
    assert.match(Buffer.from(token ?? []).toString('latin1'), /^NTLMSSP/u)
    assert.throws(heard, 'the program was not called')
  })
})
