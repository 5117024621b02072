/** Whatever stopped a file, as the job's failure. */

import type { FileOrder } from '../engine/order.ts'
import { fileFailure } from '../files/failure.ts'
import { httpFailure } from '../http/failure.ts'
import { failure, FailureError, type Failure } from '../job/failure.ts'

/** The failure that `error` is, told of the file it stopped. */
export function toFailure(error: unknown, file: FileOrder | undefined): Failure {
  const found = find(error, file)
  return file === undefined ? found : { ...found, file: found.file ?? file.ordinal }
}

function find(error: unknown, file: FileOrder | undefined): Failure {
  if (error instanceof FailureError) return error.failure
  const known = httpFailure(error, file?.remoteName) ?? fileFailure(error, file?.localName)
  if (known !== undefined) return known
  const reason = error instanceof Error ? error.message : String(error)
  return failure(
    'E_UNEXPECTED',
    'UNKNOWN',
    `The transfer failed for a reason nobody foresaw: ${reason}`,
    {
      severity: 'transient',
    },
  )
}
