/** The decoder of each method's parameters; the types are the contract's. */

import { priorities } from '../job/job.ts'
import { bitsStates, type BitsState } from '../job/moves.ts'
import type {
  CreateParams,
  ExamineParams,
  FileParams,
  JobProperties,
  MethodName,
  Methods,
} from './contract.ts'
import {
  certificate,
  certificateFields,
  credentialFields,
  oneCertificate,
  proxy,
  proxyFields,
  token,
  type CertificateWords,
} from './identity-params.ts'
import {
  amount,
  flag,
  list,
  mapped,
  nullable,
  oneOf,
  optional,
  pair,
  record,
  secretly,
  text,
  wellFormed,
  whole,
  type Decoder,
  type Fields,
} from './decode.ts'

/** Most items of a page. */
export const PAGE_LIMIT = 10_000

const id = text(64)
const states: readonly BitsState[] = Object.values(bitsStates).map(({ name }) => name)

const file: Decoder<FileParams> = record<FileParams>({
  // There may be a name and a password in it.
  remoteName: secretly(wellFormed(text())),
  localName: wellFormed(text()),
  digests: optional(list(text(1_024), 16)),
})

const flags = whole(0, 0xffff_ffff)

/** As BITS counts them, in 32 bits: of much longer ones no calendar could tell the end. */
const seconds = whole(0, 0xffff_ffff)

const properties: Fields<JobProperties> = {
  displayName: optional(wellFormed(text())),
  description: optional(wellFormed(text())),
  priority: optional(oneOf(priorities)),
  minimumRetryDelay: optional(seconds),
  noProgressTimeout: optional(seconds),
  maximumDownloadTime: optional(seconds),
  stallTimeout: optional(amount(0.001)),
  headers: optional(secretly(list(pair(text(), text()), 1_000))),
  caFile: optional(text(4_096)),
  redirects: optional(
    record({
      follow: optional(oneOf(['silent', 'report', 'disallow'])),
      allowHttpsToHttp: optional(flag),
    }),
  ),
  securityFlags: optional(flags),
  pinnedKeys: optional(list(text(100), 64)),
  overwrite: optional(flag),
  contentDisposition: optional(flag),
  completesItself: optional(flag),
}

const oneJob = record({ id })
const nothing = record<Record<string, never>>({})

/** What each method takes. */
export const paramDecoders: {
  readonly [Name in MethodName]: Decoder<Methods[Name]['params']>
} = {
  'job.create': record<CreateParams>({
    ...properties,
    displayName: wellFormed(text()),
    type: optional(oneOf(['download', 'upload', 'uploadReply'])),
    files: optional(list(file)),
    resume: optional(flag),
    credentials: optional(list(record(credentialFields), 100)),
    preemptiveAuthentication: optional(flag),
    proxy: optional(proxy),
    certificate: optional(certificate),
  }),
  'job.addFiles': record({ id, files: list(file) }),
  'job.set': record<Methods['job.set']['params']>({ id, ...properties }),
  'job.resume': oneJob,
  'job.suspend': oneJob,
  'job.complete': oneJob,
  'job.cancel': oneJob,
  'job.get': oneJob,
  'job.list': record({
    states: optional(list(oneOf(states), states.length)),
    allUsers: optional(flag),
    after: optional(whole(0)),
    limit: optional(whole(1, PAGE_LIMIT)),
  }),
  'job.files': record({ id, from: optional(whole(0)), limit: optional(whole(1, PAGE_LIMIT)) }),
  'job.setCredentials': record({ id, ...credentialFields }),
  'job.removeCredentials': record({
    id,
    target: credentialFields.target,
    scheme: credentialFields.scheme,
  }),
  'job.listCredentials': oneJob,
  'job.setUseStoredCredentials': record({ id, target: nullable(credentialFields.target) }),
  'job.getUseStoredCredentials': oneJob,
  'job.setPreemptiveAuthentication': record({ id, enabled: flag }),
  'job.getPreemptiveAuthentication': oneJob,
  'job.setProxySettings': record<Methods['job.setProxySettings']['params']>({ id, ...proxyFields }),
  'job.getProxySettings': oneJob,
  'job.setClientCertificate': mapped(
    record<{ id: string } & CertificateWords>({ id, ...certificateFields }),
    ({ id, ...given }, path) => ({ id, ...oneCertificate(given, path) }),
  ),
  'job.getClientCertificate': oneJob,
  'job.removeClientCertificate': oneJob,
  'job.setHelperToken': record({ id, token }),
  'job.clearHelperToken': oneJob,
  'job.setHelperTokenFlags': record({ id, flags }),
  'job.getHelperTokenFlags': oneJob,
  'job.getHelperTokenSid': oneJob,
  'job.setCostFlags': record({ id, flags }),
  'job.getCostFlags': oneJob,
  'job.getSecurityFlags': oneJob,
  'job.setServerValidation': record({ id, required: flag }),
  'job.getServerCertificate': oneJob,
  'job.judgeServerCertificate': record({ id, server: text(300), hash: text(64), accepted: flag }),
  'job.takeOwnership': oneJob,
  'doctor.examine': record<ExamineParams>({
    // There may be a name and a password in it.
    url: optional(secretly(text())),
    id: optional(id),
    credentials: optional(list(record(credentialFields), 100)),
    preemptiveAuthentication: optional(flag),
    proxy: optional(proxy),
    certificate: optional(certificate),
    caFile: optional(text(4_096)),
    securityFlags: optional(flags),
    pinnedKeys: optional(list(text(100), 64)),
  }),
  'vault.rotate': nothing,
  'service.status': nothing,
  'service.stop': nothing,
}

/** Whether this is the name of a method. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(paramDecoders, name)
}
