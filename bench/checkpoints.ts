/** What making progress durable costs: the same large file with checkpoints and without, in turns. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { measure, median } from './measure.ts'
import type { Origin } from './origin.ts'
import { lull, startService } from './service.ts'

/** A service that never makes a checkpoint before the end of a file this size. */
const NEVER = { checkpointSeconds: 86_400, checkpointMiB: 1_048_576 }

/** Downloads the large file `rounds` times each way into `folder`, and prints the medians. */
export async function benchCheckpoints(
  origin: Origin,
  folder: string,
  homes: string,
  rounds: number,
): Promise<void> {
  await using often = await startService(homes)
  await using never = await startService(homes, NEVER)
  const times = { often: [] as number[], never: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    for (const [name, service] of Object.entries({ often, never })) {
      const target = mkdtempSync(join(folder, 'lull-bench-target-'))
      const args = [lull, 'get', '--quiet', `${origin.http}/large`, '-o', join(target, 'large')]
      const options = { helpers: [service.pid], env: service.env }
      const { wallS } = await measure(process.execPath, args, options)
      rmSync(target, { recursive: true })
      if (round >= 0) times[name === 'often' ? 'often' : 'never'].push(wallS)
    }
  }
  const ratio = median(times.often.map((wallS, index) => wallS / (times.never[index] ?? wallS)))
  process.stdout.write(
    `\n### checkpoints, one large file into ${folder} (medians of ${rounds} rounds)\n\n| | wall s |\n|---|---|\n` +
      `| every second or 64 MiB | ${median(times.often).toFixed(3)} |\n` +
      `| only at the end | ${median(times.never).toFixed(3)} |\n` +
      `| ratio, pair by pair | ${ratio.toFixed(3)} |\n`,
  )
}
