/** A queue of very many jobs: adding, paging, restarting, listing. */

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { measure, median, residentMiB } from './measure.ts'
import { lull, run, type BenchService } from './service.ts'
import { BackgroundCopyManager, type CreateParams } from '../dist/index.js'

const BATCH = 1_000
const SINGLE_ADDS = 200
const PAGES = 50
const LISTINGS = 9

/** Fills a queue with `jobs` jobs that wait, and prints what each thing costs. */
export async function benchQueue(
  service: BenchService,
  jobs: number,
  folder: string,
): Promise<void> {
  const rows: (readonly [string, string])[] = []
  const { manager } = service
  // A job whose server never answers keeps its turn, and every other one in the queue.
  await using silent = await startSilentServer()
  await manager.createJobs([{ ...job(-1, folder, silent.port), stallTimeout: 86_400 }])
  const began = performance.now()
  for (let from = 0; from < jobs; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, jobs - from) }, (_, index) =>
      job(from + index, folder, silent.port),
    )
    await manager.createJobs(batch)
  }
  rows.push([
    `${jobs} durable adds in batches of ${BATCH}`,
    `${((jobs * 1000) / (performance.now() - began)).toFixed(0)} per second`,
  ])
  const alone: number[] = []
  for (let index = 0; index < SINGLE_ADDS; index++) {
    const at = performance.now()
    await manager.createJobs([job(jobs + index, folder, silent.port)])
    alone.push(performance.now() - at)
  }
  rows.push(['one durable add alone', `${median(alone).toFixed(2)} ms median`])
  rows.push([
    `a page of ${BATCH} jobs`,
    `${median(await pageTimes(manager)).toFixed(2)} ms median, over the socket, parsed`,
  ])
  rows.push(['resident memory of the service', `${residentMiB(service.pid).toFixed(0)} MiB`])
  const listings: number[] = []
  for (let index = 0; index < LISTINGS; index++) {
    listings.push(
      (await measure(process.execPath, [lull, 'jobs'], { env: service.env })).wallS * 1000,
    )
  }
  rows.push(['lull jobs (shows 1000)', `${median(listings).toFixed(0)} ms median wall`])
  await run(process.execPath, [lull, 'stop'], service.env)
  const restarts: number[] = []
  for (let index = 0; index < 3; index++) {
    const at = performance.now()
    spawnSync(process.execPath, [lull, 'jobs', '-n', '1'], {
      env: { ...process.env, ...service.env },
    })
    restarts.push(performance.now() - at)
    if (index < 2) await run(process.execPath, [lull, 'stop'], service.env)
  }
  rows.push([
    'restart until the first answer',
    `${median(restarts).toFixed(0)} ms median wall, with the command`,
  ])
  const restarted = await BackgroundCopyManager.connect({ home: service.home })
  rows.push([
    'resident memory after the restart',
    `${residentMiB((await restarted.getStatus()).pid).toFixed(0)} MiB`,
  ])
  process.stdout.write(`\n### ${jobs} queued jobs\n\n| | |\n|---|---|\n`)
  for (const [what, figure] of rows) process.stdout.write(`| ${what} | ${figure} |\n`)
}

function job(index: number, folder: string, port: number): CreateParams {
  return {
    displayName: `job ${index}`,
    files: [
      {
        remoteName: `http://127.0.0.1:${port}/file/${index}`,
        localName: join(folder, `never-${index}`),
      },
    ],
    resume: true,
  }
}

/** Takes connections and says nothing. */
async function startSilentServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function pageTimes(manager: BackgroundCopyManager): Promise<readonly number[]> {
  const times: number[] = []
  const jobs = manager.enumJobs()
  let seen = 0
  let at = performance.now()
  for await (const _ of jobs) {
    seen++
    // The first job of a page comes with the page.
    if (seen % BATCH !== 1) {
      if (seen % BATCH === 0) at = performance.now()
      continue
    }
    times.push(performance.now() - at)
    if (times.length >= PAGES) break
  }
  return times
}
