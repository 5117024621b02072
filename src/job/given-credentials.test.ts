import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SchemeName } from '../auth/auth.ts'
import type { Credentials } from '../auth/credentials.ts'
import { sameCredentials } from '../auth/credentials.ts'
import { Secret } from '../auth/secret.ts'
import { decodeIdentity, encodeIdentity, type PackableIdentity } from './encoded-identity.ts'
import { JobError } from './failure.ts'
import {
  authSchemes,
  readAuthScheme,
  readAuthTarget,
  takePair,
  type GivenCredentials,
} from './given-credentials.ts'

const planted = 'hunter2'

function take(scheme: SchemeName, credentials: GivenCredentials): Credentials {
  return takePair({ target: 'server', scheme, credentials }).credentials
}

/** The code of the refusal, which must not say what was refused. */
function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert(error instanceof JobError, String(error))
    assert.doesNotMatch(`${error.message}${error.stack}`, new RegExp(planted, 'u'))
    return error.code
  }
  return 'taken'
}

test('takePair() knows what each scheme takes (A3, A14, A15, A16, A50, A60)', () => {
  const name = { userName: 'ann', password: planted }
  const blank = { userName: 'ann', password: '' }
  const logon = { userName: null, password: null }
  const noName = { userName: null, password: planted }
  const noPassword = { userName: 'ann', password: null }
  const longName = { userName: 'n'.repeat(301), password: planted }
  const longestName = { userName: 'n'.repeat(300), password: planted }
  const longPassword = { userName: 'ann', password: planted.repeat(9_363) }
  const longestPassword = { userName: 'ann', password: 'p'.repeat(65_536) }
  const E = 'E_INVALIDARG'
  const [N, P] = ['BG_E_USERNAME_TOO_LARGE', 'BG_E_PASSWORD_TOO_LARGE']
  const rows: readonly [GivenCredentials, Readonly<Record<SchemeName, string>>][] = [
    [name, every('taken')],
    [blank, every('taken')],
    [logon, { ...every(E), ntlm: 'taken', negotiate: 'taken' }],
    [noName, every(E)],
    [noPassword, every(E)],
    [longName, every(N)],
    [longestName, every('taken')],
    [longPassword, every(P)],
    [longestPassword, every('taken')],
    [
      { kind: 'tickets', cache: 'FILE:/c' },
      { ...every(E), negotiate: 'taken' },
    ],
    [{ kind: 'tickets', cache: '' }, every(E)],
    [
      { kind: 'keytab', principal: 'a@R', keytab: '/k' },
      { ...every(E), negotiate: 'taken' },
    ],
    [{ kind: 'keytab', principal: 'a@R', keytab: 'k' }, every(E)],
    [{ kind: 'keytab', principal: '', keytab: '/k' }, every(E)],
  ]
  assert.equal(planted.repeat(9_363).length, 65_541)
  for (const [credentials, expected] of rows) {
    for (const scheme of authSchemes.filter((scheme) => scheme !== 'bearer')) {
      const code = codeOf(() => take(scheme, credentials))
      assert.equal(code, expected[scheme], `${scheme} ${JSON.stringify(credentials).slice(0, 60)}`)
    }
  }
})

function every(code: string): Readonly<Record<SchemeName, string>> {
  const [basic, digest, ntlm, negotiate, passport, bearer] = Array.from({ length: 6 }, () => code)
  assert(basic !== undefined && digest !== undefined && ntlm !== undefined)
  assert(negotiate !== undefined && passport !== undefined && bearer !== undefined)
  return { basic, digest, ntlm, negotiate, passport, bearer }
}

test('lengths are counted in UTF-16 units, so that an emoji has two (A16)', () => {
  const long = { userName: '\u{1f600}'.repeat(150), password: '\u{1f600}'.repeat(32_768) }
  assert.equal(
    codeOf(() => take('ntlm', long)),
    'taken',
  )
  assert.equal(
    codeOf(() => take('ntlm', { ...long, userName: `${long.userName}n` })),
    'BG_E_USERNAME_TOO_LARGE',
  )
  assert.equal(
    codeOf(() => take('ntlm', { ...long, password: `${long.password}p` })),
    'BG_E_PASSWORD_TOO_LARGE',
  )
})

