/** Lull, curl, wget2 and aria2c on the same downloads, in turns. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure, median, type Cost } from './measure.ts'
import type { Content, Origin } from './origin.ts'
import { lull, type BenchService } from './service.ts'

/** One program on one piece of work. */
interface Contestant {
  readonly name: string
  readonly program: string
  readonly args: (folder: string) => readonly string[]
  readonly isLull?: boolean
}

/** A piece of work. */
interface Work {
  readonly title: string
  readonly bytes: number
  readonly files: number
  readonly contestants: readonly Contestant[]
}

/** What it runs on. */
export interface DownloadBench {
  readonly origin: Origin
  readonly service: BenchService
  readonly content: Content
  /** Where files are put. */
  readonly folder: string
  readonly rounds: number
  /** Whether the others' files are synced too before the clock stops, as Lull's always are. */
  readonly syncOthers: boolean
}

/** Runs every piece of work and prints a table for each. */
export async function benchDownloads(bench: DownloadBench): Promise<void> {
  for (const work of works(bench)) {
    const costs = new Map<string, Cost[]>()
    const present = work.contestants.filter(
      ({ program }) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
    )
    for (let round = -1; round < bench.rounds; round++) {
      for (const contestant of round % 2 === 0 ? present : present.toReversed()) {
        const cost = await runOne(contestant, work, bench)
        // The first round warms caches and is not counted.
        if (round >= 0) costs.set(contestant.name, [...(costs.get(contestant.name) ?? []), cost])
      }
    }
    print(work, costs, bench)
  }
}

async function runOne(
  contestant: Contestant,
  work: Work,
  { folder, service, syncOthers }: DownloadBench,
): Promise<Cost> {
  const target = mkdtempSync(join(folder, 'lull-bench-target-'))
  try {
    const isLull = contestant.isLull === true
    const cost = await measure(contestant.program, contestant.args(target), {
      ...(isLull ? { helpers: [service.pid], env: service.env } : {}),
      ...(!isLull && syncOthers
        ? { afterwards: () => void spawnSync('sync', ['-f', target]) }
        : {}),
    })
    const found = readdirSync(target).length
    if (found !== work.files)
      throw new Error(`${contestant.name} made ${found} files of ${work.files}`)
    return cost
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

function works({ origin, content, folder }: DownloadBench): readonly Work[] {
  const { largeBytes, smallFiles, smallBytes } = content
  const lists = makeLists(folder, origin, smallFiles)
  const cpu = ['--cacert', origin.ca]
  return [
    {
      title: 'one large file, http',
      bytes: largeBytes,
      files: 1,
      contestants: [
        getWithLull((to) => [`${origin.http}/large`, '-o', join(to, 'large')]),
        {
          name: 'curl',
          program: 'curl',
          args: (to) => ['-sSf', `${origin.http}/large`, '-o', join(to, 'large')],
        },
        {
          name: 'wget2',
          program: 'wget2',
          args: (to) => ['-q', `${origin.http}/large`, '-O', join(to, 'large')],
        },
        {
          name: 'aria2c',
          program: 'aria2c',
          args: (to) => ['-q', `${origin.http}/large`, '-d', to],
        },
      ],
    },
    {
      title: 'one large file, https',
      bytes: largeBytes,
      files: 1,
      contestants: [
        getWithLull((to) => [...cpu, `${origin.https}/large`, '-o', join(to, 'large')]),
        {
          name: 'curl',
          program: 'curl',
          args: (to) => [
            '-sSf',
            '--http1.1',
            ...cpu,
            `${origin.https}/large`,
            '-o',
            join(to, 'large'),
          ],
        },
        {
          name: 'wget2',
          program: 'wget2',
          args: (to) => [
            '-q',
            '--no-http2',
            `--ca-certificate=${origin.ca}`,
            `${origin.https}/large`,
            '-O',
            join(to, 'large'),
          ],
        },
        {
          name: 'aria2c',
          program: 'aria2c',
          args: (to) => ['-q', `--ca-certificate=${origin.ca}`, `${origin.https}/large`, '-d', to],
        },
      ],
    },
    {
      title: `${smallFiles} files of ${smallBytes} bytes, http, one job`,
      bytes: smallFiles * smallBytes,
      files: smallFiles,
      contestants: [
        getWithLull((to) => ['-i', lists.plain, '-d', to]),
        {
          name: 'curl -Z',
          program: 'curl',
          args: (to) => ['-sSf', '-Z', '--parallel-max', '6', '--output-dir', to, '-K', lists.curl],
        },
        {
          name: 'wget2',
          program: 'wget2',
          args: (to) => ['-q', '--max-threads=6', '-P', to, '-i', lists.plain],
        },
        {
          name: 'aria2c -j16',
          program: 'aria2c',
          args: (to) => ['-q', '-j16', '-d', to, '-i', lists.plain],
        },
      ],
    },
  ]
}

function getWithLull(args: (to: string) => readonly string[]): Contestant {
  return {
    name: 'lull',
    program: process.execPath,
    isLull: true,
    args: (to) => [lull, 'get', '--quiet', ...args(to)],
  }
}

function makeLists(
  folder: string,
  { http }: Origin,
  files: number,
): { readonly plain: string; readonly curl: string } {
  const lists = join(folder, `lull-bench-lists-${process.pid}`)
  mkdirSync(lists, { recursive: true })
  const urls = Array.from({ length: files }, (_, index) => `${http}/small/${index}`)
  const plain = join(lists, 'plain')
  const curl = join(lists, 'curl')
  writeFileSync(plain, urls.join('\n'))
  writeFileSync(curl, urls.map((url) => `url=${url}\nremote-name`).join('\n'))
  process.once('exit', () => rmSync(lists, { recursive: true, force: true }))
  return { plain, curl }
}

const MEBIBYTE = 1024 * 1024
const GIBIBYTE = 1024 * MEBIBYTE

function print(
  work: Work,
  costs: ReadonlyMap<string, readonly Cost[]>,
  { rounds, syncOthers }: DownloadBench,
): void {
  const note = syncOthers ? ', the others followed by sync' : ''
  process.stdout.write(`\n### ${work.title} (medians of ${rounds} rounds${note})\n\n`)
  process.stdout.write(
    '| program | wall s | MiB/s | files/s | CPU s | CPU s per GiB | peak MiB | of its service | throughput, × curl | CPU, × curl |\n',
  )
  process.stdout.write('|---|---|---|---|---|---|---|---|---|---|\n')
  const reference = [...costs].find(([name]) => name.startsWith('curl'))?.[1]
  for (const [name, runs] of costs) {
    const wall = median(runs.map(({ wallS }) => wallS))
    const cpu = median(runs.map(({ cpuS }) => cpuS))
    const peak = median(runs.map(({ peakMiB }) => peakMiB))
    const service = median(runs.map(({ helpersMiB }) => helpersMiB))
    // Pair by pair, so that a machine whose speed drifts does not decide.
    const faster = median(
      runs.map(({ wallS }, index) => (reference?.[index]?.wallS ?? Number.NaN) / wallS),
    )
    const costlier = median(
      runs.map(({ cpuS }, index) => cpuS / (reference?.[index]?.cpuS ?? Number.NaN)),
    )
    const cells = [
      name,
      wall.toFixed(3),
      (work.bytes / MEBIBYTE / wall).toFixed(0),
      (work.files / wall).toFixed(0),
      cpu.toFixed(2),
      (cpu / (work.bytes / GIBIBYTE)).toFixed(2),
      peak.toFixed(0),
      service > 0 ? service.toFixed(0) : '',
      faster.toFixed(2),
      costlier.toFixed(2),
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
}
