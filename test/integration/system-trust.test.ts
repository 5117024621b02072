/** An authority in the store of the system: trusted by everything on the machine, and so by Lull, with no option at all. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { ok, serve } from '../../src/http/servers.suite.ts'
import { LullHome, resultOf } from '../lab/lull.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'lull.js')

/** Why the store of the system cannot be changed for one test; `false` where it can. */
function cannotInstall(): string | false {
  if (needsOpenssl !== false) return needsOpenssl
  if (!existsSync('/usr/sbin/update-ca-certificates')) return 'update-ca-certificates is not there'
  const { status } = spawnSync('unshare', ['-m', 'mount', '--bind', '/tmp', '/mnt'])
  return status === 0 ? false : 'needs root, for a store of its own'
}

/**
 * In a file system of its own, where the store is empty folders: asks, installs the authority as an administrator does,
 * and asks again.
 */
const script = `
set -e
mount --bind "$STORE/certs" /etc/ssl/certs
mount --bind "$STORE/local" /usr/local/share/ca-certificates
get() { "$NODE" "$LULL" get "$URL" -o "$TARGET/$1" --quiet --no-progress-timeout 0; }
update-ca-certificates --hooksdir "$STORE/none" > /dev/null 2>&1
get before && exit 9
"$NODE" "$LULL" status --json
cp "$AUTHORITY" /usr/local/share/ca-certificates/office.crt
update-ca-certificates --hooksdir "$STORE/none" > /dev/null 2>&1
get after
"$NODE" "$LULL" status --json
`

suite('the store of the system', { skip: cannotInstall() }, () => {
  const home = new LullHome()
  after(() => home[Symbol.asyncDispose]())

  test('an authority that update-ca-certificates installs is trusted at once, by the service that runs', async (t) => {
    const authority = new Authority(t)
    const server = await serve(t, (peer, target) => peer.say(ok(target)), authority.issue())
    const store = join(home.folder, 'store')
    for (const name of ['certs', 'local', 'none']) mkdirSync(join(store, name), { recursive: true })
    const authorityFile = join(home.folder, 'office.crt')
    writeFileSync(authorityFile, authority.pem)
    const {
      SSL_CERT_FILE: _file,
      SSL_CERT_DIR: _folder,
      NODE_EXTRA_CA_CERTS: _extra,
      ...environment
    } = process.env
    const env = {
      ...environment,
      LULL_HOME: home.home,
      NODE: process.execPath,
      LULL: command,
      URL: `${server.url}/file`,
      TARGET: home.target,
      STORE: store,
      AUTHORITY: authorityFile,
    }
    const { status, stdout, stderr } = await resultOf(spawn('unshare', ['-m', 'sh', '-c', script], { env })) // prettier-ignore
    assert.equal(status, 0, stderr)
    assert.match(stderr, /ERROR_WINHTTP_SECURE_INVALID_CA/u)
    assert.equal(readFileSync(home.path('after'), 'utf8'), '/file')
    assert.deepEqual(server.targets, ['/file'])
    const pids = [...stdout.matchAll(/"pid": ?(\d+)/gu)].map(([, pid]) => pid)
    assert.equal(pids.length, 2)
    assert.equal(pids[0], pids[1])
  })
})
