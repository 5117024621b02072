/** The decoder of each method's parameters; the types are the contract's. */

import { priorities } from '../job/job.ts'
import { bitsStates, type BitsState } from '../job/moves.ts'
import type { CreateParams, FileParams, JobProperties, MethodName, Methods } from './contract.ts'
import {
  amount,
  flag,
  list,
  oneOf,
  optional,
  pair,
  record,
  text,
  whole,
  type Decoder,
  type Fields,
} from './decode.ts'

/** Most items of a page. */
export const PAGE_LIMIT = 10_000

const id = text(64)
const states: readonly BitsState[] = Object.values(bitsStates).map(({ name }) => name)

const file: Decoder<FileParams> = record<FileParams>({
  remoteName: text(),
  localName: text(),
  digests: optional(list(text(1_024), 16)),
})

const properties: Fields<JobProperties> = {
  displayName: optional(text()),
  description: optional(text()),
  priority: optional(oneOf(priorities)),
  minimumRetryDelay: optional(whole(0)),
  noProgressTimeout: optional(whole(0)),
  maximumDownloadTime: optional(whole(0)),
  stallTimeout: optional(amount(0.001)),
  headers: optional(list(pair(text(), text()), 1_000)),
  caFile: optional(text(4_096)),
  redirects: optional(
    record({
      follow: optional(oneOf(['silent', 'report', 'disallow'])),
      allowHttpsToHttp: optional(flag),
    }),
  ),
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
    displayName: text(),
    type: optional(oneOf(['download', 'upload', 'uploadReply'])),
    files: optional(list(file)),
    resume: optional(flag),
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
  'service.status': nothing,
  'service.stop': nothing,
}

/** Whether this is the name of a method. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(paramDecoders, name)
}
