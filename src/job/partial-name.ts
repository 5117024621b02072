/** Under which name a file lies while it is not whole. */

import type { JobId } from './job.ts'

/**
 * The full path of the partial file of one file of a job: in the target's folder, so that the final rename stays on
 * one file system; a function of the job, so that it needs no memory; as short as that allows, so that it fits wherever
 * a name fits.
 */
export function partialName(localName: string, job: JobId, ordinal: number): string {
  const folderEnd = Math.max(localName.lastIndexOf('/'), localName.lastIndexOf('\\')) + 1
  return `${localName.slice(0, folderEnd)}.lull-${job.replaceAll('-', '')}-${ordinal}.part`
}
