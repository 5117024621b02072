import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NtlmIdentity } from './initiator.ts'
import { parseUserFile } from './user-file.ts'

const text = new TextEncoder()
const hash = '0123456789ABCDEF0123456789abcdef'
const none = 'X'.repeat(32)

/** `domain|user|password` or `domain|user|#hash`. */
function said(file: string): string | undefined {
  const found = parseUserFile(text.encode(file))
  return found && show(found)
}

function show({ domain, user, password, ntHash }: NtlmIdentity): string {
  const secret = password.use((bytes) => new TextDecoder().decode(bytes))
  const key = ntHash?.use((bytes) => `#${Buffer.from(bytes).toString('hex')}`)
  return [domain, user, key ?? secret].join('|')
}

const rows: readonly (readonly [what: string, file: string, expected: string | undefined])[] = [
  ['a domain, a user and a password', 'CORP:ann:hunter2\n', 'CORP|ann|hunter2'],
  [
    'a password with colons, blanks and letters of any kind',
    'CORP:ann: a:b:ä€😀 ',
    'CORP|ann| a:b:ä€😀 ',
  ],
  ['no domain', ':ann:p', '|ann|p'],
  ['a blank password', 'CORP:ann:', 'CORP|ann|'],
  ['lines of Windows', '# x\r\nCORP:ann:p\r\n', 'CORP|ann|p'],
  ['the first of several', '#CORP:no:p\n\nCORP:ann:p\nCORP:bob:q', 'CORP|ann|p'],
  ['what is no entry passed over', 'nonsense\nCORP:\nCORP::p\nCORP:ann:p', 'CORP|ann|p'],
  [
    'a line of smbpasswd',
    `ann:1000:${none}:${hash}:[U          ]:LCT-5F000000:`,
    `|ann|#${hash.toLowerCase()}`,
  ],
  [
    'a line of smbpasswd with a domain',
    `CORP\\ann:1000:${hash}:${hash}:[U          ]:LCT-5F000000:`,
    `CORP|ann|#${hash.toLowerCase()}`,
  ],
  [
    'no password where smbpasswd has no hash',
    `bob:1000:${none}:${none}:[U          ]:LCT-5F000000:\nCORP:ann:p`,
    'CORP|ann|p',
  ],
  ['nothing in an empty file', '', undefined],
  ['nothing in comments', '# CORP:ann:p', undefined],
]

for (const [what, file, expected] of rows) {
  test(`parseUserFile() finds ${what} (N121)`, () => {
    assert.equal(said(file), expected)
  })
}

test('parseUserFile() reads anything without a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const found = parseUserFile(bytes)
      assert(found === undefined || found.user !== '')
    }),
  )
})

test('parseUserFile() keeps what it found when the file is wiped', () => {
  const bytes = Buffer.from('CORP:ann:hunter2')
  const found = parseUserFile(bytes)
  bytes.fill(0)
  assert.equal(found && show(found), 'CORP|ann|hunter2')
})
