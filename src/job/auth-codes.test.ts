/** The numbers and words of authentication.md, section 1, against the tables that everything else uses. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateLocations } from './certificate.ts'
import { errorContexts, httpStatusFailure } from './failure.ts'
import { authSchemes, authTargets } from './given-credentials.ts'
import { checkHelperTokenFlags, helperTokenFlags } from './helper-token.ts'
import { hresults, httpStatusHresult, httpStatusSymbol, type HresultSymbol } from './hresult.ts'
import { proxyUsages } from './route.ts'

test('targets and schemes are in the order of BITS’s numbers, and what is ours stands behind (A1, A2)', () => {
  assert.deepEqual(authTargets, ['server', 'proxy'])
  const ours = ['bearer']
  const theirs = ['basic', 'digest', 'ntlm', 'negotiate', 'passport']
  assert.deepEqual(authSchemes, [...theirs, ...ours])
})

test('usages of proxies are in the order of BG_JOB_PROXY_USAGE (A4)', () => {
  assert.deepEqual(proxyUsages, ['preconfig', 'noProxy', 'override', 'autodetect'])
})

test('places of certificates are in the order of BG_CERT_STORE_LOCATION (A5)', () => {
  assert.deepEqual(certificateLocations, [
    'currentUser',
    'localMachine',
    'currentService',
    'services',
    'users',
    'currentUserGroupPolicy',
    'localMachineGroupPolicy',
    'localMachineEnterprise',
  ])
})

test('flags of helper tokens have BITS’s bits, and no others are taken (A6)', () => {
  assert.deepEqual(helperTokenFlags, { localFile: 1, network: 2 })
  for (const flags of [0, 1, 2, 3]) checkHelperTokenFlags(flags)
  for (const flags of [4, 5, -1, 0x8000_0000]) {
    assert.throws(() => checkHelperTokenFlags(flags), { code: 'E_INVALIDARG' })
  }
})

test('result codes have the values of the documents (A7)', () => {
  const rows: readonly (readonly [HresultSymbol, number])[] = [
    ['S_OK', 0x0000_0000],
    ['S_FALSE', 0x0000_0001],
    ['E_INVALIDARG', 0x8007_0057],
    ['E_ACCESSDENIED', 0x8007_0005],
    ['E_NOTIMPL', 0x8000_4001],
    ['BG_E_USERNAME_TOO_LARGE', 0x8020_0025],
    ['BG_E_PASSWORD_TOO_LARGE', 0x8020_0026],
    ['BG_E_INVALID_AUTH_TARGET', 0x8020_0027],
    ['BG_E_INVALID_AUTH_SCHEME', 0x8020_0028],
    ['BG_E_INVALID_PROXY_INFO', 0x8020_003f],
    ['BG_E_INVALID_CREDENTIALS', 0x8020_0040],
    ['BG_E_TOKEN_REQUIRED', 0x8020_0056],
    ['BG_E_USE_STORED_CREDENTIALS_NOT_SUPPORTED', 0x8020_0066],
    ['CO_E_FAILEDTOIMPERSONATE', 0x8001_0123],
    ['BG_E_PROXY_LIST_TOO_LARGE', 0x8020_0018],
    ['BG_E_PROXY_BYPASS_LIST_TOO_LARGE', 0x8020_0019],
    ['BG_E_PROXY_NAME_RESOLUTION_FAILURE', 0x8020_0035],
    ['ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED', 0x8007_0000 + 12_044],
    ['ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY', 0x8007_0000 + 12_185],
    ['ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY', 0x8007_0000 + 12_186],
    ['ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY', 0x8007_0000 + 12_187],
    ['ERROR_WINHTTP_LOGIN_FAILURE', 0x8007_0000 + 12_015],
    ['ERROR_WINHTTP_AUTODETECTION_FAILED', 0x8007_0000 + 12_180],
    ['ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT', 0x8007_0000 + 12_166],
    ['ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT', 0x8007_0000 + 12_167],
    ['RPC_X_NULL_REF_POINTER', 0x8007_0000 + 1_780],
    ['RPC_X_BAD_STUB_DATA', 0x8007_0000 + 1_783],
    ['CRYPT_E_NOT_FOUND', 0x8009_2004],
  ]
  for (const [symbol, value] of rows) assert.equal(hresults[symbol], value, symbol)
  for (const status of [401, 403, 407]) {
    assert.equal(httpStatusHresult(status), 0x8019_0000 + status)
    assert.equal(httpStatusSymbol(status), `BG_E_HTTP_ERROR_${status}`)
  }
})

test('contexts have BG_ERROR_CONTEXT’s numbers, and who asks is a matter of the remote file (A8)', () => {
  assert.deepEqual(errorContexts, [
    'NONE',
    'UNKNOWN',
    'GENERAL_QUEUE_MANAGER',
    'QUEUE_MANAGER_NOTIFICATION',
    'LOCAL_FILE',
    'REMOTE_FILE',
    'GENERAL_TRANSPORT',
    'REMOTE_APPLICATION',
    'SERVER_CERTIFICATE_CALLBACK',
  ])
  for (const status of [401, 407]) {
    assert.equal(httpStatusFailure(status, 'It asks').context, 'REMOTE_FILE')
  }
})
