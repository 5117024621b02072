/** Credentials as a person gives them: at the prompt, through standard input, and to a job that lacks them. */

import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as forward, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { after, suite, test, type TestContext } from 'node:test'
import type { JobView } from 'lull'
import { Authority, needsOpenssl } from '../../src/http/certificates.suite.ts'
import { guarded, guards, user, type Guard } from '../../src/http/guarded.suite.ts'
import { parseLastLine, type LastLine } from '../lab/expect.ts'
import { LullHome, until } from '../lab/lull.ts'
import { atTerminal, noTerminal, withoutTerminal } from '../lab/terminal.ts'

/** A job that waits must not keep the next one from its turn. */
const home = new LullHome({ config: { backgroundJobs: 100 } })
after(() => home[Symbol.asyncDispose]())

const rightLine = `${user.password}\n`

/** What a command that must fail says last. */
async function failing(
  status: number,
  args: readonly string[],
  input?: string,
): Promise<LastLine & { readonly stderr: string }> {
  const result = await withoutTerminal(home, args, input)
  assert.equal(result.status, status, result.stderr)
  return { ...parseLastLine(result.lastLine), stderr: result.stderr }
}

/** Runs a command that must not fail, and gives what it printed. */
async function printed(args: readonly string[], input?: string): Promise<string> {
  const { status, stdout, stderr } = await withoutTerminal(home, args, input)
  assert.equal(status, 0, stderr)
  return stdout
}

async function job(id: string): Promise<JobView> {
  // The command prints the job as the contract has it.
  return (await home.json(['job', id])) as JobView
}

/** A job that has been refused for want of credentials. */
async function refusedJob(url: string, name: string): Promise<string> {
  const id = (await printed(['get', url, '-o', name, '--detach'])).trim()
  await until(async () => (await job(id)).state === 'ERROR', 'it is refused')
  return id
}

