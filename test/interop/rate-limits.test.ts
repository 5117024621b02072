/** nginx as it is set up where too many requests are refused, and no Retry-After says when to come again. */

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Daemon, giveToDaemons, makeFolder, removeFolder } from '../lab/daemon.ts'
import { whyMissing } from '../lab/installed.ts'
import { LullHome } from '../lab/lull.ts'

/** More than come before the first refusal, by far. */
const FILES = 80

/** What a job may be refused: on the way to the pace that the server bears, and once more where this machine stutters. */
const REFUSALS = 8

const names = Array.from({ length: FILES }, (_, index) => `f${index}`)

/** Fifty requests in a second, none in advance, and this answer to every other one. */
function configuration(folder: string, port: number, status: number): string {
  return `
    daemon off;
    pid ${folder}/pid;
    error_log ${folder}/error.log;
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/body;
      proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      limit_req_zone $binary_remote_addr zone=one:1m rate=50r/s;
      limit_req_status ${status};
      server { listen 127.0.0.1:${port}; root ${folder}/www; limit_req zone=one; }
    }`
}

suite(
  'a server with a limit',
  { skip: whyMissing({ nginx: 'nginx-light' }), concurrency: true },
  () => {
    const folder = makeFolder('limits')

    before(() => {
      mkdirSync(join(folder, 'www'))
      for (const name of names) writeFileSync(join(folder, 'www', name), name.repeat(100))
      giveToDaemons(folder)
    })
    after(() => removeFolder(folder))

    for (const status of [429, 503]) {
      test(`that says ${status} soon gets no more requests than it takes`, async () => {
        const { daemon, ports } = await Daemon.onPorts(1, ([port = 0]) => {
          const file = join(folder, `${status}.conf`)
          writeFileSync(file, configuration(folder, port, status))
          return { program: 'nginx', args: ['-c', file], log: join(folder, 'error.log') }
        })
        await using _daemon = daemon
        await using home = new LullHome()
        const list = names.map((name) => `http://127.0.0.1:${ports[0]}/${name}\n`).join('')
        const result = await home.run(['get', '-i', '-', '-d', home.target], { input: list })
        assert.equal(result.status, 0, result.stderr)
        for (const name of names) {
          assert.equal(readFileSync(home.path(name), 'utf8'), name.repeat(100))
        }
        const log = readFileSync(join(home.home, 'lull.log'), 'utf8')
        const refusals = log
          .split('\n')
          .filter((line) => line.includes(`BG_E_HTTP_ERROR_${status}`))
        assert(refusals.length > 0, 'the limit was met')
        assert(refusals.length <= REFUSALS, `${refusals.length} refusals`)
      })
    }
  },
)
