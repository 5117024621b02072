/**
 * A server in a process of its own, for places where a test cannot be: sends half of a file to whoever asks for all of
 * it, and then nothing more; the rest to who asks for that. Prints its port.
 */

import { createServer } from 'node:http'
import { Content } from './content.ts'

const [address = '127.0.0.1', seed = '0', size = '0'] = process.argv.slice(2)
const content = new Content(Number(seed), Number(size)).bytes()

const server = createServer((request, response) => {
  const from = /^bytes=(\d+)-/u.exec(request.headers.range ?? '')?.[1]
  const fields = { etag: '"halting"', 'accept-ranges': 'bytes' }
  if (from === undefined) {
    response.writeHead(200, { ...fields, 'content-length': content.length })
    response.write(content.subarray(0, content.length / 2))
    return
  }
  const rest = content.subarray(Number(from))
  response.writeHead(206, {
    ...fields,
    'content-length': rest.length,
    'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
  })
  response.end(rest)
})

server.listen(0, address, () => {
  const bound = server.address()
  process.stdout.write(`${typeof bound === 'object' ? bound?.port : 0}\n`)
})
