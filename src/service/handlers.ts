/** Each method of the contract, done by the engine. */

import { isAbsolute } from 'node:path'
import type { Caller } from '../engine/access.ts'
import type { JobChanges } from '../engine/changes.ts'
import type { NewFileRequest } from '../engine/commands.ts'
import type { Engine } from '../engine/engine.ts'
import { failureOf, viewFile, viewFinding, viewJob } from '../rpc/view.ts'
import { bitsStates, type BitsState, type JobStateKind } from '../job/moves.ts'
import type { ExpectedDigest, Job, TransferOptions, TransferSettings } from '../job/job.ts'
import { defaultTransfer } from '../job/job.ts'
import { JobError } from '../job/failure.ts'
import { readSecurityFlags } from '../job/security-flags.ts'
import type {
  FileParams,
  JobProperties,
  JobView,
  RotateResult,
  ServiceStatus,
} from '../rpc/contract.ts'
import type { Handlers } from '../rpc/dispatch.ts'
import { identityHandlers } from './identity-handlers.ts'
import { jobPage } from './job-page.ts'
import { parseDigestOption } from '../wire/digest-fields.ts'

/** Items of a page when nobody says how many. */
const PAGE = 1_000

/** What the methods need besides the engine. */
export interface ServiceFacts {
  readonly status: () => Omit<ServiceStatus, 'jobs'>
  /** Seals every secret of the queue with a new master key. */
  readonly rotate: () => Promise<RotateResult>
  /** Ends the service once the answer is out. */
  readonly stop: () => void
}

/** A job as this engine's clients see it. */
export function view(engine: Engine, job: Job): JobView {
  const file = failureOf(job)?.file
  return viewJob(job, {
    bytesReceived: engine.live(job).bytesReceived,
    waitingFor: engine.waitingFor(job),
    errorFile: file === undefined ? undefined : engine.file(job, file),
  })
}

/** The methods over one engine. */
export function handlers(engine: Engine, facts: ServiceFacts): Handlers<Caller> {
  const show = (job: Job): JobView => view(engine, job)
  return {
    'job.create': ({ type, files, resume, ...given }, caller) =>
      show(
        engine.create(caller, {
          ...changes(given),
          displayName: given.displayName,
          ...(type === undefined ? {} : { type }),
          files: (files ?? []).map(newFile),
          resume: resume ?? false,
          ...(given.credentials === undefined ? {} : { credentials: given.credentials }),
          ...unasked(given),
          ...(given.proxy === undefined ? {} : { proxy: given.proxy }),
          ...(given.certificate === undefined ? {} : { certificate: given.certificate }),
        }),
      ),
    'job.addFiles': ({ id, files }, caller) =>
      show(engine.addFiles(caller, id, files.map(newFile))),
    'job.set': ({ id, ...properties }, caller) => {
      const before = engine.get(caller, id)
      return show(engine.change(caller, before.id, changes(properties, before.transfer)))
    },
    'job.resume': ({ id }, caller) => show(engine.resume(caller, id)),
    'job.suspend': ({ id }, caller) => show(engine.suspend(caller, id)),
    'job.complete': async ({ id }, caller) => {
      const { job } = await engine.complete(caller, id)
      const partial = job.state.kind === 'acknowledged' && job.state.partial
      return { job: show(job), status: partial ? 'BG_S_PARTIAL_COMPLETE' : 'S_OK' }
    },
    'job.cancel': async ({ id }, caller) => {
      const { job, leftovers } = await engine.cancel(caller, id)
      return {
        job: show(job),
        status: leftovers.length > 0 ? 'BG_S_UNABLE_TO_DELETE_FILES' : 'S_OK',
      }
    },
    'job.get': ({ id }, caller) => show(engine.get(caller, id)),
    'job.list': ({ states, allUsers, after, limit = PAGE }, caller) => {
      const query = {
        limit,
        after: after ?? 0,
        ...(allUsers === true ? {} : { owner: caller.owner.id }),
        ...(states === undefined ? {} : { states: states.map(stateKind) }),
      }
      return jobPage(engine, caller, query, show)
    },
    'job.files': ({ id, from, limit = PAGE }, caller) => {
      const files = engine.files(caller, id, { from: from ?? 0, limit: limit + 1 })
      const next = files[limit]
      return { files: files.slice(0, limit).map(viewFile), next: next?.ordinal ?? null }
    },
    ...identityHandlers(engine, facts, show),
    'doctor.examine': async (question, caller) => {
      const asked = { ...question, ...unasked(question) }
      const findings = await engine.examinations.examine(caller, asked)
      return { findings: findings.map(viewFinding) }
    },
    'service.status': () => ({ ...facts.status(), jobs: engine.count() }),
    'service.stop': () => {
      facts.stop()
      return null
    },
  }
}

