import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AuthTarget, SchemeName } from './auth.ts'
import type { CredentialPair, Credentials, PasswordCredentials } from './credentials.ts'
import { Secret } from './secret.ts'
import { defaultAuthSettings, type AuthSettings } from './settings.ts'
import { entitle, isImplicitHost, type Situation, type Wallet } from './wallet.ts'

function password(userName: string): PasswordCredentials {
  return { kind: 'password', userName, password: Secret.fromText('p') }
}

function pair(target: AuthTarget, scheme: SchemeName, credentials: Credentials): CredentialPair {
  return { target, scheme, credentials }
}

const implicit = { kind: 'implicit' } as const
const proxyImplicit = pair('proxy', 'negotiate', implicit)
const serverBasic = pair('server', 'basic', password('set'))
const serverDigest = pair('server', 'digest', password('set'))
const urlCredentials = password('url')

/** `user/source`, `logged on/source`, or `-`. */
function said(
  scheme: SchemeName,
  wallet: Wallet,
  situation: Partial<Situation> = {},
  settings: Partial<AuthSettings> = {},
): string {
  const entitlement = entitle(
    scheme,
    { target: 'server', peer: new URL('http://intranet/'), isForeign: false, ...situation },
    wallet,
    { ...defaultAuthSettings, ...settings },
  )
  if (entitlement.kind === 'none') return '-'
  const { credentials, source } = entitlement
  if (credentials.kind === 'password') return `${credentials.userName}/${source}`
  return `${credentials.kind === 'tickets' ? 'helper' : 'logged on'}/${source}`
}

const proxy = { target: 'proxy' } as const
const onThisMachine = { target: 'proxy', isLoopback: true } as const
const helper = { kind: 'tickets', cache: 'FILE:/tmp/helper' } as const
const outside = { peer: new URL('http://www.example.com/') }

interface Row {
  readonly why: string
  readonly scheme: SchemeName
  readonly wallet: Wallet
  readonly situation?: Partial<Situation>
  readonly settings?: Partial<AuthSettings>
  readonly expected: string
}

