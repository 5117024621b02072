/** Node's files, as commands use them. */

import { builtin } from './builtin.ts'

export const {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} = builtin('node:fs')
