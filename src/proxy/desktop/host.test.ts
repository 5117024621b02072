import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostDesktop } from './host.ts'

const person = { environment: { http_proxy: 'p' }, home: '/nowhere' }

for (const [platform, first] of [
  ['linux', 'the desktop: none is known that keeps proxies'],
  ['freebsd', 'the desktop: none is known that keeps proxies'],
  ['darwin', "macOS's settings: cannot be read: /usr/sbin/scutil is not installed"],
  ['win32', "Windows's settings: no proxy is set"],
] as const) {
  test(
    `on ${platform} the environment is asked after what the system says (N5)`,
    { skip: platform === process.platform && platform !== 'linux' },
    async () => {
      const places = await hostDesktop(person, platform).read()
      assert.deepEqual(
        places.slice(0, 2).map(({ place, says }) => `${place}: ${says}`),
        [first, 'the environment: http_proxy set'],
      )
    },
  )
}