test('an encoded identity has the length of a password, whatever it stands for (A157)', () => {
  const kind = { kind: 'password', user: 'ann', domain: '' } as const
  const packed = (length: number) => encodeIdentity({ ...kind, password: 'p'.repeat(length) })
  const longest = 49_000
  assert(packed(longest).length <= 65_536 && packed(50_000).length > 65_536)
  assert.equal(
    codeOf(() => take('negotiate', { userName: '', password: packed(longest) })),
    'taken',
  )
  assert.equal(
    codeOf(() => take('negotiate', { userName: '', password: packed(50_000) })),
    'BG_E_PASSWORD_TOO_LARGE',
  )
})

test('an empty name is a name: whoever is asked decides what it is worth (A14, A15)', () => {
  for (const scheme of ['basic', 'digest', 'ntlm', 'negotiate', 'passport'] as const) {
    const credentials = take(scheme, { userName: '', password: '' })
    assert(credentials.kind === 'password' && credentials.userName === '')
  }
})

test('takePair() takes tokens and clients for Bearer, and nothing else', () => {
  const client = {
    kind: 'client',
    clientId: 'i',
    clientSecret: planted,
    tokenUrl: 'https://o/t',
  } as const
  const rows: readonly [GivenCredentials, string][] = [
    [{ kind: 'bearer', token: `${planted}._~+/-==` }, 'taken'],
    [{ kind: 'bearer', token: `${planted} x` }, 'E_INVALIDARG'],
    [{ kind: 'bearer', token: '' }, 'E_INVALIDARG'],
    [{ kind: 'bearer', token: planted.repeat(9_363) }, 'BG_E_PASSWORD_TOO_LARGE'],
    [client, 'taken'],
    [{ ...client, scope: 'a b' }, 'taken'],
    [{ ...client, tokenUrl: 'http://o/t' }, 'E_INVALIDARG'],
    [{ ...client, tokenUrl: `https://u:${planted}@o/t` }, 'E_INVALIDARG'],
    [{ ...client, tokenUrl: 'https://o/t#x' }, 'E_INVALIDARG'],
    [{ ...client, clientId: 'i'.repeat(301) }, 'BG_E_USERNAME_TOO_LARGE'],
    [{ userName: 'ann', password: planted }, 'E_INVALIDARG'],
    [{ userName: null, password: null }, 'E_INVALIDARG'],
  ]
  for (const [credentials, expected] of rows) {
    assert.equal(
      codeOf(() => take('bearer', credentials)),
      expected,
      JSON.stringify(credentials).slice(0, 80),
    )
  }
})

test('readAuthTarget() and readAuthScheme() have codes of their own (A1, A2)', () => {
  assert.equal(readAuthTarget('proxy'), 'proxy')
  assert.equal(readAuthScheme('passport'), 'passport')
  for (const value of ['Server', '', 1, null, undefined, {}, planted]) {
    assert.equal(
      codeOf(() => readAuthTarget(value)),
      'BG_E_INVALID_AUTH_TARGET',
    )
    assert.equal(
      codeOf(() => readAuthScheme(value)),
      'BG_E_INVALID_AUTH_SCHEME',
    )
  }
})

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const anyIdentity: fc.Arbitrary<PackableIdentity> = fc.oneof(
  fc.record({
    kind: fc.constant('password' as const),
    user: text,
    domain: text,
    password: text,
  }),
  fc.record(
    { kind: fc.constant('ccache' as const), cache: text, principal: text },
    { requiredKeys: ['kind', 'cache'] },
  ),
  fc.record({ kind: fc.constant('keytab' as const), principal: text, keytab: text }),
  fc.record({ kind: fc.constant('implicit' as const) }),
)

