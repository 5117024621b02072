/** Security flags as programs and people set them, against servers that deserve them. */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, suite, test, type TestContext } from 'node:test'
import { securityFlags, type BackgroundCopyManager } from 'lull'
import {
  Authority,
  needsOpenssl,
  type Claims,
  type Identity,
} from '../../src/http/certificates.suite.ts'
import { RevokingAuthority } from '../../src/http/revoking.suite.ts'
import { ok, serve, type RawServer } from '../../src/http/servers.suite.ts'
import { ways } from '../lab/engine-ways.ts'
import { parseLastLine } from '../lab/expect.ts'
import { waitState } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'

/** A server with a certificate of nobody we know. */
function strange(t: TestContext, claims: Claims = {}): Promise<RawServer> {
  return serve(t, (peer, target) => peer.say(ok(target)), new Authority(t).issue(claims))
}

for (const { name, open } of ways) {
  suite(`setSecurityFlags() ${name}`, { skip: needsOpenssl }, () => {
    const home = new LullHome()
    let manager: BackgroundCopyManager & Partial<AsyncDisposable>

    before(async () => {
      manager = await open(home)
    })
    after(async () => {
      await manager[Symbol.asyncDispose]?.()
      await home[Symbol.asyncDispose]()
    })

    test('lets a job go on from ERROR that was refused what the flags forgive (A79)', async (t) => {
      const server = await strange(t, { names: ['DNS:example.org'] })
      const job = await manager.createJob('strange')
      await job.addFile(`${server.url}/x`, home.path('strange'))
      const { ignoreAuthority, ignoreName, reportRedirects } = securityFlags
      const steps = [
        [0, 'ERROR_WINHTTP_SECURE_INVALID_CA'],
        [ignoreAuthority, 'ERROR_WINHTTP_SECURE_CERT_CN_INVALID'],
      ] as const
      for (const [flags, symbol] of steps) {
        await job.setSecurityFlags(flags)
        await job.resume()
        await waitState(job, 'ERROR')
        assert.equal((await job.getError()).symbol, symbol)
      }
      assert.equal(server.targets.length, 0)
      await job.setSecurityFlags(ignoreAuthority | ignoreName | reportRedirects)
      assert.equal(await job.getSecurityFlags(), 0x010a)
      await job.resume()
      await waitState(job, 'TRANSFERRED')
      assert.equal(await job.complete(), 'S_OK')
      assert.equal(readFileSync(home.path('strange'), 'utf8'), '/x')
    })

    test('refuses bits that mean nothing with E_NOTIMPL, and leaves what was set', async () => {
      const job = await manager.createJob('bits')
      await job.setSecurityFlags(securityFlags.ignoreDate)
      for (const flags of [0x0020, 0x0300, 0x1000]) {
        await assert.rejects(job.setSecurityFlags(flags), { symbol: 'E_NOTIMPL' })
      }
      assert.equal(await job.getSecurityFlags(), securityFlags.ignoreDate)
      await job.set({ redirects: { follow: 'disallow' } })
      assert.equal(await job.getSecurityFlags(), 0x0204)
      await job.setSecurityFlags(0)
      assert.equal(await job.getSecurityFlags(), 0)
      await job.cancel()
    })

    test('disallows redirects, and from https to http unless 0x0800 says so (A79)', async (t) => {
      const authority = new Authority(t)
      const plain = await serve(t, (peer, target) => peer.say(ok(target)))
      const location = `Location: ${plain.url}/there\r\nContent-Length: 0\r\n\r\n`
      const answer = `HTTP/1.1 302 Found\r\n${location}`
      const server = await serve(t, (peer) => peer.say(answer), authority.issue())
      const { disallowRedirects, allowHttpsToHttp } = securityFlags
      const job = await manager.createJob('elsewhere')
      await job.set({ caFile: authority.file })
      await job.addFile(`${server.url}/here`, home.path('there'))
      const steps = [
        [disallowRedirects, 'BG_E_HTTP_ERROR_302'],
        [disallowRedirects | allowHttpsToHttp, 'BG_E_HTTP_ERROR_302'],
        [0, 'ERROR_WINHTTP_REDIRECT_FAILED'],
      ] as const
      for (const [flags, symbol] of steps) {
        await job.setSecurityFlags(flags)
        await job.resume()
        await waitState(job, 'ERROR')
        assert.equal((await job.getError()).symbol, symbol)
        // Whoever disallowed it can look where it leads; it is asked for where it was named, all the same.
        for await (const { remoteName } of job.enumFiles()) {
          assert.equal(remoteName, `${plain.url}/there`)
        }
      }
      await job.setSecurityFlags(allowHttpsToHttp)
      await job.resume()
      await waitState(job, 'TRANSFERRED')
      await job.complete()
      assert.equal(readFileSync(home.path('there'), 'utf8'), '/there')
    })
  })
}

