/**
 * A job as a row. What the queue is asked about (owner, priority, state, turn, times) has columns; everything else is
 * one JSON text, `record`, because it is only ever read and written whole.
 *
 * Encoding takes whatever a job has but what is usual; decoding names every field, so a field added to `Job` does not compile until it is
 * decoded here, and the recorded rows in `migrations.test.ts` do not pass until a migration gives it to old rows.
 */

import { certificateLocations, type ClientCertificate } from '../job/certificate.ts'
import { errorContexts, waits, type Failure } from '../job/failure.ts'
import {
  priorities,
  type Job,
  type JobState,
  type Patience,
  type Tally,
  type TransferSettings,
} from '../job/job.ts'
import { bitsStates, isFinal, type JobStateKind } from '../job/moves.ts'
import {
  proxyUsages,
  proxyVariables,
  type ProxyEnvironment,
  type ProxySettings,
} from '../job/route.ts'
import type { NewJob } from '../engine/ports/job-store.ts'
import { columns, type RowList } from './columns.ts'
import { formatJson, type Fields } from './fields.ts'
import { usual, withoutUsual } from './usual.ts'

/** What can be bound to a statement. */
export type Value = string | number | null | Uint8Array

/** Every state, and those that a job can still leave. */
const stateKinds = Object.keys(bitsStates) as JobStateKind[]
export const liveStates: readonly JobStateKind[] = stateKinds.filter((kind) => !isFinal(kind))

const jobColumns = [
  'sequence',
  'id',
  'owner_id',
  'priority',
  'state',
  'retry_at',
  'turn',
  'pending',
  'modified',
  'record',
] as const

/** The columns that {@link decodeJob} reads. */
export const JOB_COLUMNS = jobColumns.join(', ')

const at = columns(jobColumns, ([, id]) => `job ${String(id)}`)

/**
 * The values of a job's columns from `id` on, in the order of {@link JOB_COLUMNS}.
 *
 * @throws {RangeError} when a number in it is not finite
 */
export function encodeJob(job: NewJob): Value[] {
  const { id, owner, priority, state, turn, pending = null, modified, ...rest } = job
  const { kind, retryAt = null, ...facts } = { retryAt: undefined, ...state }
  // A saved job comes with its sequence, which is the row's own.
  const whole = { ...rest, sequence: undefined, ownerName: owner.name, facts }
  const record = formatJson(withoutUsual(whole))
  return [id, owner.id, priority, kind, retryAt, turn, pending, modified, record]
}

/**
 * @param row the values of {@link JOB_COLUMNS}, in their order
 * @throws {DamagedRow} when no version of ours wrote it
 */
export function decodeJob(row: RowList): Job {
  const record = at.record.object(row)
  // Of a job that waits as it was made nothing of these is in the record, and nothing needs to be looked for.
  const isUsual = !record.hasAny(unusualNames)
  const known = isUsual ? usual : { ...decodeSettings(record), ...decodeProgress(record) }
  const job: Job = {
    id: at.id.text(row),
    sequence: at.sequence.count(row),
    owner: { id: at.owner_id.text(row), name: record.text('ownerName') },
    displayName: record.text('displayName'),
    priority: at.priority.word(row, priorities),
    state: decodeState(row, record),
    created: record.number('created'),
    modified: at.modified.number(row),
    turn: at.turn.number(row),
    type: known.type,
    description: known.description,
    patience: known.patience,
    transfer: known.transfer,
    completesItself: known.completesItself,
    tally: known.tally,
    errorCount: known.errorCount,
    attempts: known.attempts,
    noProgressMs: known.noProgressMs,
    bytesBest: known.bytesBest,
    touched: known.touched,
    activeMs: known.activeMs,
  }
  return isUsual && !at.pending.isIn(row) ? job : { ...job, ...decodeRare(row, record) }
}

