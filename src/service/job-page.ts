/** One page of jobs, as bytes: the longest answer that is asked for often. */

import type { Caller } from '../engine/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { JobQuery } from '../engine/ports/job-store.ts'
import type { Job } from '../job/job.ts'
import type { JobView } from '../rpc/contract.ts'
import { encodeAll, encodeItems, EncodedJson } from '../rpc/encoded-json.ts'

/** Jobs that are in memory at once. */
const PORTION = 128

/** Reads a page portion by portion; nothing else happens meanwhile. @returns a `JobPage` */
export function jobPage(
  engine: Engine,
  caller: Caller,
  query: JobQuery,
  show: (job: Job) => JobView,
): EncodedJson {
  const parts: (string | Uint8Array)[] = []
  let last = query.after ?? 0
  let left = query.limit
  for (;;) {
    const limit = Math.min(PORTION, left)
    const jobs = engine.list(caller, { ...query, after: last, limit })
    last = jobs.at(-1)?.sequence ?? last
    left -= jobs.length
    if (jobs.length > 0) parts.push(parts.length === 0 ? '' : ',', encodeItems(jobs.map(show)))
    if (jobs.length < limit || left === 0) break
  }
  const hasMore = left === 0 && engine.list(caller, { ...query, after: last, limit: 1 }).length > 0
  return new EncodedJson(encodeAll(['{"jobs":[', ...parts, `],"next":${hasMore ? last : 'null'}}`]))
}