/** A proxy for http that asks for proof, and what it saw of both sides' proofs. */
async function guardedProxy(
  t: TestContext,
  guard: Guard,
): Promise<{ readonly address: string; readonly seen: readonly string[] }> {
  const seen: string[] = []
  const answer: RequestListener = (request, response) => {
    void (async () => {
      const { url = '', method = 'GET', headers, socket } = request
      seen.push(`${headers['proxy-authorization']} ${headers.authorization}`)
      const asked = { method, requestTarget: url }
      const reception = await guard(socket).receive(headers['proxy-authorization'], asked)
      if (reception.kind === 'challenged') {
        response.writeHead(407, { 'Proxy-Authenticate': [...reception.challenges] }).end()
        return
      }
      const { 'proxy-authorization': _, ...passed } = headers
      const onward = forward(url, { method, headers: passed }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.end()
    })()
  }
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has a port.
  const { port } = server.address() as AddressInfo
  return { address: `http://127.0.0.1:${port}`, seen }
}

suite('lull get --user', { concurrency: 4 }, () => {
  for (const scheme of ['digest', 'ntlm'] as const) {
    test(`answers ${scheme} without being told so`, async (t) => {
      const server = await guarded(t, [guards[scheme]()])
      const name = `default-${scheme}`
      const args = ['get', `${server.url}/${name}`, '-o', name, '--user', user.name]
      await printed([...args, '--password-stdin'], rightLine)
      assert.equal(readFileSync(home.path(name), 'utf8'), `/${name}`)
    })
  }

  test('shows the password to nobody on the way: Basic over http has to be named', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const args = ['get', `${server.url}/b`, '-o', 'basic', '-u', user.name, '--password-stdin']
    const { symbol, stderr } = await failing(1, args, rightLine)
    assert.equal(symbol, 'BG_E_HTTP_ERROR_401')
    assert.match(stderr, /--scheme basic too/u)
    assert(server.log.every(({ credentials }) => credentials === undefined))
    await printed([...args, '--scheme', 'basic'], rightLine)
    assert.equal(readFileSync(home.path('basic'), 'utf8'), '/b')
  })

  test('warns, here and in the log, of a password that everybody on the way can read (A183)', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const args = ['get', `${server.url}/w`, '-o', 'warned', '-u', user.name, '--password-stdin']
    const warned = await withoutTerminal(home, [...args, '--scheme', 'basic'], rightLine)
    assert.equal(warned.status, 0, warned.stderr)
    assert.match(warned.stderr, /^Warning: everybody on the way to 127\S+ can read the password/mu)
    const log = readFileSync(join(home.home, 'lull.log'), 'utf8')
    const line = log.split('\n').find((each) => each.includes(`"peer":"${server.url}"`)) ?? ''
    assert.match(line, /A password goes out as everybody on the way can read it/u)
    assert(!log.includes(user.password))
    const digest = await guarded(t, [guards.digest()])
    const quiet = ['get', `${digest.url}/q`, '-o', 'quiet', '-u', user.name, '--password-stdin']
    const unwarned = await withoutTerminal(home, quiet, rightLine)
    assert.equal(unwarned.status, 0, unwarned.stderr)
    assert.doesNotMatch(unwarned.stderr, /Warning/u)
  })

  test('warns of a private key that others can read, and uses it', async (t) => {
    const server = await guarded(t, [])
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = home.path('open.key')
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const args = ['get', `${server.url}/k`, '-o', 'keyed', '--force', '--cert', key]
    for (const [mode, isWarned] of [
      [0o644, true],
      [0o600, false],
    ] as const) {
      chmodSync(key, mode)
      const { status, stderr } = await withoutTerminal(home, args, '')
      assert.equal(status, 0, stderr)
      assert.equal(/^Warning: others can read .*open\.key: chmod 600/mu.test(stderr), isWarned)
    }
  })

  test('answers Basic over https', { skip: needsOpenssl }, async (t) => {
    const authority = new Authority(t)
    const server = await guarded(t, [guards.basic()], { certificate: authority.issue() })
    const args = ['get', `${server.url}/s`, '-o', 'secure', '--cacert', authority.file]
    await printed([...args, '--user', user.name, '--password-stdin'], rightLine)
    assert.equal(readFileSync(home.path('secure'), 'utf8'), '/s')
  })

  test('gives the first line to the server, the second to the proxy, and the rest to the list', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const proxy = await guardedProxy(t, guards.digest())
    const input = `${rightLine}${user.password}\r\n${server.url}/l1\tline-1\n${server.url}/l2\tline-2`
    const who = ['-u', user.name, '--password-stdin', '--scheme', 'basic']
    const through = ['--proxy', proxy.address, '--noproxy', '<-loopback>']
    const asWhom = ['--proxy-user', user.name, '--proxy-password-stdin']
    await printed(['get', '-i', '-', ...who, ...through, ...asWhom], input)
    assert.equal(readFileSync(home.path('line-2'), 'utf8'), '/l2')
    assert(proxy.seen.some((proofs) => /^Digest .+ Basic /u.test(proofs)))
    assert(server.log.every(({ forProxy }) => forProxy === undefined))
  })

  test('tries a wrong password once, and tells the commands that mend the job', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const args = ['get', `${server.url}/w`, '-o', 'wrong', '-u', user.name, '--password-stdin']
    const { symbol, stderr } = await failing(1, args, 'wrong\n')
    assert.equal(symbol, 'BG_E_HTTP_ERROR_401')
    assert.equal(server.log.filter(({ credentials }) => credentials !== undefined).length, 1)
    const [, id = ''] = /^ {2}lull credentials set ([0-9a-f]{8}) --user NAME$/mu.exec(stderr) ?? []
    assert(stderr.includes(`lull doctor --job ${id} finds out what is asked for`), stderr)
    assert.match(stderr, new RegExp(`^ {2}lull resume ${id}$`, 'mu'))
    await printed(['credentials', 'set', id, '-u', user.name, '--password-stdin'], rightLine)
    await printed(['resume', id])
    await until(() => existsSync(home.path('wrong')), 'it goes on')
    assert.equal(readFileSync(home.path('wrong'), 'utf8'), '/w')
  })

  test('a proxy that refuses is told apart from a server that does', async (t) => {
    const server = await guarded(t, [])
    const proxy = await guardedProxy(t, guards.digest())
    const url = `${server.url}/p`
    const through = ['--proxy', proxy.address, '--noproxy', '<-loopback>']
    const { symbol, stderr } = await failing(1, ['get', url, '-o', 'proxied', ...through])
    assert.equal(symbol, 'BG_E_HTTP_ERROR_407')
    const [, id = ''] = /set ([0-9a-f]{8}) --proxy-user NAME$/mu.exec(stderr) ?? []
    const args = ['credentials', 'set', id, '--proxy-user', user.name, '--proxy-password-stdin']
    assert.match(await printed(args, rightLine), /^proxy {8}negotiate, ntlm, digest$/mu)
    await printed(['resume', id])
    await until(() => existsSync(home.path('proxied')), 'it goes on')
  })
})

