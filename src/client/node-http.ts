/** Node's HTTP, as this project uses it. */

import { builtin } from './builtin.ts'

export const { createServer, request } = builtin('node:http')
