import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../base/log.ts'
import { authSettings, type AuthConfig } from './auth-config.ts'
import { policyReader, withMachinePolicy, type MachinePolicy } from './machine-policy.ts'
import { readMachinePolicy, type QueryRegistry } from './policy/windows.ts'

/** A log that is read. */
function listening(): { readonly log: Log; readonly said: readonly string[] } {
  const said: string[] = []
  const log: Log = {
    write: (_level, sentence, fields) => void said.push(`${sentence} ${JSON.stringify(fields)}`),
  }
  return { log, said }
}

/** What `reg query KEY /v NAME` prints. */
function printed(key: string, name: string, type: string, value: string): string {
  return ['', key, `    ${name}    ${type}    ${value}`, '', ''].join('\r\n')
}

const bits = String.raw`HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\BITS`
const lsa = String.raw`HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\LSA`

/** A registry with these values; a query for another one fails, as it does there. */
function registry(
  compat: string | undefined,
  level: string | undefined,
  type = 'REG_DWORD',
): QueryRegistry {
  return ([verb, key, flag, name, view]) => {
    assert.deepEqual([verb, flag, view], ['query', '/v', '/reg:64'])
    if (key?.endsWith('BITS') === true && name === 'UseLMCompat' && compat !== undefined) {
      return printed(bits, name, type, compat)
    }
    if (key?.endsWith('LSA') === true && name === 'LmCompatibilityLevel' && level !== undefined) {
      return printed(lsa, name, type, level)
    }
    return undefined
  }
}

test('readMachinePolicy() reads the two values of the registry as reg query prints them (A53, A56, A58)', () => {
  const rows: readonly (readonly [QueryRegistry, MachinePolicy])[] = [
    [registry(undefined, undefined), {}],
    [registry('0x0', undefined), { useLmCompat: 0 }],
    [registry('0x2', '0x5'), { useLmCompat: 2, lmCompatibilityLevel: 5 }],
    [registry(undefined, '0x0'), { lmCompatibilityLevel: 0 }],
  ]
  for (const [query, expected] of rows) {
    const { log, said } = listening()
    assert.deepEqual(readMachinePolicy(log, query), expected)
    assert.deepEqual(said, [])
  }
})

test('readMachinePolicy() says what it does not understand, and goes on without', () => {
  for (const query of [registry('0x3', '0x6'), registry('2', '3', 'REG_SZ')]) {
    const { log, said } = listening()
    assert.deepEqual(readMachinePolicy(log, query), {})
    assert.deepEqual(
      said.map((line) => /BITS|LSA/u.exec(line)?.[0]),
      ['BITS', 'LSA'],
    )
  }
})

test('the registry counts where it says something, then the file, then the default (A54, A57, A58)', () => {
  const rows: readonly (readonly [
    file: AuthConfig,
    machine: MachinePolicy,
    used: readonly [compat: number, level: number],
    told: readonly string[],
  ])[] = [
    [{}, {}, [2, 3], []],
    [{ useLmCompat: 1, lmCompatibilityLevel: 5 }, {}, [1, 5], []],
    [{}, { useLmCompat: 0, lmCompatibilityLevel: 1 }, [0, 1], []],
    [{ useLmCompat: 0 }, { useLmCompat: 2 }, [2, 3], ['useLmCompat']],
    [{ useLmCompat: 2, lmCompatibilityLevel: 0 }, { useLmCompat: 2 }, [2, 0], []],
  ]
  for (const [file, machine, used, told] of rows) {
    const { log, said } = listening()
    const { useLmCompat, lmCompatibilityLevel } = authSettings(
      withMachinePolicy(file, machine, log),
    )
    assert.deepEqual([useLmCompat, lmCompatibilityLevel], used)
    assert.deepEqual(
      said.map((line) => /"setting":"(\w+)"/u.exec(line)?.[1]),
      told,
    )
  }
})

test('no other system than Windows is asked for a registry, and one without reg says nothing', () => {
  const { log, said } = listening()
  for (const platform of ['linux', 'darwin', 'freebsd'] as const) {
    assert.deepEqual(policyReader(platform)(log), {})
  }
  if (process.platform !== 'win32') assert.deepEqual(policyReader('win32')(log), {})
  assert.deepEqual(said, [])
})
