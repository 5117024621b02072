import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { principalOf } from './principal.ts'

const realms = { CORP: 'AD.EXAMPLE.ORG' }

interface Row {
  readonly userName: string
  readonly targetName?: string
  readonly principal: string
  readonly why: string
}

const rows: readonly Row[] = [
  { userName: 'alice', principal: 'alice', why: 'the default realm of the machine' },
  { userName: 'alice@CORP.EXAMPLE', principal: 'alice@CORP.EXAMPLE', why: 'as it is named' },
  { userName: 'alice@corp.example', principal: 'alice@CORP.EXAMPLE', why: 'a DNS name' },
  { userName: 'alice@Corp.Example', principal: 'alice@Corp.Example', why: 'a realm with capitals' },
  { userName: 'a@b@CORP.EXAMPLE', principal: String.raw`a\@b@CORP.EXAMPLE`, why: 'the last @' },
  { userName: 'svc/bits@CORP.EXAMPLE', principal: 'svc/bits@CORP.EXAMPLE', why: 'two components' },
  { userName: 'corp\\alice', principal: 'alice@AD.EXAMPLE.ORG', why: 'a domain that is mapped' },
  { userName: 'CORP\\a@b', principal: String.raw`a\@b@AD.EXAMPLE.ORG`, why: 'a name with an @' },
  { userName: 'dev.example\\alice', principal: 'alice@DEV.EXAMPLE', why: 'a DNS domain' },
  {
    userName: 'DEV\\alice',
    targetName: 'HTTP@files.dev.example.net',
    principal: 'alice@DEV.EXAMPLE.NET',
    why: "the target's domain",
  },
]

describe('principalOf()', () => {
  for (const { userName, targetName = 'HTTP@localhost', principal, why } of rows) {
    test(`makes ${principal} of ${userName}: ${why} (A303)`, () => {
      assert.equal(principalOf(userName, targetName, realms), principal)
    })
  }

  const unknown = ['HTTP@files.evil.example', 'HTTP@dev', 'HTTP@files.dev', 'HTTP@localhost']
  for (const targetName of unknown) {
    test(`does not guess the realm of a domain from ${targetName}`, () => {
      assert.throws(() => principalOf('DEV\\alice', targetName, realms), {
        name: 'MechanismError',
        code: 'ERR_KERBEROS_REALM',
        reason: 'unable',
      })
    })
  }
})
