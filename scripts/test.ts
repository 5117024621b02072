/**
 * `npm test`: the whole suite. Builds, installs what the tests need where it may, runs the checks and every test, and
 * closes with one counted line. Says which tests were left out, and why.
 *
 * Arguments are paths or globs of test files to run instead of all.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { apacheNeeds } from '../test/lab/apache.ts'
import { missingPackages, type Needs } from '../test/lab/installed.ts'
import { kdcNeeds, skewNeeds } from '../test/lab/kdc.ts'
import { networkManagerNeeds } from '../test/lab/network-manager.ts'
import { winbindNeeds } from '../test/lab/samba.ts'
import { shellNeeds } from '../test/lab/shells.ts'
import { squidNeeds } from '../test/lab/squid.ts'
import { zooNeeds } from '../test/lab/zoo.ts'

const root = join(import.meta.dirname, '..')

/** What tests start, and Debian's packages that bring it. */
const needs: Needs = {
  nginx: 'nginx-light',
  curl: 'curl',
  aria2c: 'aria2',
  openssl: 'openssl',
  dnsmasq: 'dnsmasq-base',
  ip: 'iproute2',
  ...kdcNeeds,
  ...skewNeeds,
  ...apacheNeeds,
  ...squidNeeds,
  ...winbindNeeds,
  ...networkManagerNeeds,
  ...zooNeeds,
  ...shellNeeds,
}

/** Every test file may run this long. */
const FILE_TIMEOUT_MS = 600_000

process.chdir(root)
process.env['PATH'] = [
  join(root, 'node_modules', '.bin'),
  process.env['PATH'],
  '/usr/sbin',
  '/sbin',
].join(delimiter)

installPrograms()
command('Building', 'tsc', ['-b', 'tsconfig.node.json'])
const files = process.argv.slice(2)
if (files.length === 0) command('Checking', 'npm', ['run', '--silent', 'check'])
await runTests(files.length === 0 ? ['src/**/*.test.ts', 'test/**/*.test.ts'] : files)

function installPrograms(): void {
  const packages = missingPackages(needs)
  if (packages.length === 0) return
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    say(`Not installed here: ${packages.join(', ')}. Tests that need them are left out and say so.`)
    return
  }
  say(`Installing ${packages.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  const { status } = spawnSync('apt-get', install, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) say('Not all could be installed. Tests that need them are left out and say so.')
}

function command(what: string, program: string, args: readonly string[]): void {
  say(what)
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  say(`${what} failed`)
  process.stdout.write('0 passed, 1 failed\n')
  process.exit(1)
}

async function runTests(patterns: readonly string[]): Promise<void> {
  const paths = patterns.flatMap((pattern) => globSync(pattern)).toSorted()
  say(`Running ${paths.length} test files`)
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const left: string[] = []
  const stream = run({ files: paths, concurrency: 2, timeout: FILE_TIMEOUT_MS })
  stream.on('test:pass', ({ name, skip, details, file }) => {
    if (isFile(name, file)) return
    const isLeftOut = skip !== undefined && skip !== false
    // Of a suite that is left out nothing is told but that.
    if (isLeftOut) {
      counts.skipped++
      left.push(typeof skip === 'string' ? `${name}: ${skip}` : name)
    } else if (details.type !== 'suite') counts.passed++
  })
  stream.on('test:fail', ({ details, name, file }) => {
    if (details.type === 'suite' && !isFile(name, file)) return
    counts.failed++
  })
  const report = stream.compose(spec)
  report.pipe(process.stdout)
  await new Promise((resolve) => report.once('end', resolve))
  for (const reason of left) say(`Left out: ${reason}`)
  process.stdout.write(
    `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
  )
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
}

/** Whether a result is a whole file's and not a test's. */
function isFile(name: string, file: string | undefined): boolean {
  return file !== undefined && (name === file || file.endsWith(name))
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