suite('lull get --check-revocation', { skip: needsOpenssl }, () => {
  const home = new LullHome()
  after(() => home[Symbol.asyncDispose]())

  test('gets a file from who is good, and nothing from who was revoked or cannot be looked up', async (t) => {
    const authority = new RevokingAuthority(t)
    let list: Uint8Array = new Uint8Array()
    const lists = await serve(t, (peer) => {
      const status = list.length === 0 ? '404 Not Found' : '200 OK'
      peer.say(`HTTP/1.1 ${status}\r\nContent-Length: ${list.length}\r\n\r\n`)
      peer.socket.write(list)
    })
    const issued = (): Identity => authority.issue({ lists: [`${lists.url}/ca.crl`] })
    const [good, bad] = [issued(), issued()]
    authority.revoke(bad.cert)
    const get = async (identity: Identity, name: string): Promise<string> => {
      const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
      const options = ['--cacert', authority.file, '--check-revocation', '--quiet']
      const args = ['get', `${server.url}/${name}`, '-o', home.path(name), ...options]
      const { status, lastLine } = await home.run(args)
      return status === 0 ? readFileSync(home.path(name), 'utf8') : parseLastLine(lastLine).symbol
    }
    assert.equal(await get(good, 'unknown'), 'ERROR_WINHTTP_SECURE_CERT_REV_FAILED')
    list = authority.list()
    assert.equal(await get(good, 'good'), '/good')
    assert.equal(await get(bad, 'bad'), 'ERROR_WINHTTP_SECURE_CERT_REVOKED')
  })
})

suite('lull get', { skip: needsOpenssl }, () => {
  const home = new LullHome()
  after(() => home[Symbol.asyncDispose]())

  const rows: readonly (readonly [options: readonly string[], symbol: string | undefined])[] = [
    [[], 'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID'],
    [['--security-flags', '0x4'], 'ERROR_WINHTTP_SECURE_INVALID_CA'],
    [['--security-flags', '0x8'], 'ERROR_WINHTTP_SECURE_CERT_DATE_INVALID'],
    [['--security-flags', '0xc'], undefined],
    [['-k'], undefined],
  ]

  for (const [options, symbol] of rows) {
    const how = options.join(' ')
    test(`lull get ${how} ends with ${symbol ?? 'the file'}, and lull doctor says as much`, async (t) => {
      const server = await strange(t, { from: '20200101000000Z', to: '20200201000000Z' })
      const url = `${server.url}/file`
      const target = home.path(`get${how.replaceAll(/\W/gu, '')}`)
      const args = ['get', url, '-o', target, '--no-progress-timeout', '0', '--quiet', ...options]
      const { status, lastLine } = await home.run(args)
      const doctor = await home.run(['doctor', url, '--json', ...options])
      assert.equal(doctor.status, status)
      if (symbol === undefined) {
        assert.equal(status, 0, lastLine)
        assert.equal(readFileSync(target, 'utf8'), '/file')
      } else {
        assert.equal(parseLastLine(lastLine).symbol, symbol)
        assert.equal(server.targets.length, 0)
      }
    })
  }
})

suite('lull get --pinnedpubkey', { skip: needsOpenssl }, () => {
  const home = new LullHome()
  after(() => home[Symbol.asyncDispose]())

  test('gets a file from whoever has the key, and lull doctor says as much', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue()
    const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
    const [own, other] = [home.path('own.pem'), home.path('other.pem')]
    writeFileSync(own, identity.cert)
    writeFileSync(other, authority.pem)
    const url = `${server.url}/pinned`
    const trust = ['--cacert', authority.file]
    for (const [file, status] of [
      [other, 1],
      [own, 0],
    ] as const) {
      const options = [...trust, '--pinnedpubkey', file]
      const args = ['get', url, '-o', home.path('pinned'), '--quiet', ...options]
      const got = await home.run(args)
      assert.equal(got.status, status, got.lastLine)
      if (status === 1) assert.equal(parseLastLine(got.lastLine).symbol, 'ERROR_WINHTTP_SECURE_INVALID_CERT') // prettier-ignore
      assert.equal((await home.run(['doctor', url, ...options])).status, status)
    }
    assert.equal(readFileSync(home.path('pinned'), 'utf8'), '/pinned')
  })
})

suite('lull trust set', { skip: needsOpenssl }, () => {
  const home = new LullHome()
  after(() => home[Symbol.asyncDispose]())

  test('lets a job go on from ERROR that did not trust its server, and keeps what it does with redirects', async (t) => {
    const authority = new Authority(t)
    const identity = authority.issue({ names: ['DNS:example.org'] })
    const server = await serve(t, (peer, target) => peer.say(ok(target)), identity)
    const args = ['get', `${server.url}/later`, '-o', home.path('later'), '--quiet']
    const { lastLine } = await home.run([...args, '--security-flags', '0x0900'])
    assert.equal(parseLastLine(lastLine).symbol, 'ERROR_WINHTTP_SECURE_INVALID_CA')
    const [job] = await home.jobs()
    const id = job?.id ?? ''
    assert.equal((await home.run(['trust', 'set', id])).status, 2)
    const trusted = await home.run(['trust', 'set', id, '--cacert', authority.file])
    assert.equal(trusted.status, 0)
    assert.match(trusted.stdout, /^lull resume [0-9a-f]{8} goes on with it$/mu)
    await home.run(['resume', id])
    const again = await home.run(['follow', id, '--quiet'])
    assert.equal(parseLastLine(again.lastLine).symbol, 'ERROR_WINHTTP_SECURE_CERT_CN_INVALID')
    assert.equal((await home.run(['trust', 'set', id, '-k', '--check-revocation'])).status, 0)
    const manager = await home.manager()
    const flagged = await manager.getJob(id)
    assert.equal(await flagged.getSecurityFlags(), 0x091f)
    assert.equal((await home.run(['trust', 'set', id, '--security-flags', '0x0802'])).status, 0)
    assert.equal(await flagged.getSecurityFlags(), 0x0802)
    await home.run(['resume', id])
    assert.equal((await home.run(['follow', id, '--quiet'])).status, 0)
    assert.equal(readFileSync(home.path('later'), 'utf8'), '/later')
  })
})
