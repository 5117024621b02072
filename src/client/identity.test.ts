import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { decodeIdentity } from '../job/encoded-identity.ts'
import { BackgroundCopyError } from './errors.ts'
import { certificateParams, credentialParams } from './given.ts'
import { AuthIdentity, encodeAuthIdentityAsStrings, freeIdentity } from './identity.ts'

describe('encodeAuthIdentityAsStrings()', () => {
  const names: readonly (readonly [userName: string, user: string, domain: string])[] = [
    ['alice', 'alice', ''],
    ['CORP\\alice', 'alice', 'CORP'],
    ['alice@CORP.EXAMPLE', 'alice@CORP.EXAMPLE', ''],
  ]
  for (const [userName, user, domain] of names) {
    test(`encodeAuthIdentityAsStrings() packs ${userName} so that the service unpacks the same (A151, A157)`, () => {
      using identity = new AuthIdentity({ kind: 'password', userName, password: 'pässword"\\🙂' })
      const encoded = encodeAuthIdentityAsStrings(identity)
      assert.deepEqual([encoded.user, encoded.domain], [user, domain])
      assert.match(encoded.packed, /^BTAI1:[\w-]+$/u)
      const unpacked = decodeIdentity(encoded.packed)
      assert(unpacked.kind === 'password')
      assert.equal(unpacked.userName, userName)
      assert.equal(
        unpacked.password.use((bytes) => Buffer.from(bytes).toString()),
        'pässword"\\🙂',
      )
    })
  }

  test('encodeAuthIdentityAsStrings() packs identities that have no password (A152)', () => {
    const sources = [
      { kind: 'tickets', cache: 'FILE:/tmp/krb5cc_1', principal: 'a@B' },
      { kind: 'tickets', cache: 'KEYRING:x' },
      { kind: 'keytab', principal: 'host/a@B', keytab: '/etc/krb5.keytab' },
      { kind: 'implicit' },
    ] as const
    for (const source of sources) {
      using identity = new AuthIdentity(source)
      assert.deepEqual(decodeIdentity(encodeAuthIdentityAsStrings(identity).packed), source)
    }
  })

  test('a freed identity packs nothing, and freeing it twice is nothing (A156)', () => {
    const password = Buffer.from('secret')
    const identity = new AuthIdentity({ kind: 'password', userName: 'a', password })
    freeIdentity(identity)
    freeIdentity(identity)
    assert.throws(() => encodeAuthIdentityAsStrings(identity), /wiped/u)
    // The caller's bytes are the caller's.
    assert.equal(password.toString(), 'secret')
  })

  test('an identity prints nothing of its password', () => {
    using identity = new AuthIdentity({ kind: 'password', userName: 'a', password: 'hunter2' })
    const printed = `${inspect(identity, { depth: 9, showHidden: true })}${JSON.stringify(identity)}`
    assert(!printed.includes('hunter2') && !printed.includes(inspect(Buffer.from('hunter2'))))
  })
})

describe('what programs give', () => {
  test('bytes are taken for UTF-8, a mark at their beginning and all', () => {
    const password = Buffer.from('\uFEFFpässword')
    const { credentials } = credentialParams({
      target: 'server',
      scheme: 'digest',
      credentials: { userName: 'a', password },
    })
    assert.deepEqual(credentials, { userName: 'a', password: '\uFEFFpässword' })
    assert.deepEqual(certificateParams({ certificateFile: '/c', passphrase: Buffer.from('p') }), {
      certificateFile: '/c',
      passphrase: 'p',
    })
  })

  test('bytes that are no UTF-8 are refused, and not shown', () => {
    const password = Buffer.from([0x68, 0xff])
    assert.throws(
      () =>
        credentialParams({
          target: 'proxy',
          scheme: 'ntlm',
          credentials: { userName: 'a', password },
        }),
      (error: unknown) => {
        assert(error instanceof BackgroundCopyError)
        assert.equal(error.symbol, 'BG_E_INVALID_CREDENTIALS')
        return true
      },
    )
  })
})
