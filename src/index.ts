/** The SDK's door: BITS's vocabulary over the service of this user. */

export { BackgroundCopyJob, BackgroundCopyManager } from './client/background-copy-manager.ts'
export type {
  FileView,
  JobEventView,
  JobOptions,
  JobProgress,
  JobView,
  Priority,
} from './client/background-copy-manager.ts'
export { BackgroundCopyError } from './client/errors.ts'
export type { ErrorContext } from './job/failure.ts'
export type { BitsState } from './job/moves.ts'
export type { CreateParams, FileParams, JobProperties, ServiceStatus } from './rpc/contract.ts'
