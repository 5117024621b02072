/**
 * What making progress durable costs: the same large file with checkpoints and without, pair by pair; and how many
 * checkpoints there are in a download, and what each of them takes.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommits, measureSyncs, type PartCost } from './checkpoint-parts.ts'
import { measure, median, threadsCpuS } from './measure.ts'
import type { Origin } from './origin.ts'
import { formatPairedRatio, pairedRatio } from './paired.ts'
import { lull, startService, type BenchService } from './service.ts'

/** A service that never makes a checkpoint before the end of a file this size. */
const NEVER = { checkpointSeconds: 86_400, checkpointMiB: 1_048_576 }

/** Pairs with the same two services, and before that as many that do not count. */
const PAIRS = 8
const WARM_UP = 1

/** What one way of making checkpoints has cost, run by run. */
interface Runs {
  readonly wallS: number[]
  readonly cpuS: number[]
}

/**
 * Downloads the large file into `folder`, with and without checkpoints, in `rounds` times eight pairs.
 *
 * Every round has two services of its own: one that happens to be slower is so in everything it does.
 */
export async function benchCheckpoints(
  origin: Origin,
  folder: string,
  homes: string,
  rounds: number,
): Promise<void> {
  const withThem: Runs = { wallS: [], cpuS: [] }
  const without: Runs = { wallS: [], cpuS: [] }
  for (let round = 0; round < rounds; round++) {
    await using often = await startService(homes)
    await using never = await startService(homes, NEVER)
    for (let pair = -WARM_UP; pair < PAIRS; pair++) {
      const sides = [
        [often, withThem],
        [never, without],
      ] as const
      // Who comes second finds the caches warm: each does so every other time.
      for (const [service, runs] of (round + pair) % 2 === 0 ? sides : sides.toReversed()) {
        const { wallS, cpuS } = await download(origin, folder, service)
        if (pair < 0) continue
        runs.wallS.push(wallS)
        runs.cpuS.push(cpuS)
      }
    }
  }
  printRuns(folder, withThem, without)
  await using service = await startService(homes)
  const count = await countCheckpoints(origin, folder, service)
  await printParts(folder, homes, count, median(withThem.wallS))
}

/** Wall time of the command, processor time of the service. */
async function download(
  origin: Origin,
  folder: string,
  service: BenchService,
): Promise<{ readonly wallS: number; readonly cpuS: number }> {
  const target = mkdtempSync(join(folder, 'lull-bench-target-'))
  const args = [lull, 'get', '--quiet', `${origin.http}/large`, '-o', join(target, 'large')]
  const before = threadsCpuS(service.pid)
  const { wallS } = await measure(process.execPath, args, { env: service.env })
  const cpuS = threadsCpuS(service.pid) - before
  rmSync(target, { recursive: true })
  return { wallS, cpuS }
}

function printRuns(folder: string, withThem: Runs, without: Runs): void {
  const row = (name: string, { wallS, cpuS }: Runs): string =>
    `| ${name} | ${median(wallS).toFixed(3)} | ${median(cpuS).toFixed(3)} |\n`
  const ratios = (['wallS', 'cpuS'] as const).map((what) =>
    formatPairedRatio(pairedRatio(withThem[what], without[what])),
  )
  process.stdout.write(
    `\n### checkpoints, one large file into ${folder} (medians of ${withThem.wallS.length} pairs)\n\n` +
      `| | wall s | CPU s of the service |\n|---|---|---|\n` +
      row('every second or 64 MiB', withThem) +
      row('only at the end', without) +
      `| ratio, with its interval of 95 % | ${ratios.join(' | ')} |\n`,
  )
}

/** How often a download is told to have more on disk than before. */
async function countCheckpoints(
  origin: Origin,
  folder: string,
  { manager }: BenchService,
): Promise<number> {
  const target = mkdtempSync(join(folder, 'lull-bench-target-'))
  const job = await manager.createJob('counted', { priority: 'foreground', completesItself: true })
  await job.addFile(`${origin.http}/large`, join(target, 'large'))
  let count = 0
  let durable = 0
  const events = job.watch()
  await job.resume()
  for await (const event of events) {
    if (event.kind !== 'job') continue
    if (event.job.state === 'ACKNOWLEDGED') break
    if (event.job.bytesTransferred > durable) count++
    durable = event.job.bytesTransferred
  }
  rmSync(target, { recursive: true })
  return count
}

async function printParts(
  folder: string,
  homes: string,
  count: number,
  wallS: number,
): Promise<void> {
  const row = (name: string, { wallMs, cpuMs }: PartCost): string => {
    const share = ((cpuMs * count) / (wallS * 10)).toFixed(2)
    return `| ${name} | ${wallMs.toFixed(3)} | ${cpuMs.toFixed(3)} | ${share} % |\n`
  }
  process.stdout.write(
    `\n| one checkpoint | wall ms | CPU ms | CPU of all ${count}, of the ${wallS.toFixed(3)} s |\n|---|---|---|---|\n` +
      row(`sync of 64 MiB in ${folder}, while bytes go on coming`, await measureSyncs(folder)) +
      row(`commit in ${homes}, on a thread that moves no bytes`, await measureCommits(homes)),
  )
}