suite('at the terminal', { skip: noTerminal }, () => {
  test('asks for the password without showing it, and leaves the terminal as it was', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const args = ['get', `${server.url}/t`, '-o', 'asked', '-u', user.name]
    const { host } = new URL(server.url)
    const typed = `wrong\u0015${user.password}x\u007f\r`
    const { screen } = await atTerminal(home, args, [[/: $/u, typed]], { behind: 'stty -a' })
    assert(screen.startsWith(`Password of ann for ${host}: \n`), screen)
    assert(!screen.includes('wrong') && !screen.includes(user.password))
    assert.match(screen, /[^-]\becho\b/u)
    assert.equal(readFileSync(home.path('asked'), 'utf8'), '/t')
  })

  test('asks although standard input is a list', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const input = `${server.url}/i\tfrom-list`
    const args = ['get', '-i', '-', '-u', user.name]
    const answers = [[/: $/u, `${user.password}\r`]] as const
    const { status, screen } = await atTerminal(home, args, answers, { input })
    assert.equal(status, 0, screen)
    assert.equal(readFileSync(home.path('from-list'), 'utf8'), '/i')
  })

  test('--password-stdin shows nothing either when standard input is the terminal', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const args = ['get', `${server.url}/tty`, '-o', 'tty', '-u', user.name, '--password-stdin']
    const { status, screen } = await atTerminal(home, args, [[/: $/u, `${user.password}\r`]])
    assert.equal(status, 0, screen)
    assert(!screen.includes(user.password))
  })

  test('Ctrl-C at the prompt changes nothing, and gives the terminal back', async () => {
    const before = (await home.jobs()).length
    const args = ['get', 'http://127.0.0.1:9/c', '-o', 'cancelled', '-u', 'ann']
    const behind = 'echo "status $?"; stty -a'
    const { screen } = await atTerminal(home, args, [[/: $/u, 'secr\u0003']], { behind })
    assert.match(screen, /Cancelled: the password of ann .+ERROR_CANCELLED/u)
    assert.match(screen, /^status 130$/mu)
    assert.match(screen, /[^-]\becho\b/u)
    assert.equal((await home.jobs()).length, before)
  })

  test('asks for the passwords of both, one after the other', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const proxy = await guardedProxy(t, guards.digest())
    const through = ['--proxy', proxy.address, '--noproxy', '<-loopback>']
    const args = ['get', `${server.url}/2`, '-o', 'both', '-u', user.name, '--proxy-user', 'ann']
    const answers = [
      [/Password of ann for 127[^:]+:\d+: $/u, `${user.password}\r`],
      [/Password of ann for the proxy http:\S+: $/u, `${user.password}\r`],
    ] as const
    const { status, screen } = await atTerminal(home, [...args, ...through], answers)
    assert.equal(status, 0, screen)
    assert.equal(readFileSync(home.path('both'), 'utf8'), '/2')
  })
})

suite('where nobody can be asked', { concurrency: 4 }, () => {
  const rows: readonly (readonly [
    args: readonly string[],
    input: string | undefined,
    says: RegExp,
  ])[] = [
    [['-u', 'a'], undefined, /no terminal, --password-stdin reads it/u],
    [['--proxy-user', 'a'], undefined, /no terminal, --proxy-password-stdin reads it/u],
    [['-u', 'a', '--password-stdin'], '', /no line for it/u],
    [
      ['-u', 'a', '--password-stdin', '--proxy-user', 'b', '--proxy-password-stdin'],
      'one\n',
      /password of b for the proxy/u,
    ],
    [['--bearer-stdin'], '', /bearer token/u],
    [['-u', 'a:hunter2'], undefined, /never stands on a command line/u],
    [['--proxy', 'http://a:hunter2@p:1'], undefined, /--proxy-user/u],
  ]
  for (const [args, input, says] of rows) {
    test(`lull get ${args.join(' ')} ends with 2`, async () => {
      const all = ['get', 'http://127.0.0.1:9/x', '-o', 'nothing', ...args]
      const { sentence, symbol } = await failing(2, all, input)
      assert.match(sentence, says)
      assert.equal(symbol, 'E_INVALIDARG')
      assert(!sentence.includes('hunter2'))
    })
  }
})