function unasked({
  preemptiveAuthentication: provesUnasked,
}: {
  readonly preemptiveAuthentication?: boolean
}): { readonly provesUnasked?: boolean } {
  return provesUnasked === undefined ? {} : { provesUnasked }
}

function stateKind(name: BitsState): JobStateKind {
  // Every name of the contract is in the table it was made from.
  const entry = Object.entries(bitsStates).find(([, state]) => state.name === name)
  return entry?.[0] as JobStateKind
}

function newFile({ remoteName, localName, digests }: FileParams): NewFileRequest {
  if (digests === undefined) return { remoteName, localName }
  return { remoteName, localName, digests: digests.map(digest) }
}

function digest(option: string): ExpectedDigest {
  try {
    const { algorithm, bytes } = parseDigestOption(option)
    return { algorithm, hex: Buffer.from(bytes).toString('hex') }
  } catch (error) {
    throw new JobError('E_INVALIDARG', error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  }
}

/** What stands beside the service means nothing to whoever asks. */
function fullPath(path: string): string {
  if (isAbsolute(path)) return path
  throw new JobError(
    'E_INVALIDARG',
    `Cannot use the file ${JSON.stringify(path)}: this is not a full path`,
  )
}

/** The contract's properties in the engine's words. */
function changes(from: JobProperties, before: TransferSettings = defaultTransfer): JobChanges {
  const { minimumRetryDelay, noProgressTimeout, maximumDownloadTime, stallTimeout } = from
  const patience = {
    ...(minimumRetryDelay === undefined ? {} : { minimumRetryDelayS: minimumRetryDelay }),
    ...(noProgressTimeout === undefined ? {} : { noProgressTimeoutS: noProgressTimeout }),
    ...(maximumDownloadTime === undefined ? {} : { maximumDownloadTimeS: maximumDownloadTime }),
    ...(stallTimeout === undefined
      ? {}
      : { stallTimeoutMs: Math.max(1, Math.round(stallTimeout * 1000)) }),
  }
  const { displayName, description, priority, completesItself } = from
  return {
    patience,
    transfer: transferChanges(from, before),
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
    ...(completesItself === undefined ? {} : { completesItself }),
  }
}

function transferChanges(from: JobProperties, before: TransferSettings): Partial<TransferOptions> {
  const { headers, caFile, pinnedKeys, overwrite, contentDisposition } = from
  return {
    ...checkChanges(from, before),
    ...(headers === undefined ? {} : { headers }),
    ...(caFile === undefined ? {} : { caFile: fullPath(caFile) }),
    ...(pinnedKeys === undefined ? {} : { pinnedKeys }),
    ...(overwrite === undefined ? {} : { overwrite }),
    ...(contentDisposition === undefined ? {} : { contentDisposition }),
  }
}

/** What becomes of redirects and of certificates: the mask says both, and whoever says more of redirects means it. */
function checkChanges(
  { securityFlags, redirects }: JobProperties,
  before: TransferSettings,
): Partial<TransferSettings> {
  if (securityFlags === undefined) {
    return redirects === undefined ? {} : { redirects: { ...before.redirects, ...redirects } }
  }
  const read = readSecurityFlags(securityFlags)
  return { ...read, redirects: { ...read.redirects, ...redirects } }
}
