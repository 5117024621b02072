/** What BITS and its relatives did before, and what of it an administrator can have back. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { SchemeName } from './auth.ts'
import { authSchemes } from './list.ts'
import type { PasswordCredentials } from './credentials.ts'
import { Secret } from './secret.ts'
import { defaultAuthSettings, type AuthSettings } from './settings.ts'
import { entitle, type Wallet } from './wallet.ts'

const every: readonly SchemeName[] = authSchemes.map(({ name }) => name)

/** Which schemes of a server are answered, and whose credentials answer. */
function answered(settings: Partial<AuthSettings>, wallet: Wallet): readonly string[] {
  const situation = {
    target: 'server',
    peer: new URL('http://intranet/'),
    isForeign: false,
  } as const
  return every.flatMap((scheme) => {
    const found = entitle(scheme, situation, wallet, { ...defaultAuthSettings, ...settings })
    return found.kind === 'entitled' ? [`${scheme} ${found.source}`] : []
  })
}

const urlCredentials: PasswordCredentials = {
  kind: 'password',
  userName: 'ann',
  password: Secret.fromText('p'),
}

test('a job without SetCredentials answers as with BITS 1.2 where UseLMCompat is 0: Basic from its URL, and who is logged on (A28)', () => {
  const settings = { useLmCompat: 0 } as const
  assert.deepEqual(answered(settings, { pairs: [] }), ['negotiate policy', 'ntlm policy'])
  // Digest from the URL is more than BITS 1.2 could (A43); nobody gets back less than the default.
  const fromUrl = ['digest url', 'basic url']
  assert.deepEqual(answered(settings, { pairs: [], urlCredentials }), fromUrl)
  assert.deepEqual(answered({}, { pairs: [], urlCredentials }), fromUrl)
})

test('an application of BITS 1.2 that sets nothing stops working with each later default, and works again at level 2 (A54, A59)', () => {
  const nothing: Wallet = { pairs: [] }
  const loggedOn = ['negotiate policy', 'ntlm policy']
  const rows = [
    ['BITS 1.2', { useLmCompat: 0, lmCompatibilityLevel: 0 }, loggedOn],
    ['XP SP2, Server 2003', { useLmCompat: 1, lmCompatibilityLevel: 1 }, []],
    [
      'the same with a level that is high enough',
      { useLmCompat: 1, lmCompatibilityLevel: 2 },
      loggedOn,
    ],
    ['Vista, and today', {}, []],
    ['today, whatever the level', { useLmCompat: 2, lmCompatibilityLevel: 5 }, []],
  ] as const
  for (const [when, settings, expected] of rows) {
    assert.deepEqual(answered(settings, nothing), expected, when)
  }
})

test('the schemes stand in the order of the relatives of BITS, and Basic comes last (A180, A181)', () => {
  const relatives: readonly SchemeName[] = ['negotiate', 'ntlm', 'passport', 'digest', 'basic']
  assert.deepEqual(
    every.filter((name) => relatives.includes(name)),
    relatives,
  )
  assert(every.indexOf('bearer') < every.indexOf('digest'), 'as with curl')
})