suite('a name and a password in a URL', () => {
  test('are refused on the command line, and taken from a list, where nobody else reads them', async (t) => {
    const server = await guarded(t, [guards.basic()])
    const { host } = new URL(server.url)
    const url = `http://${user.name}:${encodeURIComponent(user.password)}@${host}/u`
    const { sentence } = await failing(2, ['get', url, '-o', 'in-url'])
    assert.match(sentence, /--user names who asks/u)
    assert(!sentence.includes(encodeURIComponent(user.password)))
    const { status, stdout, stderr } = await withoutTerminal(
      home,
      ['get', '-i', '-'],
      `${url}\tin-url`,
    )
    assert.equal(status, 0, stderr)
    assert(!`${stdout}${stderr}`.includes(encodeURIComponent(user.password)))
    assert.equal(readFileSync(home.path('in-url'), 'utf8'), '/u')
  })
})

suite('lull credentials', { concurrency: 4 }, () => {
  test('shows which pairs are set, and takes them away', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob(`${server.url}/c`, 'listed')
    assert.equal(await printed(['credentials', 'list', id]), 'No credentials are set\n')
    const lines = await printed(
      ['credentials', 'set', id, '-u', 'CORP\\somebody', '--password-stdin', '--proxy-implicit'],
      'a secret that nobody reads\n',
    )
    assert.equal(lines, 'server       negotiate, ntlm, digest\nproxy        negotiate, ntlm\n')
    assert.equal(await printed(['credentials', 'list', id.slice(0, 8)]), lines)
    const listed = await home.json(['credentials', 'list', id])
    assert(!JSON.stringify(listed).includes('somebody'))
    assert.equal(
      await printed(['credentials', 'remove', id, '--scheme', 'ntlm,basic']),
      'Removed: server       ntlm\n',
    )
    assert.equal(
      await printed(['credentials', 'remove', id, '--scheme', 'ntlm']),
      'None of these were set\n',
    )
    assert.match(
      await printed(['credentials', 'set', id, '--preemptive']),
      /^preemptive {3}the server is told/mu,
    )
    await printed(['credentials', 'remove', id, '--preemptive'])
    assert.doesNotMatch(await printed(['credentials', 'list', id]), /preemptive/u)
    await printed(['credentials', 'remove', id, '--all'])
    assert.equal(await printed(['credentials', 'list', id]), 'No credentials are set\n')
    await printed(['cancel', id])
  })

  test('keeps nothing that anybody could read', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob(`${server.url}/r`, 'sealed')
    const secret = 'planted-secret-4711'
    await printed(['credentials', 'set', id, '-u', 'planted-name', '--password-stdin'], secret)
    for (const file of readdirSync(home.home)) {
      if (file.endsWith('.sock')) continue
      const content = readFileSync(join(home.home, file))
      for (const word of [secret, 'planted-name']) assert(!content.includes(word), file)
    }
    for (const args of [['jobs'], ['job', id, '--files'], ['credentials', 'list', id]]) {
      assert.doesNotMatch(JSON.stringify(await home.json(args)), /planted/u)
    }
    await printed(['cancel', id])
  })

  test('a new master key opens what the old one sealed', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob(`${server.url}/v`, 'rotated')
    await printed(['credentials', 'set', id, '-u', user.name, '--password-stdin'], rightLine)
    assert.match(await printed(['vault', 'rotate']), /sealed with a new key now/u)
    await printed(['resume', id])
    await until(() => existsSync(home.path('rotated')), 'it goes on')
  })

  const rows: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['credentials', 'set', 'x'], /--user, --proxy-user, --cert/u],
    [['credentials', 'set'], /give ID/u],
    [['credentials', 'remove', 'x'], /--scheme, --proxy-scheme, --cert, --preemptive or --all/u],
    [['credentials', 'lsit', 'x'], /did you mean lull credentials list/u],
    [['credentails', 'list'], /did you mean credentials/u],
    [['credentials', 'list', 'x', '--jsno'], /lull credentials list has no such option.+--json/u],
    [['vault', 'x'], /there are rotate/u],
    [['proxy', 'set', 'x'], /--proxy or --pac/u],
    [['proxy', 'set', 'x', '--noproxy', 'y'], /--noproxy alone/u],
  ]
  for (const [args, says] of rows) {
    test(`lull ${args.join(' ')} ends with 2`, async () => {
      assert.match((await failing(2, args)).sentence, says)
    })
  }
})