const rows: readonly Row[] = [
  { why: 'nothing set', scheme: 'basic', wallet: { pairs: [] }, expected: '-' },
  { why: 'the pair', scheme: 'basic', wallet: { pairs: [serverBasic] }, expected: 'set/set' },
  {
    why: 'A22: not another scheme',
    scheme: 'digest',
    wallet: { pairs: [serverBasic] },
    expected: '-',
  },
  {
    why: 'A22: Negotiate is not NTLM',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'negotiate', password('u'))] },
    expected: '-',
  },
  {
    why: 'A22: NTLM is not Negotiate',
    scheme: 'negotiate',
    wallet: { pairs: [pair('server', 'ntlm', password('u'))] },
    expected: '-',
  },
  {
    why: 'not another target',
    scheme: 'basic',
    wallet: { pairs: [serverBasic] },
    situation: proxy,
    expected: '-',
  },

  {
    why: 'A42: the URL wins',
    scheme: 'basic',
    wallet: { pairs: [serverBasic], urlCredentials },
    expected: 'url/url',
  },
  {
    why: 'A43: Digest from the URL',
    scheme: 'digest',
    wallet: { pairs: [serverBasic], urlCredentials },
    expected: 'url/url',
  },
  {
    why: 'A43: unless Digest is set',
    scheme: 'digest',
    wallet: { pairs: [serverDigest], urlCredentials },
    expected: 'set/set',
  },
  { why: 'A43: never NTLM', scheme: 'ntlm', wallet: { pairs: [], urlCredentials }, expected: '-' },
  {
    why: 'A43: never Negotiate',
    scheme: 'negotiate',
    wallet: { pairs: [], urlCredentials },
    expected: '-',
  },
  {
    why: 'A43: never Passport',
    scheme: 'passport',
    wallet: { pairs: [], urlCredentials },
    expected: '-',
  },
  {
    why: 'A43: never the proxy',
    scheme: 'basic',
    wallet: { pairs: [], urlCredentials },
    situation: proxy,
    expected: '-',
  },
  {
    why: 'A43: the other pairs stay usable',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', password('u'))], urlCredentials },
    expected: 'u/set',
  },

  {
    why: 'A50: implicit for the server',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', implicit)] },
    expected: 'logged on/set',
  },
  {
    why: 'A50: implicit for the proxy',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit] },
    situation: proxy,
    expected: 'logged on/set',
  },
  {
    why: 'A51: the proxy serves the server',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit] },
    expected: 'logged on/proxy',
  },
  {
    why: 'A51: under either scheme',
    scheme: 'ntlm',
    wallet: { pairs: [proxyImplicit] },
    expected: 'logged on/proxy',
  },
  {
    why: 'A51: but not for others',
    scheme: 'digest',
    wallet: { pairs: [proxyImplicit] },
    expected: '-',
  },
  {
    why: 'A51: explicit ones block it, for any scheme',
    scheme: 'ntlm',
    wallet: { pairs: [proxyImplicit, serverBasic] },
    expected: '-',
  },
  {
    why: 'A51: as do those in the URL',
    scheme: 'ntlm',
    wallet: { pairs: [proxyImplicit], urlCredentials },
    expected: '-',
  },
  {
    why: 'A51: implicit ones do not',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit, pair('server', 'ntlm', implicit)] },
    expected: 'logged on/proxy',
  },
  {
    why: 'A51: explicit ones of the proxy serve nobody else',
    scheme: 'ntlm',
    wallet: { pairs: [pair('proxy', 'ntlm', password('u'))] },
    expected: '-',
  },
  {
    why: 'A51: not the other way round',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', implicit)] },
    situation: proxy,
    expected: '-',
  },

  {
    why: 'A53: 2 never',
    scheme: 'ntlm',
    wallet: { pairs: [] },
    settings: { useLmCompat: 2, lmCompatibilityLevel: 5 },
    expected: '-',
  },
  {
    why: 'A53: 1 with level 2',
    scheme: 'ntlm',
    wallet: { pairs: [] },
    settings: { useLmCompat: 1, lmCompatibilityLevel: 2 },
    expected: 'logged on/policy',
  },
  {
    why: 'A53: 1 below level 2',
    scheme: 'ntlm',
    wallet: { pairs: [] },
    settings: { useLmCompat: 1, lmCompatibilityLevel: 1 },
    expected: '-',
  },
  {
    why: 'A53: 0 always',
    scheme: 'negotiate',
    wallet: { pairs: [] },
    situation: proxy,
    settings: { useLmCompat: 0, lmCompatibilityLevel: 0 },
    expected: 'logged on/policy',
  },
  {
    why: 'A53: 0 not for other schemes',
    scheme: 'basic',
    wallet: { pairs: [] },
    settings: { useLmCompat: 0 },
    expected: '-',
  },
  {
    why: 'A60: 0 not for Passport',
    scheme: 'passport',
    wallet: { pairs: [] },
    settings: { useLmCompat: 0 },
    expected: '-',
  },
  {
    why: 'A55: not when something is set',
    scheme: 'ntlm',
    wallet: { pairs: [serverBasic] },
    settings: { useLmCompat: 0 },
    expected: '-',
  },
  {
    why: 'A55: nor when the URL names somebody',
    scheme: 'ntlm',
    wallet: { pairs: [], urlCredentials },
    settings: { useLmCompat: 0 },
    expected: '-',
  },

  {
    why: 'A61: not outside the list',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', implicit)] },
    situation: outside,
    expected: '-',
  },
  {
    why: 'A61: everywhere, if the administrator says so',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', implicit)] },
    situation: outside,
    settings: { implicitHosts: ['*'] },
    expected: 'logged on/set',
  },
  {
    why: 'A61: explicit ones need no list',
    scheme: 'ntlm',
    wallet: { pairs: [pair('server', 'ntlm', password('u'))] },
    situation: outside,
    expected: 'u/set',
  },

  {
    why: 'A63: stored ones for the proxy',
    scheme: 'ntlm',
    wallet: { pairs: [], usesStoredForProxy: true },
    situation: proxy,
    expected: 'logged on/stored',
  },
  {
    why: 'A63: without serving the server',
    scheme: 'ntlm',
    wallet: { pairs: [], usesStoredForProxy: true },
    expected: '-',
  },

  {
    why: 'A380: nothing for another origin',
    scheme: 'basic',
    wallet: { pairs: [serverBasic] },
    situation: { isForeign: true },
    expected: '-',
  },
  {
    why: 'A380: unless it is trusted',
    scheme: 'basic',
    wallet: { pairs: [serverBasic] },
    situation: { isForeign: true },
    settings: { trustedOrigins: ['http://intranet'] },
    expected: 'set/set',
  },
  {
    why: 'A380: trusted is one port',
    scheme: 'basic',
    wallet: { pairs: [serverBasic] },
    situation: { isForeign: true },
    settings: { trustedOrigins: ['http://intranet:8080'] },
    expected: '-',
  },
  {
    why: 'A45: a URL is for its own origin',
    scheme: 'basic',
    wallet: { pairs: [], urlCredentials },
    situation: { isForeign: true },
    settings: { trustedOrigins: ['http://intranet'] },
    expected: '-',
  },
  {
    why: 'A383: implicit ones need both lists',
    scheme: 'ntlm',
    wallet: { pairs: [proxyImplicit] },
    situation: { isForeign: true, ...outside },
    settings: { trustedOrigins: ['http://www.example.com'] },
    expected: '-',
  },
  {
    why: 'A383: and with both they are used',
    scheme: 'ntlm',
    wallet: { pairs: [proxyImplicit] },
    situation: { isForeign: true, ...outside },
    settings: { trustedOrigins: ['http://www.example.com'], implicitHosts: ['*.example.com'] },
    expected: 'logged on/proxy',
  },
  {
    why: 'A90: a helper stands for who is logged on',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], helper },
    situation: proxy,
    expected: 'helper/set',
  },
  {
    why: 'A112: and serves the server, too',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], helper },
    expected: 'helper/proxy',
  },
  {
    why: 'A61: a helper is told to nobody whom the owner would not be',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], helper },
    situation: outside,
    expected: '-',
  },
  {
    why: 'A91: a helper alone answers nothing',
    scheme: 'negotiate',
    wallet: { pairs: [], helper },
    expected: '-',
  },
  {
    why: 'A90: explicit credentials are the job’s own',
    scheme: 'basic',
    wallet: { pairs: [serverBasic], helper },
    expected: 'set/set',
  },
  {
    why: 'N96: a service account is not told to a proxy on a loopback address',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], isServiceAccount: true },
    situation: onThisMachine,
    expected: '-',
  },
  {
    why: 'N96: nor by USE_STORED_CREDENTIALS or UseLMCompat, nor because the list is for all',
    scheme: 'ntlm',
    wallet: { pairs: [], usesStoredForProxy: true, isServiceAccount: true },
    situation: onThisMachine,
    settings: { useLmCompat: 0, implicitHosts: ['*', '<local>', '*.example'] },
    expected: '-',
  },
  {
    why: 'N96: a helper is, whoever runs the service: it was chosen for the job',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], helper, isServiceAccount: true },
    situation: onThisMachine,
    expected: 'helper/set',
  },
  {
    why: 'N96: unless the list names that very host',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], isServiceAccount: true },
    situation: onThisMachine,
    settings: { implicitHosts: ['Intranet'] },
    expected: 'logged on/set',
  },
  {
    why: 'N96: a person is',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit] },
    situation: onThisMachine,
    expected: 'logged on/set',
  },
  {
    why: 'N96: a service account is told to other proxies',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], isServiceAccount: true },
    situation: proxy,
    expected: 'logged on/set',
  },
  {
    why: 'N96: what is set for a proxy goes there, whoever runs the service',
    scheme: 'basic',
    wallet: { pairs: [pair('proxy', 'basic', password('u'))], isServiceAccount: true },
    situation: onThisMachine,
    expected: 'u/set',
  },
  {
    why: 'N96: a scheme that no proxy is answered with, not even implicitly',
    scheme: 'negotiate',
    wallet: { pairs: [proxyImplicit], usesStoredForProxy: true },
    situation: proxy,
    settings: { disableProxyAuthSchemes: ['negotiate'], useLmCompat: 0 },
    expected: '-',
  },
  {
    why: 'N96: such a scheme, answered to a server',
    scheme: 'digest',
    wallet: { pairs: [serverDigest] },
    settings: { disableProxyAuthSchemes: ['digest'] },
    expected: 'set/set',
  },
]

