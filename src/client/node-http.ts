/**
 * Node's HTTP. An `import` of it would read every name that it exports, and one of them loads a second HTTP client: 25 ms
 * and some MiB that each command and the service would spend on nothing.
 */

import { assert } from '../base/error.ts'

const http = process.getBuiltinModule('node:http')
assert(http !== undefined, 'Node has HTTP')

export const { createServer, request } = http