suite('lull get --cert', { skip: needsOpenssl }, () => {
  test('shows a certificate to a server that wants one, and opens its key', async (t) => {
    const authority = new Authority(t)
    const { key, cert } = authority.issue({ usage: 'clientAuth' })
    const locked = createPrivateKey(key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    })
    writeFileSync(home.path('client.pem'), cert)
    writeFileSync(home.path('client.key'), key, { mode: 0o600 })
    writeFileSync(home.path('locked.key'), locked, { mode: 0o600 })
    const url = await mutual(t, authority)
    const get = ['get', `${url}/m`, '--cacert', authority.file]
    const shown = ['--cert', 'client.pem']
    await printed([...get, '-o', 'with-key', ...shown, '--key', 'client.key'])
    assert.equal(readFileSync(home.path('with-key'), 'utf8'), 'leaf0')
    const opened = [...shown, '--key', 'locked.key', '--passphrase-stdin']
    await printed([...get, '-o', 'with-passphrase', ...opened], 'open sesame\n')
    assert(existsSync(home.path('with-passphrase')))
    const { sentence } = await failing(2, [...get, '-o', 'n', ...shown, '--key', 'locked.key'])
    assert.match(sentence, /passphrase of locked\.key: .+--passphrase-stdin/u)
    const unlocked = [...shown, '--key', 'client.key', '--passphrase-stdin']
    const needless = await failing(2, [...get, '-o', 'n', ...unlocked], 'x\n')
    assert.match(needless.sentence, /opens without a passphrase/u)
  })

  test('a server that wants one and gets none says how to mend it', async (t) => {
    const authority = new Authority(t)
    const { key, cert } = authority.issue({ usage: 'clientAuth' })
    writeFileSync(home.path('both.pem'), cert + key, { mode: 0o600 })
    const url = await mutual(t, authority)
    const args = ['get', `${url}/n`, '-o', 'wanted', '--cacert', authority.file]
    const { symbol, stderr } = await failing(1, args)
    assert.equal(symbol, 'ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED')
    const [, id = ''] = /set ([0-9a-f]{8}) --cert FILE$/mu.exec(stderr) ?? []
    const set = await printed(['credentials', 'set', id, '--cert', 'both.pem'])
    assert.equal(set, `certificate  ${home.path('both.pem')}\n`)
    await printed(['resume', id])
    await until(() => existsSync(home.path('wanted')), 'it goes on')
  })
})

/** A server that wants a certificate of this authority, and says whose it got. @returns its URL */
async function mutual(t: TestContext, authority: Authority): Promise<string> {
  const options = { ...authority.issue(), ca: authority.pem, requestCert: true }
  const server = createSecureServer(options, ({ socket }, response) => {
    // The socket of a server that speaks TLS.
    response.end((socket as TLSSocket).getPeerCertificate().subject.CN)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has a port.
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

suite('lull proxy', () => {
  test('sets and shows which way a job goes', async (t) => {
    const server = await guarded(t, [guards.digest()])
    const id = await refusedJob(`${server.url}/x`, 'way')
    writeFileSync(home.path('way.pac'), 'function FindProxyForURL() { return "DIRECT" }')
    const rows: readonly (readonly [args: readonly string[], shown: RegExp])[] = [
      [[], /^as the desktop is set/u],
      [['--proxy', 'none'], /^straight/u],
      [['--proxy', 'auto'], /^found anew/u],
      [['--proxy', 'p:1', '--noproxy', '*.x'], /^p:1, but straight to \*\.x$/mu],
      [['--pac', 'way.pac'], /^as file:.+way\.pac says/u],
      [['--proxy', 'system'], /^as the desktop is set/u],
    ]
    for (const [args, shown] of rows) {
      if (args.length > 0) assert.match(await printed(['proxy', 'set', id, ...args]), shown)
      assert.match(await printed(['proxy', 'show', id]), shown)
    }
    await printed(['cancel', id])
  })
})