test('entitle() gives what the job was given for that scheme and target, and nothing else', async (t) => {
  for (const { why, scheme, wallet, situation, settings, expected } of rows) {
    await t.test(why, () => assert.equal(said(scheme, wallet, situation, settings), expected))
  }
})

test('isImplicitHost() matches whole names (A61)', () => {
  const machineDomain = 'corp.example'
  const hosts = [
    [['<local>'], 'intranet', true],
    [['<local>'], 'localhost', true],
    [['<local>'], 'www.example', false],
    [['<local>'], '127.0.0.1', false],
    [['<local>'], '[::1]', false],
    [['<local>'], '[fe80]', false],
    [['<domain>'], 'corp.example', true],
    [['<domain>'], 'a.b.corp.example', true],
    [['<domain>'], 'a.corp.example.', true],
    [['<domain>'], 'evilcorp.example', false],
    [['<domain>'], 'corp.example.evil', false],
    [['*.Partner.example'], 'www.partner.example', true],
    [['*.partner.example'], 'partner.example', false],
    [['*.partner.example'], 'www.partner.example.evil', false],
    [['partner.example'], 'partner.example', true],
    [['partner.example'], 'www.partner.example', false],
    [['*'], '[::1]', true],
    [[], 'intranet', false],
  ] as const
  for (const [implicitHosts, host, expected] of hosts) {
    assert.equal(isImplicitHost(host, { implicitHosts, machineDomain }), expected, host)
  }
  const nowhere = { implicitHosts: ['<domain>'], machineDomain: '' }
  assert.equal(isImplicitHost('www.example', nowhere), false)
  assert.equal(isImplicitHost('', nowhere), false)
})
