/** What may be set of a job when it is made, and changed later. */

import { JobError } from '../job/failure.ts'
import type {
  Headers,
  Job,
  Patience,
  Priority,
  TransferOptions,
  TransferSettings,
} from '../job/job.ts'
import { checkHeader, DESCRIPTION_LIMIT, DISPLAY_NAME_LIMIT, HEADERS_LIMIT } from '../job/names.ts'
import { checkPinnedKeys } from '../job/pinned-keys.ts'
import { RETRY_DELAY_FLOOR_S } from '../job/retry.ts'

/** Properties to change; absent ones stay. */
export interface JobChanges {
  readonly displayName?: string
  readonly description?: string
  readonly priority?: Priority
  readonly patience?: Partial<Patience>
  readonly transfer?: Partial<TransferOptions>
  readonly completesItself?: boolean
}

/**
 * Refuses what no job may have.
 *
 * @throws {JobError} `E_INVALIDARG`, `BG_E_STRING_TOO_LONG` (bits-jobs.md §6.4, §14.2), and as `checkHeader` and
 *   `checkPinnedKeys`
 */
export function checkChanges({ displayName, description, patience, transfer }: JobChanges): void {
  if (displayName !== undefined && displayName.length > DISPLAY_NAME_LIMIT) {
    throw new JobError(
      'E_INVALIDARG',
      `Cannot use this display name: it has ${displayName.length} characters, ${DISPLAY_NAME_LIMIT} is the most`,
    )
  }
  if (description !== undefined && description.length > DESCRIPTION_LIMIT) {
    throw new JobError(
      'BG_E_STRING_TOO_LONG',
      `Cannot use this description: it has ${description.length} characters, ${DESCRIPTION_LIMIT} is the most`,
    )
  }
  for (const [name, value] of Object.entries(patience ?? {})) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new JobError(
        'E_INVALIDARG',
        `Cannot set ${name} to ${value}: it takes a whole number, 0 or more`,
      )
    }
  }
  if (patience?.stallTimeoutMs === 0) {
    throw new JobError(
      'E_INVALIDARG',
      'Cannot set the stall timeout to 0: no connection would ever be given time',
    )
  }
  checkHeaders(transfer?.headers ?? [])
  checkPinnedKeys(transfer?.pinnedKeys ?? [])
}

function checkHeaders(headers: Headers): void {
  let length = 0
  for (const [name, value] of headers) {
    checkHeader(name, value)
    length += name.length + value.length + ': \r\n'.length
  }
  if (length >= HEADERS_LIMIT) {
    throw new JobError(
      'BG_E_STRING_TOO_LONG',
      `Cannot use these headers: they have ${length} characters together, ${HEADERS_LIMIT - 1} is the most`,
    )
  }
}

/** The job with them, but for its headers, which are kept elsewhere: sealed. */
export function withChanges<Some extends Omit<Job, 'sequence'>>(
  job: Some,
  changes: JobChanges,
): Some {
  const { displayName, description, priority, completesItself } = changes
  const patience = { ...job.patience, ...changes.patience }
  return {
    ...job,
    displayName: displayName ?? job.displayName,
    description: description ?? job.description,
    priority: priority ?? job.priority,
    completesItself: completesItself ?? job.completesItself,
    patience: {
      ...patience,
      minimumRetryDelayS: Math.max(RETRY_DELAY_FLOOR_S, patience.minimumRetryDelayS),
    },
    transfer: { ...job.transfer, ...withoutHeaders(changes.transfer) },
  }
}

function withoutHeaders(changes: Partial<TransferOptions> = {}): Partial<TransferSettings> {
  const { headers: _, ...settings } = changes
  return settings
}

/** Whether servers have to pass the same checks. */
export function isCheckedAlike(before: TransferSettings, after: TransferSettings): boolean {
  const [checks, others] = [before, after].map(({ securityFlags = 0, pinnedKeys = [], caFile }) =>
    JSON.stringify([securityFlags, pinnedKeys, caFile]),
  )
  return checks === others
}
