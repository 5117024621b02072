/** What making progress durable costs: the same large file with checkpoints and without, in turns. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { measure, median, type Cost } from './measure.ts'
import type { Origin } from './origin.ts'
import { lull, startService, type BenchService } from './service.ts'

/** A service that never makes a checkpoint before the end of a file this size. */
const NEVER = { checkpointSeconds: 86_400, checkpointMiB: 1_048_576 }

/** Rounds for each one that is asked for: the difference is small beside what a shared machine does meanwhile. */
const ROUNDS_EACH = 4

/** What one way of making checkpoints has cost, round by round. */
interface Runs {
  readonly wallS: number[]
  readonly cpuS: number[]
}

/** Downloads the large file `rounds` times four each way into `folder`, and prints the medians. */
export async function benchCheckpoints(
  origin: Origin,
  folder: string,
  homes: string,
  rounds: number,
): Promise<void> {
  await using often = await startService(homes)
  await using never = await startService(homes, NEVER)
  const sides: readonly (readonly [BenchService, Runs])[] = [
    [often, { wallS: [], cpuS: [] }],
    [never, { wallS: [], cpuS: [] }],
  ]
  for (let round = -1; round < rounds * ROUNDS_EACH; round++) {
    // Who comes second finds the caches warm: each does so every other time.
    for (const [service, runs] of round % 2 === 0 ? sides : sides.toReversed()) {
      const { wallS, cpuS } = await download(origin, folder, service)
      if (round < 0) continue
      runs.wallS.push(wallS)
      runs.cpuS.push(cpuS)
    }
  }
  const [withThem, without] = sides.map(([, runs]) => runs)
  if (withThem !== undefined && without !== undefined) print(folder, withThem, without)
}

async function download(origin: Origin, folder: string, service: BenchService): Promise<Cost> {
  const target = mkdtempSync(join(folder, 'lull-bench-target-'))
  const args = [lull, 'get', '--quiet', `${origin.http}/large`, '-o', join(target, 'large')]
  const cost = await measure(process.execPath, args, { helpers: [service.pid], env: service.env })
  rmSync(target, { recursive: true })
  return cost
}

function print(folder: string, withThem: Runs, without: Runs): void {
  const row = (name: string, { wallS, cpuS }: Runs): string =>
    `| ${name} | ${median(wallS).toFixed(3)} | ${median(cpuS).toFixed(3)} |\n`
  process.stdout.write(
    `\n### checkpoints, one large file into ${folder} (medians of ${withThem.wallS.length} rounds)\n\n` +
      `| | wall s | CPU s |\n|---|---|---|\n` +
      row('every second or 64 MiB', withThem) +
      row('only at the end', without) +
      `| ratio, pair by pair | ${ratio(withThem.wallS, without.wallS)} | ${ratio(withThem.cpuS, without.cpuS)} |\n`,
  )
}

/** The median of the ratios pair by pair, and between what half of them lie. */
function ratio(ones: readonly number[], others: readonly number[]): string {
  const ratios = ones.map((one, index) => one / (others[index] ?? one)).toSorted((a, b) => a - b)
  const at = (part: number): string =>
    (ratios[Math.round(part * (ratios.length - 1))] ?? Number.NaN).toFixed(3)
  return `${median(ratios).toFixed(3)} (half of them ${at(0.25)} to ${at(0.75)})`
}
