import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failureOf, isFailure } from './gss-status.ts'

/** GSS_S_FAILURE: the mechanism's code says what it is. */
const FAILURE = 13 << 16

/** Codes as krb5.h has them, unsigned as GSSAPI passes them. */
const rows: readonly (readonly [
  what: string,
  major: number,
  minor: number,
  code: string,
  reason: string,
])[] = [
  ['KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN', FAILURE, 2529638918, 'CLIENT_UNKNOWN', 'unable'],
  ['KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN', FAILURE, 2529638919, 'SERVICE_UNKNOWN', 'unable'],
  ['KRB5KDC_ERR_CLIENT_REVOKED', FAILURE, 2529638930, 'REVOKED', 'refused'],
  ['KRB5KDC_ERR_KEY_EXP', FAILURE, 2529638935, 'PASSWORD_EXPIRED', 'refused'],
  ['KRB5KDC_ERR_PREAUTH_FAILED', FAILURE, 2529638936, 'PASSWORD', 'refused'],
  ['KRB5KRB_AP_ERR_BAD_INTEGRITY', FAILURE, 2529638943, 'PASSWORD', 'refused'],
  ['KRB5KRB_AP_ERR_TKT_EXPIRED', FAILURE, 2529638944, 'EXPIRED', 'unable'],
  ['KRB5KRB_AP_ERR_SKEW', FAILURE, 2529638949, 'CLOCK', 'unable'],
  ['KRB5_KDC_UNREACH', FAILURE, 2529639068, 'KDC', 'unable'],
  ['GSS_S_BAD_BINDINGS', 4 << 16, 0, 'BINDINGS', 'refused'],
  ['GSS_S_NO_CRED', 7 << 16, 0, 'NO_CREDENTIALS', 'unable'],
  ['GSS_S_CREDENTIALS_EXPIRED', 11 << 16, 0, 'EXPIRED', 'unable'],
  ['GSS_S_FAILURE with a code of no condition', FAILURE, 100001, 'FAILED', 'unable'],
]

describe('statuses of GSSAPI', () => {
  for (const [what, major, minor, code, reason] of rows) {
    test(`${what} is ERR_KERBEROS_${code}, ${reason} (A311)`, () => {
      const error = failureOf({ major, minor }, 'get a ticket', 'the library says so', 'library')
      assert.deepEqual([error.code, error.reason], [`ERR_KERBEROS_${code}`, reason])
      assert.equal(error.message, 'Cannot get a ticket: the library says so')
    })
  }

  test("whatever is wrong with a peer's token is the peer's refusal", () => {
    const status = { major: FAILURE, minor: 2529638949 }
    assert.equal(failureOf(status, 'take an answer', 'clock skew', 'peer').reason, 'refused')
  })

  test('isFailure() takes no supplementary bit for an error', () => {
    const continueNeeded = { major: 1, minor: 0 }
    const duplicateToken = { major: 2, minor: 0 }
    assert(!isFailure(continueNeeded) && !isFailure(duplicateToken))
    assert(isFailure({ major: FAILURE + 1, minor: 0 }))
    assert(isFailure({ major: (1 << 24) >>> 0, minor: 0 }), 'a calling error')
  })
})
