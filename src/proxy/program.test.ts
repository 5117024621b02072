import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostPrograms } from './program.ts'

const node = process.execPath

test('a program is given its arguments as they stand: there is no shell', async () => {
  const programs = hostPrograms({})
  const script = 'process.stdout.write(process.argv[1])'
  assert.deepEqual(await programs.run(node, ['-e', script, '$(id); `id` "']), {
    kind: 'said',
    text: '$(id); `id` "',
  })
})

test('a program is given the environment of the person and no other', async () => {
  process.env['LULL_TEST_OF_PROGRAMS'] = 'ours'
  const programs = hostPrograms({ THEIRS: 'theirs' })
  const script =
    'process.stdout.write(`${process.env.THEIRS} ${process.env.LULL_TEST_OF_PROGRAMS}`)'
  assert.deepEqual(await programs.run(node, ['-e', script]), {
    kind: 'said',
    text: 'theirs undefined',
  })
  delete process.env['LULL_TEST_OF_PROGRAMS']
})

for (const [what, program, script, reason] of [
  ['is missing', 'lull-no-such-program', '', /is not installed$/u],
  ['fails', node, 'process.exit(3)', /ended with 3$/u],
  ['does not end', node, 'setInterval(() => {}, 1000)', /did not answer in time$/u],
  ['says too much', node, 'process.stdout.write("x".repeat(1 << 20))', /said too much$/u],
] as const) {
  test(`a program that ${what} gives a reason and nothing it wrote`, async () => {
    const limitMs = what === 'does not end' ? 100 : undefined
    const output = await hostPrograms({}, limitMs).run(program, ['-e', script])
    assert(output.kind === 'failed')
    assert.match(output.reason, reason)
  })
}
