/** The SDK's door: BITS's vocabulary over the service of this user. */

import './needed-node.ts'

export type { AuthTarget, SchemeName } from './auth/auth.ts'
export { BackgroundCopyJob, type JobProgress } from './client/background-copy-job.ts'
export { BackgroundCopyManager } from './client/background-copy-manager.ts'
export type {
  FileView,
  FindingView,
  JobEventView,
  JobOptions,
  JobView,
  NewJob,
  Priority,
  Question,
} from './client/background-copy-manager.ts'
export { CreateJobsError } from './client/create-jobs-error.ts'
export { BackgroundCopyError } from './client/errors.ts'
export type {
  JobCertificate,
  JobCredentialPair,
  JobCredentials,
  SecretText,
} from './client/given.ts'
export {
  AuthIdentity,
  encodeAuthIdentityAsStrings,
  freeIdentity,
  promptForCredentials,
} from './client/identity.ts'
export type { EncodedIdentity, IdentitySource, PromptOptions } from './client/identity.ts'
export {
  ServerValidation,
  type ServerCertificate,
  type ValidateServerCertificate,
} from './client/server-validation.ts'
export type { CertificateLocation, ClientCertificate } from './job/certificate.ts'
export { securityFlags } from './job/security-flags.ts'
export { costStates, transferPolicies, type TransferPolicy } from './job/cost.ts'
export type { ErrorContext } from './job/failure.ts'
export type { GivenToken } from './job/given-credentials.ts'
export type { BitsState } from './job/moves.ts'
export type { ProxySettings, ProxyUsage } from './job/route.ts'
export type { CreateParams, FileParams, JobProperties, ServiceStatus } from './rpc/contract.ts'