/** The credentials that an identity stands for. */
function standsFor(identity: PackableIdentity): Credentials {
  switch (identity.kind) {
    case 'password': {
      const { user, domain, password } = identity
      const userName = domain === '' ? user : `${domain}\\${user}`
      return { kind: 'password', userName, password: Secret.fromText(password) }
    }
    case 'ccache': {
      const { cache, principal } = identity
      return { kind: 'tickets', cache, ...(principal === undefined ? {} : { principal }) }
    }
    case 'keytab':
    case 'implicit':
      return identity
    default:
      return identity satisfies never
  }
}

test('decodeIdentity() gives what encodeIdentity() packed (A157)', () => {
  fc.assert(
    fc.property(anyIdentity, (identity) => {
      const packed = encodeIdentity(identity)
      assert.match(packed, /^BTAI1:[\w-]+$/u)
      assert(sameCredentials(decodeIdentity(packed), standsFor(identity)))
    }),
  )
})

test('an encoded identity is understood for NTLM and Negotiate only (A157)', () => {
  const packed = encodeIdentity({
    kind: 'password',
    user: 'ann',
    domain: 'CORP',
    password: planted,
  })
  const given = { userName: 'shown', password: packed }
  const expected = {
    kind: 'password',
    userName: 'CORP\\ann',
    password: Secret.fromText(planted),
  } as const
  assert(sameCredentials(take('negotiate', given), expected))
  assert(sameCredentials(take('ntlm', given), expected))
  const plain = { kind: 'password', userName: 'shown', password: Secret.fromText(packed) } as const
  for (const scheme of ['basic', 'digest', 'passport'] as const) {
    assert(sameCredentials(take(scheme, given), plain), scheme)
  }
  const tickets = { userName: '', password: encodeIdentity({ kind: 'ccache', cache: 'c' }) }
  assert.equal(take('negotiate', tickets).kind, 'tickets')
  assert.equal(
    codeOf(() => take('ntlm', tickets)),
    'E_INVALIDARG',
  )
})

/** Any value, packed as if it were an identity. */
function pack(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `BTAI1:${Buffer.from(text).toString('base64url')}`
}

test('an identity that only Windows could prove is refused: a Live ID, a smart card (A153, A158)', () => {
  for (const kind of ['liveid', 'nego2', 'smartcard']) {
    const packed = { userName: 'ann@example.org', password: pack({ kind, secret: planted }) }
    for (const scheme of ['negotiate', 'ntlm'] as const) {
      assert.equal(
        codeOf(() => take(scheme, packed)),
        'BG_E_INVALID_CREDENTIALS',
      )
    }
  }
})

test('decodeIdentity() refuses everything else, and quotes nothing of it (A157)', () => {
  const rows = [
    'BTAI1:',
    'BTAI1:!',
    'BTAI1:A',
    planted,
    pack(planted),
    pack(`{"${planted}`),
    pack([planted]),
    pack(null),
    pack({ kind: 'pkcs12', secret: planted }),
    pack({ kind: 7, user: planted }),
    pack({ kind: 'password', user: 'ann', domain: '' }),
    pack({ kind: 'password', user: 'ann', password: planted }),
    pack({ kind: 'password', user: 7, domain: '', password: planted }),
    pack({ kind: 'ccache' }),
    pack({ kind: 'keytab', principal: planted }),
    `BTAI1:${Buffer.from([0xff, 0xfe]).toString('base64url')}`,
  ]
  for (const packed of rows) {
    assert.equal(
      codeOf(() => decodeIdentity(packed)),
      'BG_E_INVALID_CREDENTIALS',
      packed,
    )
  }
  fc.assert(
    fc.property(fc.string(), (rest) => {
      assert.equal(
        codeOf(() => take('negotiate', { userName: '', password: `BTAI1:${rest}` })),
        'BG_E_INVALID_CREDENTIALS',
      )
    }),
  )
})
