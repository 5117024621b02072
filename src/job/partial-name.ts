/** Under which name a file lies while it is not whole. */

import type { JobId } from './job.ts'

/**
 * What names the partial files of a job: the full path of each, in the target's folder, so that the final rename stays on
 * one file system; a function of the job, so that it needs no memory; as short as that allows, so that it fits wherever
 * a name fits.
 */
export function partialNames(job: JobId): (localName: string, ordinal: number) => string {
  const begin = `.lull-${job.replaceAll('-', '')}-`
  return (localName, ordinal) => {
    const folderEnd = Math.max(localName.lastIndexOf('/'), localName.lastIndexOf('\\')) + 1
    return `${localName.slice(0, folderEnd)}${begin}${ordinal}.part`
  }
}
