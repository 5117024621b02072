/**
 * `npm run bench`: Lull beside curl, wget2 and aria2c on the same work, in turns, against nginx on loopback; then the
 * memory of the service and a queue of very many jobs. Prints Markdown tables.
 *
 *   --rounds N     counted rounds (default 5)
 *   --dir FOLDER   where files are put (default /dev/shm, where the disk does not decide)
 *   --sync         sync the others' files too, as Lull's always are; for a --dir on a disk
 *   --large N      MiB of the large file (default 1024)
 *   --small N      number of small files (default 10000)
 *   --proof N      small files behind authentication (default 10000; 0 leaves them out)
 *   --jobs N       jobs of the queue (default 100000; 0 leaves it out)
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { benchAuthenticated } from './authenticated.ts'
import { benchCheckpoints } from './checkpoints.ts'
import { benchDownloads } from './downloads.ts'
import { cpuOf, residentMiB } from './measure.ts'
import { startOrigin } from './origin.ts'
import { benchQueue } from './queue.ts'
import { startService } from './service.ts'

const MEBIBYTE = 1024 * 1024
const IDLE_MS = 5_000

/** Longer than a carrier without work is kept, and what it had after that. */
const SETTLE_MS = 23_000

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
    sync: { type: 'boolean', default: false },
    large: { type: 'string', default: '1024' },
    small: { type: 'string', default: '10000' },
    proof: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: '100000' },
  },
})

process.stdout.write(`${machine()}\nFiles are put in ${values.dir}.\n`)
const content = {
  largeBytes: Number(values.large) * MEBIBYTE,
  smallFiles: Number(values.small),
  smallBytes: 20_480,
}
{
  await using origin = await startOrigin(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), content)
  await using service = await startService(tmpdir())
  await idle(service.pid, 'before the first job')
  await benchDownloads({
    origin,
    service,
    content,
    folder: values.dir,
    rounds: Number(values.rounds),
    syncOthers: values.sync,
  })
  await idle(service.pid, 'after all of them')
  await benchCheckpoints(origin, values.dir, tmpdir(), Number(values.rounds))
}
if (Number(values.proof) > 0) {
  await benchAuthenticated({
    files: Number(values.proof),
    rounds: Number(values.rounds),
    folder: values.dir,
    parent: tmpdir(),
  })
}
if (Number(values.jobs) > 0) {
  await using service = await startService(tmpdir())
  await benchQueue(service, Number(values.jobs), tmpdir())
}

async function idle(pid: number, when: string): Promise<void> {
  await delay(SETTLE_MS)
  const before = cpuOf(pid)
  await delay(IDLE_MS)
  const cpu = cpuOf(pid) - before
  process.stdout.write(
    `\nThe idle service ${when}: ${residentMiB(pid).toFixed(0)} MiB resident, ${cpu.toFixed(2)} s of CPU in ${IDLE_MS / 1000} s\n`,
  )
}

function machine(): string {
  const [cpu] = cpus()
  const versions = ['curl', 'wget2', 'aria2c', 'nginx'].map((program) => {
    const { stdout, stderr } = spawnSync(program, [program === 'nginx' ? '-v' : '--version'], {
      encoding: 'utf8',
    })
    return (stdout || stderr || `${program} missing`).split('\n')[0] ?? ''
  })
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, Linux ${release()}, Node ${process.versions.node}; ${versions.join('; ')}`
}
