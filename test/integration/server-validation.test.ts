/** A program's own look at the certificates of servers, over the service and in the same process. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { BackgroundCopyManager, ServerCertificate } from 'lull'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { ok, serve } from '../../src/http/servers.suite.ts'
import { ways } from '../lab/engine-ways.ts'
import { waitState } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'

for (const { name, open } of ways) {
  suite(`setServerCertificateValidation() ${name}`, { skip: needsOpenssl }, () => {
    const home = new LullHome()
    let manager: BackgroundCopyManager & Partial<AsyncDisposable>

    before(async () => {
      manager = await open(home)
    })
    after(async () => {
      await manager[Symbol.asyncDispose]?.()
      await home[Symbol.asyncDispose]()
    })

    test('shows each server once before anything is sent to it (A84)', async (t) => {
      const authority = new Authority(t)
      const identity = authority.issue()
      const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
      const job = await manager.createJob('judged')
      await job.set({ caFile: authority.file })
      await job.addFileSet(
        ['a', 'b'].map((file) => ({ remoteName: `${server.url}/${file}`, localName: home.path(file) })), // prettier-ignore
      )
      const shown: ServerCertificate[] = []
      await using validation = await job.setServerCertificateValidation((certificate) => {
        assert.deepEqual(server.targets, [])
        shown.push(certificate)
        return true
      })
      await job.resume()
      await waitState(job, 'TRANSFERRED')
      assert.equal(shown.length, 1)
      assert.equal(shown[0]?.server, `localhost:${server.port}`)
      assert.equal(String(new X509Certificate(shown[0]?.certificate ?? '')).trim(), identity.cert.trim()) // prettier-ignore
      await job.complete()
      await validation.over
      assert.equal(readFileSync(home.path('b'), 'utf8'), '/b')
    })

    test('keeps a job from a server that it rejects or breaks over, and lets it go on later', async (t) => {
      const authority = new Authority(t)
      const server = await serve(t, (peer, target) => peer.say(ok(target)), authority.issue())
      const job = await manager.createJob('rejected')
      await job.set({ caFile: authority.file })
      await job.addFile(`${server.url}/c`, home.path('c'))
      for (const answer of [() => false, () => assert.fail('broken')]) {
        await using _validation = await job.setServerCertificateValidation(answer)
        await job.resume()
        const { error } = await waitState(job, 'TRANSIENT_ERROR')
        assert.equal(error?.context, 'SERVER_CERTIFICATE_CALLBACK')
        await job.suspend()
      }
      // Nobody is there to judge any more.
      await job.resume()
      await waitState(job, 'ERROR')
      assert.equal((await job.getError()).symbol, 'BG_E_SERVER_CERT_VALIDATION_INTERFACE_REQUIRED')
      assert.deepEqual(server.targets, [])
      await using _validation = await job.setServerCertificateValidation(() =>
        Promise.resolve(true),
      )
      await job.resume()
      await waitState(job, 'TRANSFERRED')
      await job.complete()
      assert.equal(readFileSync(home.path('c'), 'utf8'), '/c')
    })
  })
}
