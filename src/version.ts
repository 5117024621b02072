/** The version of this package. */

import { readFileSync } from './client/node-fs.ts'

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)

/** As in package.json. */
export const version: string = manifest.version
