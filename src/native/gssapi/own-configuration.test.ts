import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const skip =
  process.platform === 'linux' ? false : 'only on Linux a file without a name can be read'

/** What the library finds in a process that has put ours first. */
function configured(before: string): readonly [ours: string, others: readonly string[]] {
  const place = new URL('./own-configuration.ts', import.meta.url).href
  const program = `
    import { readFileSync } from 'node:fs'
    import { putOwnConfigurationFirst } from ${JSON.stringify(place)}
    putOwnConfigurationFirst()
    const [first, ...others] = process.env.KRB5_CONFIG.split(':')
    process.stdout.write(JSON.stringify([readFileSync(first, 'utf8'), others]))`
  const env = { PATH: process.env['PATH'], ...(before === '' ? {} : { KRB5_CONFIG: before }) }
  const args = ['--input-type=module', '--eval', program]
  const said = execFileSync(process.execPath, args, { env, encoding: 'utf8' })
  // What the program above has written.
  return JSON.parse(said) as [string, string[]]
}

test(
  'a machine whose configuration would change the name of the server does not (A272, N115)',
  { skip },
  () => {
    const [ours, others] = configured('/etc/one.conf:/etc/two.conf')
    assert.match(ours, /^\[libdefaults\]$/mu)
    assert.match(ours, /^ {2}dns_canonicalize_hostname = fallback$/mu)
    assert.match(ours, /^ {2}rdns = false$/mu)
    assert.match(ours, /^ {2}client_aware_channel_bindings = true$/mu)
    // Which ciphers are good enough stays the machine's decision.
    assert.doesNotMatch(ours, /allow_rc4|weak_crypto/u)
    assert.deepEqual(others, ['/etc/one.conf', '/etc/two.conf'])
  },
)

test(
  'a machine whose configuration is nowhere special is read behind ours (N115)',
  { skip },
  () => {
    const [, others] = configured('')
    assert.deepEqual(others, ['/etc/krb5.conf', '/usr/local/etc/krb5.conf'])
  },
)
