import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeCertificate, readCertificateLocation, type GivenCertificate } from './certificate.ts'
import { readRemoteName, withoutUserInformation } from './names.ts'
import { checkProxySettings, readProxyUsage, withoutProxyLogins } from './proxy-rules.ts'
import type { ProxySettings } from './route.ts'

test('an SMB name is refused before anybody could be asked to prove anything with it (A20)', () => {
  for (const name of [
    String.raw`\\server\share\file`,
    '//server/share/file',
    'file://server/share/file',
    'smb://ann:hunter2@server/share/file',
  ]) {
    assert.throws(() => readRemoteName(name), { code: 'E_INVALIDARG' }, name)
  }
})

test('checkProxySettings() has the codes of SetProxySettings (N1)', () => {
  const E = 'E_INVALIDARG'
  const rows: readonly [ProxySettings, string?][] = [
    [{ usage: 'preconfig' }],
    [{ usage: 'noProxy' }],
    [{ usage: 'autodetect' }],
    [{ usage: 'override', list: 'p:80' }],
    [{ usage: 'override', list: 'not checked before the job runs (N2)', bypass: '*' }],
    [{ usage: 'override', script: 'file:/pac.js', bypass: '<local>' }],
    [{ usage: 'override' }, E],
    [{ usage: 'override', bypass: '<local>' }, E],
    [{ usage: 'override', list: 'p', script: 'file:/pac.js' }, E],
    [{ usage: 'preconfig', list: 'p' }, E],
    [{ usage: 'noProxy', bypass: 'p' }, E],
    [{ usage: 'autodetect', script: 'file:/pac.js' }, E],
    [{ usage: 'override', list: 'p'.repeat(4_000), bypass: 'p'.repeat(4_000) }],
    [{ usage: 'override', list: 'p'.repeat(33_000) }, 'BG_E_PROXY_LIST_TOO_LARGE'],
    [
      { usage: 'override', list: 'p', bypass: 'p'.repeat(33_000) },
      'BG_E_PROXY_BYPASS_LIST_TOO_LARGE',
    ],
  ]
  for (const [settings, code] of rows) {
    const check = () => checkProxySettings(settings)
    if (code === undefined) check()
    else assert.throws(check, { code }, JSON.stringify(settings).slice(0, 60))
  }
  assert.equal(readProxyUsage('noProxy'), 'noProxy')
  for (const value of ['PRECONFIG', 0, null]) {
    assert.throws(() => readProxyUsage(value), { code: 'E_NOTIMPL' })
  }
})

test('withoutProxyLogins() cuts names and passwords, and nothing else (N15)', () => {
  const rows: readonly [string, string][] = [
    ['http://u:p@proxy:8080', 'http://proxy:8080'],
    ['u:p@proxy', 'proxy'],
    [
      'http=u:p=x@p1:80 https=https://u@p2;socks5://u:p@q@p3,p4',
      'http=p1:80 https=https://p2;socks5://p3,p4',
    ],
    ['[2001:db8::1]:3128 *.local', '[2001:db8::1]:3128 *.local'],
    ['', ''],
  ]
  for (const [list, kept] of rows) {
    const settings = { usage: 'override', list } as const
    assert.deepEqual(withoutProxyLogins(settings), { usage: 'override', list: kept })
    const environment = { http_proxy: list }
    const fromEnvironment = withoutProxyLogins({ usage: 'preconfig', environment })
    assert.deepEqual(fromEnvironment.environment, { http_proxy: kept })
  }
  const script = withoutProxyLogins({ usage: 'override', script: 'https://u:p@o/pac?x=a@b' })
  assert.deepEqual(script, { usage: 'override', script: 'https://o/pac?x=a@b' })
})

test('takeCertificate() has the codes of SetClientCertificateByID and ByName (A71, A73)', () => {
  const place = { location: 'currentUser', store: 'MY' } as const
  const rows: readonly [GivenCertificate, string?][] = [
    [{ certificateFile: '/c.pem' }],
    [{ certificateFile: 'C:\\c.p12', passphrase: 'p' }],
    [{ certificateFile: '/c.pem', keyFile: '/c.key' }],
    [{ certificateFile: 'c.pem' }, 'E_INVALIDARG'],
    [{ certificateFile: '/c.pem', keyFile: 'c.key' }, 'E_INVALIDARG'],
    [{ certificateFile: '/c\0.pem' }, 'E_INVALIDARG'],
    [{ ...place, hash: 'ab'.repeat(20) }],
    [{ ...place, hash: 'ab'.repeat(19) }, 'RPC_X_BAD_STUB_DATA'],
    [{ ...place, hash: 'xy'.repeat(20) }, 'RPC_X_BAD_STUB_DATA'],
    [{ ...place, name: 'Ann' }],
    [{ ...place, name: '' }, 'E_INVALIDARG'],
    [{ ...place, name: 'n'.repeat(256) }],
    [{ ...place, name: 'n'.repeat(257) }, 'BG_E_STRING_TOO_LONG'],
    [{ ...place, store: 's'.repeat(255), name: 'n' }],
    [{ ...place, store: 's'.repeat(256), name: 'n' }, 'BG_E_STRING_TOO_LONG'],
    [{ ...place, store: '', name: 'n' }, 'E_INVALIDARG'],
  ]
  for (const [given, code] of rows) {
    const take = () => takeCertificate(given)
    if (code === undefined) take()
    else assert.throws(take, { code }, JSON.stringify(given).slice(0, 60))
  }
  const upper = takeCertificate({ ...place, hash: 'AB'.repeat(20) })
  assert.deepEqual(upper.certificate, { ...place, hash: 'ab'.repeat(20) })
  assert.equal(readCertificateLocation('users'), 'users')
  assert.throws(() => readCertificateLocation('elsewhere'), { code: 'E_NOTIMPL' })
})

test('withoutUserInformation() cuts whatever stands before the host, as URLs are read', () => {
  const urls = [
    'http://u:p@o/x',
    'HTTP://u@o',
    'https://u:p@q@o:8/x?y=a@b#c@d',
    'http://@o/',
    'http://o/a@b',
    'http://o?a@b',
    'http://[::1]:8/@',
    'http://u:p%40@[::1]/',
  ]
  for (const url of urls) {
    const { host, username, password } = new URL(withoutUserInformation(url))
    assert.deepEqual([host, username, password], [new URL(url).host, '', ''], url)
  }
})

test('readRemoteName() reads names and passwords as URLs do (A44)', () => {
  for (const name of [
    'http://u:p@o/',
    'http://u:p@q@o/',
    'http://u@o/',
    'http://u:@o/',
    'http://:p@o/',
    'http://a%3Ab:%40%c3%a9@o/',
  ]) {
    const { login } = readRemoteName(name)
    const { username, password } = new URL(name)
    const expected = [decodeURIComponent(username), decodeURIComponent(password)]
    assert.deepEqual([login?.userName, login?.password], expected, name)
  }
})
