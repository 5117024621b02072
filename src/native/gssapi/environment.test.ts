import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MechanismIdentity } from '../../auth/mechanism.ts'
import { Secret } from '../../auth/secret.ts'
import { environmentFor } from './environment.ts'

const service = {
  PATH: '/usr/bin',
  KRB5_CONFIG: '/etc/realm.conf',
  KRB5CCNAME: 'FILE:/run/somebody',
  KRB5_CLIENT_KTNAME: '/etc/client.keytab',
  KRB5_KTNAME: '/etc/server.keytab',
  NODE_OPTIONS: '--inspect',
  LULL_TOKEN: 'nobody else is to know this',
}

/** What every helper has of this service. */
const common = { PATH: '/usr/bin', KRB5_CONFIG: '/etc/realm.conf', GSS_MECH_CONFIG: '/dev/null' }

const rows: readonly {
  readonly identity: MechanismIdentity
  readonly has: Readonly<Record<string, string>>
  readonly why: string
}[] = [
  {
    identity: { kind: 'implicit' },
    has: { KRB5CCNAME: 'FILE:/run/somebody', KRB5_CLIENT_KTNAME: '/etc/client.keytab' },
    why: "the service's own tickets and keys",
  },
  {
    identity: { kind: 'tickets', cache: 'FILE:/run/alice' },
    has: {
      KRB5CCNAME: 'FILE:/run/alice',
      KRB5_CLIENT_KTNAME: '/dev/null',
      KRB5_KTNAME: '/dev/null',
    },
    why: 'the chosen cache and no keys',
  },
  {
    identity: { kind: 'keytab', principal: 'svc/bits', keytab: '/etc/svc.keytab' },
    has: {
      KRB5CCNAME: 'MEMORY:lull',
      KRB5_CLIENT_KTNAME: '/etc/svc.keytab',
      KRB5_KTNAME: '/etc/svc.keytab',
    },
    why: 'the chosen keys and a cache of its own',
  },
  {
    identity: { kind: 'password', userName: 'alice', password: Secret.fromText('swordfish') },
    has: { KRB5CCNAME: 'MEMORY:lull', KRB5_CLIENT_KTNAME: '/dev/null', KRB5_KTNAME: '/dev/null' },
    why: 'a cache of its own, no keys and no password',
  },
]

describe('environmentFor()', () => {
  for (const { identity, has, why } of rows) {
    test(`gives the helper of ${identity.kind} credentials ${why}, and nothing else (N110, N112)`, () => {
      assert.deepEqual(environmentFor(identity, service), { ...common, ...has })
    })
  }

  const proxied = {
    ...service,
    GSS_USE_PROXY: 'yes',
    GSSPROXY_BEHAVIOR: 'REMOTE_FIRST',
    GSSPROXY_SOCKET: '/run/lull-gssproxy',
  }

  test('lets gssproxy prove who is logged on where the service is told to use it (N113)', () => {
    const has = environmentFor({ kind: 'implicit' }, proxied)
    assert.deepEqual(has, {
      PATH: '/usr/bin',
      KRB5_CONFIG: '/etc/realm.conf',
      KRB5CCNAME: 'FILE:/run/somebody',
      KRB5_CLIENT_KTNAME: '/etc/client.keytab',
      GSS_USE_PROXY: 'yes',
      GSSPROXY_BEHAVIOR: 'REMOTE_FIRST',
      GSSPROXY_SOCKET: '/run/lull-gssproxy',
    })
    const without = environmentFor({ kind: 'implicit' }, { ...proxied, GSS_USE_PROXY: 'no' })
    assert.deepEqual([without['GSS_USE_PROXY'], without['GSSPROXY_SOCKET']], [undefined, undefined])
  })

  for (const { identity, has } of rows.filter((row) => row.identity.kind !== 'implicit')) {
    test(`lets gssproxy prove nobody for ${identity.kind} credentials (N113)`, () => {
      assert.deepEqual(environmentFor(identity, proxied), { ...common, ...has })
    })
  }

  test('names no cache and no keys where nobody did, so that the library asks its own: a session’s (N110, N116)', () => {
    const has = environmentFor({ kind: 'implicit' }, { PATH: '/usr/bin', HOME: '/Users/ann' })
    assert.deepEqual(has, { PATH: '/usr/bin', HOME: '/Users/ann', GSS_MECH_CONFIG: '/dev/null' })
  })
})
