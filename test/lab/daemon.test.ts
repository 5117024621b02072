import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Daemon } from './daemon.ts'
import { isRunning, until } from './lull.ts'

const skip = process.platform === 'win32' ? 'daemons of the lab run where signals are' : false

const sleeping = { program: 'sleep', args: ['600'] } as const

test('a daemon is gone when it is disposed', { skip }, async () => {
  const daemon = await Daemon.start(sleeping, () => true)
  const pid = daemon.processId ?? 0
  assert(isRunning(pid))
  await daemon[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
  assert(!isRunning(pid))
})

const never = (): boolean => false

test('a daemon that does not begin tells why', { skip }, async () => {
  const failing = { program: 'sh', args: ['-c', 'echo no such realm >&2; exit 1'] }
  await assert.rejects(Daemon.start(failing, never), /it ended: no such realm/u)
  await assert.rejects(Daemon.start({ program: 'lull-no-such', args: [] }, never), /ENOENT/u)
})

test('a daemon does not outlive a test that is killed', { skip }, async () => {
  const script = `
    import { Daemon } from ${JSON.stringify(new URL('daemon.ts', import.meta.url).href)}
    const daemon = await Daemon.start(${JSON.stringify(sleeping)}, () => true)
    console.log(daemon.processId)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const pid = Number(line)
  assert(isRunning(pid))
  child.kill('SIGKILL')
  await until(() => !isRunning(pid), 'the daemon has ended')
})