/** Fields that may be absent from the record of a job, and mostly are. */
const rare = [
  'proxy',
  'certificate',
  'hasUrlCredentials',
  'helperFlags',
  'usesStoredForProxy',
  'provesUnasked',
  'costFlags',
  'transferredAt',
] as const satisfies readonly (keyof Job)[]

const { facts: _, ...usualFields } = usual
const unusualNames: ReadonlySet<string> = new Set([...Object.keys(usualFields), ...rare])

type Settings = Pick<Job, 'type' | 'description' | 'patience' | 'transfer' | 'completesItself'>
type Progress = Pick<Job, Exclude<keyof typeof usualFields, keyof Settings>>

function decodeSettings(record: Fields): Settings {
  return {
    type: record.word('type', ['download', 'upload', 'uploadReply'], usual.type),
    description: record.text('description', usual.description),
    patience: record.has('patience') ? decodePatience(record.object('patience')) : usual.patience,
    transfer: record.has('transfer') ? decodeTransfer(record.object('transfer')) : usual.transfer,
    completesItself: record.boolean('completesItself', usual.completesItself),
  }
}

function decodeProgress(record: Fields): Progress {
  return {
    tally: record.has('tally') ? decodeTally(record.object('tally')) : usual.tally,
    errorCount: record.count('errorCount', usual.errorCount),
    attempts: record.count('attempts', usual.attempts),
    noProgressMs: record.number('noProgressMs', usual.noProgressMs),
    bytesBest: record.count('bytesBest', usual.bytesBest),
    touched: record.boolean('touched', usual.touched),
    activeMs: record.number('activeMs', usual.activeMs),
  }
}

function decodeRare(row: RowList, record: Fields): Pick<Job, (typeof rare)[number] | 'pending'> {
  return {
    ...(at.pending.isIn(row) && { pending: at.pending.word(row, ['complete', 'discard']) }),
    ...(record.has('proxy') && { proxy: decodeProxy(record.object('proxy')) }),
    ...(record.has('certificate') && {
      certificate: decodeCertificate(record.object('certificate')),
    }),
    ...(record.has('hasUrlCredentials') && {
      hasUrlCredentials: record.boolean('hasUrlCredentials'),
    }),
    ...(record.has('helperFlags') && { helperFlags: record.count('helperFlags') }),
    ...(record.has('usesStoredForProxy') && {
      usesStoredForProxy: record.boolean('usesStoredForProxy'),
    }),
    ...(record.has('provesUnasked') && { provesUnasked: record.boolean('provesUnasked') }),
    ...(record.has('costFlags') && { costFlags: record.count('costFlags') }),
    ...(record.has('transferredAt') && { transferredAt: record.number('transferredAt') }),
  }
}

/** The states that have more to tell than their name. */
type KindWithFacts = 'transientError' | 'error' | 'transferred' | 'acknowledged'

function decodeState(row: RowList, record: Fields): JobState {
  const kind = at.state.word(row, stateKinds)
  switch (kind) {
    case 'suspended':
    case 'queued':
    case 'connecting':
    case 'transferring':
    case 'cancelled':
      return { kind }
    case 'transientError':
    case 'error':
    case 'transferred':
    case 'acknowledged':
      return decodeFacts(kind, row, record.object('facts', usual.facts))
    default:
      return kind satisfies never
  }
}

function decodeFacts(kind: KindWithFacts, row: RowList, facts: Fields): JobState {
  switch (kind) {
    case 'transientError':
      return {
        kind,
        failure: decodeFailure(facts.object('failure')),
        ...(at.retry_at.isIn(row) && { retryAt: at.retry_at.number(row) }),
      }
    case 'error':
      return { kind, failure: decodeFailure(facts.object('failure')) }
    case 'transferred':
      return facts.has('failure')
        ? { kind, failure: decodeFailure(facts.object('failure')) }
        : { kind }
    case 'acknowledged':
      return { kind, partial: facts.boolean('partial') }
    default:
      return kind satisfies never
  }
}

