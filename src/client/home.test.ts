import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findHome, type HomeWorld } from './home.ts'

function world(changes: Partial<HomeWorld> = {}): HomeWorld {
  return {
    env: {},
    platform: 'linux',
    homeFolder: '/home/someone',
    temporaryFolder: '/tmp',
    user: '1000',
    ...changes,
  }
}

describe('findHome()', () => {
  test('findHome() puts everything in LULL_HOME when that is set', () => {
    const home = findHome(world({ env: { LULL_HOME: '/srv/lull' } }))
    for (const path of [home.queue, home.lock, home.log, home.config, home.socket]) {
      assert(path.startsWith('/srv/lull/'), path)
    }
  })

  test('findHome() follows the XDG folders on Linux and ignores relative ones', () => {
    const env = { XDG_DATA_HOME: '/data', XDG_STATE_HOME: 'relative', XDG_CONFIG_HOME: '/etc/mine' }
    const home = findHome(world({ env }))
    assert.equal(home.queue, '/data/lull/queue.db')
    assert.equal(home.log, '/home/someone/.local/state/lull/lull.log')
    assert.equal(home.config, '/etc/mine/lull/config.json')
  })

  test('findHome() uses Library on macOS', () => {
    const home = findHome(world({ platform: 'darwin', homeFolder: '/Users/someone' }))
    assert.equal(home.folder, '/Users/someone/Library/Application Support/Lull')
    assert.equal(home.log, '/Users/someone/Library/Logs/Lull/lull.log')
  })

  test('findHome() answers at a named pipe on Windows', () => {
    const home = findHome(
      world({ platform: 'win32', env: { LOCALAPPDATA: '/local' }, user: 'someone' }),
    )
    assert.match(home.socket, /^\\\\\.\\pipe\\lull-someone-[0-9a-f]{32}$/u)
  })

  test('findHome() finds a shorter place for a socket whose path no system would take', () => {
    const deep = `/srv/${'x'.repeat(120)}`
    const home = findHome(world({ env: { LULL_HOME: deep } }))
    assert.match(home.socket, /^\/tmp\/lull-1000\/[0-9a-f]{32}\.sock$/u)
    assert.notEqual(home.socket, findHome(world({ env: { LULL_HOME: `${deep}y` } })).socket)
    assert.equal(home.queue, `${deep}/queue.db`)
  })
})
