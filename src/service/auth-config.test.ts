import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { defaultAuthSettings } from '../auth/settings.ts'
import { authConfig, authSettings } from './auth-config.ts'
import { engineSettings, readConfig } from './config.ts'
import { carrierSettings } from './proxy-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'lull-auth-config-'))
after(() => rmSync(folder, { recursive: true }))

/** Reads a configuration file that says this. */
function configured(authentication: unknown) {
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify({ authentication }))
  return readConfig(path)
}

test('a service that nobody configured has the defaults and the names of its machine (A54, A58, A237)', () => {
  assert.deepEqual(authSettings(undefined, 'Build-Machine-Nr-17.Corp.Example'), {
    ...defaultAuthSettings,
    workstation: 'BUILD-MACHINE-N',
    machineDomain: 'corp.example',
  })
  assert.equal(authSettings({}, 'alone').machineDomain, '')
})

test('everything that the file says reaches the engine', () => {
  const settings = {
    useLmCompat: 1,
    lmCompatibilityLevel: 5,
    ntlmRequires128: true,
    defaultDomain: 'CORP',
    workstation: 'pc-1',
    implicitHosts: ['*', '<local>', '<domain>', '*.corp.example', 'host', '10.0.0.1', '[::1]'],
    machineDomain: '.Corp.Example',
    allowClearText: false,
    basicLegacyLatin1: true,
    trustedOrigins: ['https://other.example', 'http://o:8080'],
    disableProxyAuthSchemes: ['basic', 'ntlm', 'kerberos'],
    passportNexus: 'https://nexus.example/rdr',
    passportSignIn: { realm: 'example', url: 'https://login.example/' },
    refuseUrlCredentials: true,
  }
  const { auth, refusesUrlCredentials } = engineSettings(configured(settings))
  const { passportNexus, passportSignIn, refuseUrlCredentials, ...plain } = settings
  assert.deepEqual(auth, {
    ...plain,
    workstation: 'PC-1',
    machineDomain: 'corp.example',
    passport: { nexusUrl: passportNexus, signIn: passportSignIn },
  })
  assert.equal(refusesUrlCredentials, refuseUrlCredentials)
})

test('the realms of domains reach the carriers, whatever letters the file has (A303)', () => {
  const config = configured({ realms: { corp: 'AD.EXAMPLE.ORG', 'R&D': 'lab.example' } })
  const { realms } = carrierSettings(config)
  assert.deepEqual(realms, { CORP: 'AD.EXAMPLE.ORG', 'R&D': 'lab.example' })
  assert(!('realms' in engineSettings(config).auth))
  assert.equal(carrierSettings(configured({})).realms, undefined)
})

test('a value that is wrong is an error that says where', () => {
  const rows: readonly [unknown, RegExp][] = [
    [
      { useLmCompat: 3 },
      /authentication\.useLmCompat: expected a whole number from 0 to 2, found 3/u,
    ],
    [{ lmCompatibilityLevel: '3' }, /lmCompatibilityLevel: expected a whole number from 0 to 5/u],
    [{ ntlmRequires128: 1 }, /ntlmRequires128: expected true or false/u],
    [{ defaultDomain: 'A\\B' }, /defaultDomain: expected a domain/u],
    [{ workstation: 'a name that is long' }, /workstation: expected at most 15 characters/u],
    [{ workstation: 'a b' }, /workstation: expected a NetBIOS name/u],
    [{ implicitHosts: ['http://host'] }, /implicitHosts\[0\]: expected a host/u],
    [{ implicitHosts: 'host' }, /implicitHosts: expected a list/u],
    [
      { disableProxyAuthSchemes: ['Basic'] },
      /disableProxyAuthSchemes\[0\]: expected one of basic, digest/u,
    ],
    [{ realms: ['CORP'] }, /authentication\.realms: expected an object of domains/u],
    [{ realms: { CORP: 7 } }, /realms\.CORP: expected a string, found 7/u],
    [{ realms: { CORP: 'a@b' } }, /realms\.CORP: expected a Kerberos realm/u],
    [{ realms: { 'A\\B': 'C' } }, /realms: expected the NetBIOS name of a domain/u],
    [{ machineDomain: 'a b' }, /machineDomain: expected a DNS domain/u],
    [{ trustedOrigins: ['https://o/'] }, /trustedOrigins\[0\]: expected an origin/u],
    [{ passportNexus: 'http://o' }, /passportNexus: expected an https URL/u],
    [{ passportSignIn: { realm: 'r' } }, /passportSignIn\.url: expected a string, found nothing/u],
    [{ useLMCompat: 2 }, /authentication\.useLMCompat: expected one of useLmCompat/u],
    [[], /authentication: expected an object/u],
  ]
  for (const [authentication, message] of rows) {
    assert.throws(() => configured(authentication), { code: 'ERR_CONFIG', message })
  }
})

test('docs/configuration.md names every setting of authentication', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  let known = ''
  try {
    authConfig({ '?': 0 }, 'it')
  } catch (error) {
    known = /expected one of (.*), found/u.exec(String(error))?.[1] ?? ''
  }
  const names = known.split(', ')
  assert(names.length > 5)
  for (const name of names) assert(page.includes(`| \`${name}\` |`), name)
})
