import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failure, formatFailure, httpStatusFailure, isTransientStatus } from './failure.ts'
import { hresults } from './hresult.ts'

/** bits-errors.md §4; 425 and 429 are younger than BITS's rule. */
const statuses: readonly (readonly [number, 'transient' | 'fatal'])[] = [
  [204, 'transient'],
  [300, 'fatal'],
  [304, 'fatal'],
  [307, 'fatal'],
  [308, 'transient'],
  [400, 'fatal'],
  [401, 'fatal'],
  [403, 'fatal'],
  [404, 'fatal'],
  [407, 'fatal'],
  [408, 'transient'],
  [409, 'transient'],
  [410, 'fatal'],
  [416, 'fatal'],
  [425, 'transient'],
  [429, 'transient'],
  [500, 'transient'],
  [501, 'fatal'],
  [502, 'transient'],
  [503, 'transient'],
  [504, 'transient'],
  [505, 'fatal'],
]

describe('failure', () => {
  test('isTransientStatus() follows the classes of bits-errors.md §4', () => {
    for (const [status, severity] of statuses) {
      assert.equal(isTransientStatus(status), severity === 'transient', String(status))
    }
  })

  test('httpStatusFailure() makes BG_E_HTTP_ERROR_404 0x80190194 of a 404', () => {
    const notFound = httpStatusFailure(404, 'The server answered 404: there is no such file')
    assert.equal(
      formatFailure(notFound),
      'The server answered 404: there is no such file (BG_E_HTTP_ERROR_404 0x80190194, REMOTE_FILE)',
    )
  })

  test('hresults has the numbers of BitsMsg.h, winhttp.h and winerror.h', () => {
    assert.equal(hresults.BG_E_NOT_FOUND, 0x8020_0001)
    assert.equal(hresults.BG_E_READ_ONLY_WHEN_JOB_ACTIVE, 0x8020_0075)
    assert.equal(hresults.BG_S_PARTIAL_COMPLETE, 0x0020_0017)
    assert.equal(hresults.ERROR_WINHTTP_NAME_NOT_RESOLVED, 0x8007_2ee7)
    assert.equal(hresults.ERROR_DISK_FULL, 0x8007_0070)
    assert.equal(hresults.E_ACCESSDENIED, 0x8007_0005)
  })

  test('failure() is transient exactly for the codes that clear by themselves (bits-errors.md §3.2)', () => {
    const blocks = [
      'BG_E_DESTINATION_LOCKED',
      'BG_E_NETWORK_DISCONNECTED',
      'BG_E_BLOCKED_BY_POLICY',
    ] as const
    for (const symbol of blocks) assert.equal(failure(symbol, 'UNKNOWN', 'x').severity, 'transient')
    assert.equal(failure('BG_E_INVALID_SERVER_RESPONSE', 'REMOTE_FILE', 'x').severity, 'fatal')
  })
})
