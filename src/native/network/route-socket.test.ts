import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { test } from 'node:test'
import { foreignLibrary, take, type ForeignFunctions } from '../foreign.suite.ts'
import { openLinux } from '../linux.ts'
import { systemCalls } from '../system.ts'
import type { RouteNews } from './route-message.ts'
import { openRouteListener } from './route-socket.ts'

const { EACCES, EMFILE, EPROTONOSUPPORT } = constants.errno

const onLinux = process.platform === 'linux' ? false : 'netlink is of Linux'

/** Whether this user may make network namespaces, and has the programs to fill one. */
function namespaces(): false | string {
  if (onLinux !== false) return onLinux
  const wire = ['link', 'add', 'name', 'lull0', 'type', 'veth', 'peer']
  const tried = spawnSync('unshare', ['--net', 'ip', ...wire])
  return tried.status === 0 ? false : 'needs root, unshare, ip and veth interfaces'
}

test('the kernel acknowledges through the event loop of Node', { skip: onLinux }, async () => {
  const listen = take(systemCalls().networkNews)
  const { promise, resolve, reject } = Promise.withResolvers<RouteNews>()
  using _ = listen({ news: resolve, failed: reject })
  const keepsAlive = setTimeout(() => undefined, 60_000)
  assert.deepEqual(await promise, { kind: 'acknowledged' })
  clearTimeout(keepsAlive)
})

test('listening keeps no process alive, and no descriptor after its end', { skip: onLinux }, () => {
  const program = `
    import { readdirSync } from 'node:fs'
    import { systemCalls } from ${JSON.stringify(new URL('../system.ts', import.meta.url).href)}
    const { value: listen } = systemCalls().networkNews
    const listener = { news() {}, failed(reason) { throw reason } }
    const count = () => readdirSync('/proc/self/fd').length
    const ended = listen(listener)
    ended[Symbol.dispose]()
    await new Promise((resolve) => setImmediate(resolve))
    const before = count()
    for (let round = 0; round < 20; round++) {
      listen(listener)[Symbol.dispose]()
      await new Promise((resolve) => setImmediate(resolve))
    }
    listen(listener)
    console.log(count() - before)
  `
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(printed.trim(), '1')
})

test('the kernel tells of links, addresses and default routes', { skip: namespaces() }, () => {
  const program = `
    import { execFileSync } from 'node:child_process'
    import { systemCalls } from ${JSON.stringify(new URL('../system.ts', import.meta.url).href)}
    const ip = (line) => execFileSync('ip', line.split(' '))
    const steps = [
      [['link add lull0 type veth peer name lull1'], 'addresses'],
      [['link set lull1 up', 'link set lull0 up', 'address add 10.99.0.1/24 dev lull0'], 'addresses'],
      [['route add default via 10.99.0.2'], 'defaultRoute true'],
      [['route delete default'], 'defaultRoute false'],
      [['link set lull1 down'], 'addresses'],
    ]
    let awaited = 'acknowledged'
    const { value: listen } = systemCalls().networkNews
    listen({
      news({ kind, isThere }) {
        const told = isThere === undefined ? kind : kind + ' ' + isThere
        if (told !== awaited) return
        console.log(told)
        const [commands, next] = steps.shift() ?? process.exit()
        awaited = next
        commands.forEach(ip)
      },
      failed(reason) { throw reason },
    })
    setTimeout(() => undefined, 60_000)
  `
  const args = ['--net', process.execPath, '--input-type=module', '-e', program]
  const printed = execFileSync('unshare', args, { encoding: 'utf8', timeout: 60_000 })
  assert.deepEqual(printed.trim().split('\n'), [
    'acknowledged',
    'addresses',
    'addresses',
    'defaultRoute true',
    'defaultRoute false',
    'addresses',
  ])
})

const descriptors: ForeignFunctions = {
  socket: () => 5,
  bind: () => 0,
  send: () => 16,
  pipe2: () => 0,
  dup3: () => 6,
  close: () => 0,
}

const refusals = [
  ['socket', EPROTONOSUPPORT, 'EPROTONOSUPPORT'],
  ['bind', EACCES, 'EACCES'],
  ['pipe2', EMFILE, 'EMFILE'],
] as const

for (const [call, errno, code] of refusals) {
  test(`listening says why when ${call} is refused, and closes what it opened`, () => {
    const closed: unknown[] = []
    const close = (fd: unknown): number => closed.push(fd) && 0
    const library = foreignLibrary({ ...descriptors, close, [call]: () => -errno })
    const listen = take(openRouteListener(library))
    const listener = { news: () => undefined, failed: () => undefined }
    assert.throws(() => listen(listener), { code, syscall: call })
    assert.deepEqual(closed, call === 'socket' ? [] : [5])
  })
}

test('a C library without one of the calls cannot listen, and says which', () => {
  const { dup3: _, ...rest } = descriptors
  assert.deepEqual(openLinux(foreignLibrary(rest), '6.8.0').networkNews, {
    kind: 'missing',
    reason: 'libtest.so has no dup3',
  })
})
