import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { describeHop } from '../decision.ts'
import type { PlaceSettings } from '../settings.ts'
import { linuxDesktop } from './linux.ts'

const hasBus = ['dbus-daemon', 'gdbus'].every(
  (program) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined,
)

/** A session bus on which nobody offers anything. */
async function emptyBus(context: TestContext): Promise<string> {
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  context.after(() => bus.kill())
  const [address]: readonly unknown[] = await once(bus.stdout, 'data')
  return String(address).trim()
}

/** A program in the place of gdbus, for the answers of portals that are not installed here. */
function folderWithGdbus(context: TestContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lull-portal-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'gdbus'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'gdbus'), 0o755)
  return folder
}

async function places(path: string | undefined, bus: string): Promise<readonly PlaceSettings[]> {
  const environment = { PATH: path, DBUS_SESSION_BUS_ADDRESS: bus }
  return linuxDesktop({ environment, home: '/nowhere' }, '/nowhere').read()
}

test(
  'a bus without a portal is no place to ask (N48, N49)',
  { skip: hasBus ? false : 'there is no D-Bus here' },
  async (context) => {
    const found = await places(process.env['PATH'], await emptyBus(context))
    assert.deepEqual(
      found.map(({ place }) => place),
      ['the desktop', 'the environment'],
    )
  },
)

test(
  'the portal is asked for each server and shown nothing else of the URL (N48, N49)',
  { skip: process.platform === 'win32' },
  async (context) => {
    const script = `for url; do :; done
case $url in
  http://portal.invalid/) echo "(['direct://'],)" ;;
  https://h.example:8443/) echo "(['http://p:1', 'socks://s', 'direct://', 'junk://x'],)" ;;
  *) exit 1 ;;
esac`
    const path = `${folderWithGdbus(context, script)}:/usr/bin:/bin`
    const [, portal] = await places(path, 'unix:path=/nowhere')
    assert.equal(portal?.place, "the desktop's portal")
    const hops = await portal?.lookup?.find('https://h.example:8443/')
    assert.deepEqual(hops?.map(describeHop), [
      'http://p:1',
      'socks5://s:1080',
      'socks4://s:1080',
      'straight to the server',
    ])
    assert.equal(await portal?.lookup?.find('https://other.example/'), undefined)
  },
)
