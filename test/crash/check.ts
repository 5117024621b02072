/** What has to hold when a round is over. */

import { existsSync } from 'node:fs'
import { defaultSettings } from '../../src/engine/settings.ts'
import type { LoggedRequest } from '../lab/exchange.ts'
import { partialsIn, until } from '../lab/lull.ts'
import type { RoundFacts, RoundFile, RoundJob, Testimony } from './round.ts'

const { everyMs, bytes: everyBytes } = defaultSettings.checkpoint

/** What a checkpoint may take on a busy disk, on top of the time between two of them. */
const SYNC_GRACE_MS = 2_000

/** What is on its way through sockets when a process dies. */
const IN_FLIGHT_BYTES = 64 * 1024

/** Requests for one file in one turn of its job: those after its restarts, and what connections that fail make of them. */
const REQUESTS_PER_TURN = 8

/** What the checks found. */
export interface Findings {
  readonly violations: readonly string[]
  readonly askedAgain: AskedAgain
}

/** What one interruption cost one file at the most. */
export interface AskedAgain {
  readonly bytes: number
  /** Of a file that came at a steady pace: for how long these bytes had been coming. */
  readonly ms: number
}

/** Checks one round. */
export async function checkRound(facts: RoundFacts): Promise<Findings> {
  const { jobs, server, target, testimonies, kills } = facts
  // Whoever starts again may take the turn of another.
  const interruptions = jobs.reduce((sum, { starts }) => sum + starts, kills)
  const violations: string[] = []
  let askedAgain: AskedAgain = { bytes: 0, ms: 0 }
  for (const job of jobs) {
    violations.push(...checkFate(job))
    for (const file of job.files) {
      const log = server.requests(file.url)
      violations.push(...checkContent(facts, job, file), ...checkPatience(file, log, interruptions))
      if (!file.isResumable || file.isChanged) continue
      const again = mostAgain(log)
      askedAgain = mostOf(askedAgain, again, file)
      const limit = againLimit(file)
      if (again > limit) {
        violations.push(
          `${again} bytes of ${file.url} were asked for again, ${limit} are one checkpoint`,
        )
      }
    }
  }
  const files = new Map(jobs.flatMap(({ files }) => files.map((file) => [file.url, file])))
  for (const said of testimonies)
    violations.push(...checkTestimony(facts, said, files.get(said.url)))
  violations.push(...(await checkLeftovers(target)))
  return { violations, askedAgain }
}

/** No job that was acknowledged is lost, and each ends as its owner wanted. */
function checkFate({ plan, id, view }: RoundJob): readonly string[] {
  if (id === undefined) return [`${plan.name} was never made`]
  if (view === undefined) return [`${plan.name} (${id}) is lost`]
  const { state, partial } = view
  if (state === 'ACKNOWLEDGED' && !partial) return []
  if (state === 'CANCELLED' && plan.whim.kind === 'cancel') return []
  return [`${plan.name} (${id}) ended as ${state}${partial ? ', incomplete' : ''}`]
}

/** What has a name is one version, whole. */
function checkContent(
  { server }: RoundFacts,
  { view }: RoundJob,
  { url, localName }: RoundFile,
): readonly string[] {
  if (!existsSync(localName)) {
    return view?.state === 'ACKNOWLEDGED' ? [`${localName} is missing`] : []
  }
  const { versions } = server.resource(url)
  const differences = versions.map((content) => content.firstDifference(localName))
  if (differences.includes(undefined)) return []
  return [`${localName} of ${url} is wrong, from the offsets ${differences.join(', ')}`]
}

/** Nobody asks for ever. */
function checkPatience(
  { url, options }: RoundFile,
  log: readonly LoggedRequest[],
  interruptions: number,
): readonly string[] {
  const parts = typeof options['part'] === 'number' ? Math.ceil(options.size / options['part']) : 0
  const limit = (1 + interruptions) * (REQUESTS_PER_TURN + parts)
  return log.length > limit ? [`${url} was asked for ${log.length} times`] : []
}

/** How far a request begins before the end of what the one before it had brought. */
function mostAgain(log: readonly LoggedRequest[]): number {
  let most = 0
  let reached = 0
  for (const { from, sent } of log) {
    if (sent > 0) most = Math.max(most, reached - from)
    reached = Math.max(reached, from + sent)
  }
  return most
}

function mostOf(most: AskedAgain, bytes: number, { options: { rate } }: RoundFile): AskedAgain {
  const ms = rate === undefined ? 0 : (bytes / rate) * 1_000
  return { bytes: Math.max(most.bytes, bytes), ms: Math.max(most.ms, ms) }
}

function againLimit({ options: { rate, size } }: RoundFile): number {
  if (rate === undefined) return everyBytes
  const perInterval = (rate * (everyMs + SYNC_GRACE_MS)) / 1_000
  return Math.min(size, perInterval + IN_FLIGHT_BYTES)
}

/** What was said to be on disk is never asked for again. */
function checkTestimony(
  { server }: RoundFacts,
  { url, durable, transferred, requests }: Testimony,
  file: RoundFile | undefined,
): readonly string[] {
  const later = server.requests(url).slice(requests)
  if (transferred) {
    return later.length === 0 ? [] : [`${url} was asked for again though it was transferred`]
  }
  if (file?.isResumable !== true || file.isChanged) return []
  const early = later.find(({ from, sent }) => sent > 0 && from < durable)
  if (early === undefined) return []
  return [`${url} was asked for from ${early.from} on though ${durable} bytes were on disk`]
}

/** Nothing partial outlives its job. What a cancelled job left is deleted when its service runs again. */
async function checkLeftovers(target: string): Promise<readonly string[]> {
  if (partialsIn(target).length === 0) return []
  try {
    await until(() => partialsIn(target).length === 0, 'partial files are deleted')
    return []
  } catch {
    return partialsIn(target).map((name) => `${name} is left behind`)
  }
}
