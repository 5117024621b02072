/** What an administrator reads when a job stands still because nobody could prove who is asking (A142). */

import type { Failure } from '../job/failure.ts'
import type { Job } from '../job/job.ts'
import type { Core } from './core.ts'

/** Who asks, by the code of the failure. */
const challengers: Readonly<Record<string, string>> = {
  BG_E_HTTP_ERROR_401: 'server',
  BG_E_HTTP_ERROR_407: 'proxy',
}

/** Writes the record, if the failure is one of that kind. Neither names nor schemes stand in it, and no query of a URL. */
export function logChallenge({ world, store }: Core, job: Job, { symbol, file }: Failure): void {
  const challenger = challengers[symbol]
  if (challenger === undefined) return
  const remoteName = file === undefined ? undefined : store.findFile(job.id, file)?.remoteName
  world.log.write('warn', 'Credentials are missing or were refused', {
    challenger,
    job: job.id,
    owner: job.owner.name,
    ...(remoteName === undefined ? {} : { url: remoteName.replace(/[?#].*$/su, '') }),
    remedy: `set credentials for the ${challenger} as the job's owner and resume it`,
  })
}