function decodeFailure(fields: Fields): Failure {
  return {
    hresult: fields.count('hresult'),
    symbol: fields.text('symbol'),
    context: fields.word('context', errorContexts),
    severity: fields.word('severity', ['transient', 'fatal']),
    waitsFor: fields.word('waitsFor', waits),
    sentence: fields.text('sentence'),
    ...(fields.has('file') && { file: fields.count('file') }),
    ...(fields.has('retryAfterMs') && { retryAfterMs: fields.number('retryAfterMs') }),
    ...(fields.has('shown') && { shown: decodeShown(fields.object('shown')) }),
  }
}

function decodeShown(fields: Fields): NonNullable<Failure['shown']> {
  return { server: fields.text('server'), certificates: fields.texts('certificates') }
}

function decodePatience(fields: Fields): Patience {
  return {
    minimumRetryDelayS: fields.number('minimumRetryDelayS', usual.patience.minimumRetryDelayS),
    noProgressTimeoutS: fields.number('noProgressTimeoutS', usual.patience.noProgressTimeoutS),
    maximumDownloadTimeS: fields.number(
      'maximumDownloadTimeS',
      usual.patience.maximumDownloadTimeS,
    ),
    stallTimeoutMs: fields.number('stallTimeoutMs', usual.patience.stallTimeoutMs),
  }
}

function decodeTransfer(fields: Fields): TransferSettings {
  const { redirects: usually, ...others } = usual.transfer
  const redirects = fields.object('redirects', usually)
  return {
    ...(fields.has('caFile') && { caFile: fields.text('caFile') }),
    ...(fields.has('securityFlags') && { securityFlags: fields.count('securityFlags') }),
    ...(fields.has('pinnedKeys') && { pinnedKeys: fields.texts('pinnedKeys') }),
    ...(fields.has('validation') && {
      validation: { accepted: fields.object('validation').texts('accepted') },
    }),
    redirects: {
      follow: redirects.word('follow', ['silent', 'report', 'disallow'], usually.follow),
      allowHttpsToHttp: redirects.boolean('allowHttpsToHttp', usually.allowHttpsToHttp),
    },
    overwrite: fields.boolean('overwrite', others.overwrite),
    contentDisposition: fields.boolean('contentDisposition', others.contentDisposition),
  }
}

function decodeProxy(fields: Fields): ProxySettings {
  return {
    usage: fields.word('usage', proxyUsages),
    ...(fields.has('list') && { list: fields.text('list') }),
    ...(fields.has('bypass') && { bypass: fields.text('bypass') }),
    ...(fields.has('script') && { script: fields.text('script') }),
    ...(fields.has('environment') && {
      environment: decodeEnvironment(fields.object('environment')),
    }),
  }
}

function decodeEnvironment(fields: Fields): ProxyEnvironment {
  const there = proxyVariables.filter((name) => fields.has(name))
  return Object.fromEntries(there.map((name) => [name, fields.text(name)]))
}

function decodeCertificate(fields: Fields): ClientCertificate {
  if (fields.has('certificateFile')) {
    return {
      certificateFile: fields.text('certificateFile'),
      ...(fields.has('keyFile') && { keyFile: fields.text('keyFile') }),
    }
  }
  const place = {
    location: fields.word('location', certificateLocations),
    store: fields.text('store'),
  }
  return fields.has('hash')
    ? { ...place, hash: fields.text('hash') }
    : { ...place, name: fields.text('name') }
}

function decodeTally(fields: Fields): Tally {
  return {
    filesTotal: fields.count('filesTotal', usual.tally.filesTotal),
    filesTransferred: fields.count('filesTransferred', usual.tally.filesTransferred),
    filesSized: fields.count('filesSized', usual.tally.filesSized),
    bytesSized: fields.count('bytesSized', usual.tally.bytesSized),
    bytesTransferred: fields.count('bytesTransferred', usual.tally.bytesTransferred),
  }
}
