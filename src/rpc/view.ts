/** Jobs and files as clients see them. Pure. */

import { countBytes } from '../base/byte-range.ts'
import { formatHresult } from '../job/hresult.ts'
import type { Failure } from '../job/failure.ts'
import type { Finding } from '../job/finding.ts'
import { bytesTotal, type Job, type JobFile } from '../job/job.ts'
import { bitsStates } from '../job/moves.ts'
import type { FailureView, FileView, FindingView, JobView } from './contract.ts'
import { instantText } from './instant-text.ts'

/** What is not in the job itself. */
export interface ViewFacts {
  /** Bytes received, durable or not. */
  readonly bytesReceived: number
  readonly waitingFor: string | undefined
  /** The file the job's error is about. */
  readonly errorFile: JobFile | undefined
}

/** The failure a job's state carries, if any. */
export function failureOf({ state }: Job): Failure | undefined {
  return 'failure' in state ? state.failure : undefined
}

/** A job as clients see it. */
export function viewJob(job: Job, { bytesReceived, waitingFor, errorFile }: ViewFacts): JobView {
  const total = bytesTotal(job.tally)
  const failure = failureOf(job)
  const { state } = job
  return {
    id: job.id,
    displayName: job.displayName,
    description: job.description,
    type: job.type,
    priority: job.priority,
    state: bitsStates[state.kind].name,
    owner: job.owner.name,
    ownerId: job.owner.id,
    bytesTotal: total ?? null,
    bytesTransferred: Math.min(bytesReceived, total ?? Infinity),
    filesTotal: job.tally.filesTotal,
    filesTransferred: job.tally.filesTransferred,
    waitingFor: waitingFor ?? null,
    retryAt: state.kind === 'transientError' ? iso(state.retryAt) : null,
    error: failure === undefined ? null : viewFailure(failure, errorFile),
    errorCount: job.errorCount,
    created: instantText(job.created),
    modified: instantText(job.modified),
    transferred: iso(job.transferredAt),
    minimumRetryDelay: job.patience.minimumRetryDelayS,
    noProgressTimeout: job.patience.noProgressTimeoutS,
    maximumDownloadTime: job.patience.maximumDownloadTimeS,
    partial: state.kind === 'acknowledged' && state.partial,
  }
}

function iso(instant: number | undefined): string | null {
  return instant === undefined ? null : instantText(instant)
}

/** A failure as clients see it. */
export function viewFailure(failure: Failure, file: JobFile | undefined): FailureView {
  return {
    hresult: formatHresult(failure.hresult),
    symbol: failure.symbol,
    context: failure.context,
    message: failure.sentence,
    file: failure.file ?? null,
    remoteName: file?.remoteName ?? null,
    localName: file?.localName ?? null,
  }
}

/** A file as clients see it. */
export function viewFile(file: JobFile): FileView {
  return {
    ordinal: file.ordinal,
    remoteName: file.remoteName,
    localName: file.localName,
    bytesTotal: file.size ?? null,
    bytesTransferred: countBytes(file.ranges),
    transferred: file.kind !== 'missing',
    completed: file.kind === 'completed',
  }
}

/** What an examination met, as clients see it. */
export function viewFinding(finding: Finding): FindingView {
  if (finding.kind !== 'failure') return finding
  return { kind: 'failure', failure: viewFailure(finding.failure, undefined) }
}
