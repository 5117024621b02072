/** As whom a turn asks, and what it says: put together from what the job has, or why it cannot be. */

import { encodeCredentials } from '../auth/credential-record.ts'
import { JobError, failure, isFailure, type Failure } from '../job/failure.ts'
import { helperTokenFlags } from '../job/helper-token.ts'
import { isHresultSymbol } from '../job/hresult.ts'
import type { Headers, Job } from '../job/job.ts'
import type { Core } from './core.ts'
import type { CertificateOrder, IdentityOrder } from './order.ts'
import type { OpenedSecrets } from './secrets.ts'

/** The owner's id of the system itself: the certificate of its jobs is its own, whoever helps (A80). */
const SYSTEM = '0'

/** What a turn has besides its files. */
export interface Appearance {
  readonly headers: Headers
  /** Absent when nothing is set and the settings allow nothing that is not (A53). */
  readonly identity?: IdentityOrder
}

/** What a turn has that begins; within a commit. @returns a failure that only the job's owner can do something about */
export function appearanceOf(job: Job, core: Core): Appearance | Failure {
  const { auth: settings } = core.settings
  const helper = helperOf(job, core)
  if (helper !== undefined && isFailure(helper)) return helper
  const secrets = core.secrets.open(job)
  if (isFailure(secrets)) return secrets
  const certificate = certificateOf(job, secrets, core)
  if (certificate !== undefined && isFailure(certificate)) return certificate
  const { pairs, headers } = secrets
  const isAnonymous =
    pairs.length === 0 &&
    certificate === undefined &&
    job.hasUrlCredentials !== true &&
    job.usesStoredForProxy !== true &&
    settings.useLmCompat === 2
  if (isAnonymous) return { headers }
  const identity = {
    pairs,
    settings,
    usesStoredForProxy: job.usesStoredForProxy ?? false,
    ...(job.provesUnasked === true ? { provesUnasked: true } : {}),
    ...(helper === undefined ? {} : { helper }),
    ...(certificate === undefined ? {} : { certificate }),
  }
  return { headers, identity }
}

/** The identity of {@link appearanceOf}, where nothing else is asked for. */
export function identityOf(job: Job, core: Core): IdentityOrder | Failure | undefined {
  const appearance = appearanceOf(job, core)
  return isFailure(appearance) ? appearance : appearance.identity
}

/** Who stands in for the owner (A90); the token of a job that names uses for one must be there (A96). */
function helperOf(
  { id, helperFlags = 0 }: Job,
  { helpers }: Core,
): Uint8Array | Failure | undefined {
  if (helperFlags === 0) return undefined
  const token = helpers.get(id)
  if (token === undefined) {
    return failure(
      'BG_E_TOKEN_REQUIRED',
      'GENERAL_QUEUE_MANAGER',
      'The helper token of the job is gone, as after every start of the service; set it again or clear its flags',
    )
  }
  return (helperFlags & helperTokenFlags.network) === 0 ? undefined : encodeCredentials(token)
}

function certificateOf(
  job: Job,
  { passphrase }: OpenedSecrets,
  { world }: Core,
): CertificateOrder | Failure | undefined {
  const { certificate, owner, helperFlags = 0 } = job
  if (certificate === undefined) return undefined
  if ((helperFlags & helperTokenFlags.network) !== 0 && owner.id !== SYSTEM) {
    return failure(
      'ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY',
      'GENERAL_QUEUE_MANAGER',
      'The client certificate cannot be used together with a helper token for the network',
    )
  }
  try {
    const files = world.certificates.find(owner, certificate)
    return { ...files, ...(passphrase === undefined ? {} : { passphrase }) }
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    const symbol = isHresultSymbol(error.code) ? error.code : 'E_FAIL'
    return failure(symbol, 'GENERAL_QUEUE_MANAGER', error.message)
  }
}
