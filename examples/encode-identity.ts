/**
 * Asks who somebody is, packs that into strings, and lets a job use it: what the SSPI's example does with
 * SspiPromptForCredentials and SspiEncodeAuthIdentityAsStrings.
 *
 *     node examples/encode-identity.ts URL FILE
 */

import { resolve } from 'node:path'
import { argv, exit, stdout } from 'node:process'
import {
  BackgroundCopyManager,
  encodeAuthIdentityAsStrings,
  freeIdentity,
  promptForCredentials,
} from 'lull'

const [, , url, file] = argv
if (url === undefined || file === undefined) {
  stdout.write('Usage: node examples/encode-identity.ts URL FILE\n')
  exit(2)
}

const identity = await promptForCredentials({
  target: new URL(url).host,
  message: 'Enter the credentials for the server',
})
// Three strings. The domain is shown but not passed on: it is packed with the rest.
const { user, domain, packed } = encodeAuthIdentityAsStrings(identity)
stdout.write(`Encoded the identity of ${domain === '' ? user : `${user} of ${domain}`}\n`)

const manager = await BackgroundCopyManager.connect()
const job = await manager.createJob('encode-identity')
await job.setCredentials({
  target: 'server',
  scheme: 'negotiate',
  credentials: { userName: user, password: packed },
})
// The job has its own copy.
freeIdentity(identity)

await job.addFile(url, resolve(file))
await job.resume()
for await (const event of job.watch()) {
  if (event.kind === 'gone') break
  const { state, error } = event.job
  if (state === 'TRANSFERRED') {
    await job.complete()
    stdout.write(`${url} is in ${file}\n`)
    break
  }
  if (state === 'ERROR') {
    stdout.write(`${error?.message} (${error?.symbol})\n`)
    await job.cancel()
    exit(1)
  }
}
