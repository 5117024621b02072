/** The command line as a person and a script meet it: every verb, option and exit status. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { transferPolicies, type JobView } from 'lull'
import { cannotCertify, makeCertificate } from '../lab/certificate.ts'
import { parseLastLine } from '../lab/expect.ts'
import { FILE_BYTES, GatedOrigin } from '../lab/gated-origin.ts'
import { LullHome, until, type RunOptions } from '../lab/lull.ts'

/** Three quick jobs must not wait for one another. */
const home = new LullHome({ config: { backgroundJobs: 100 } })
let origin: GatedOrigin

before(async () => {
  origin = await GatedOrigin.start()
})
after(async () => {
  await home[Symbol.asyncDispose]()
  await origin[Symbol.asyncDispose]()
})

function isWhole(name: string): boolean {
  return origin.content.firstDifference(home.path(name)) === undefined
}

/** Runs a command that must fail, and gives its last line. */
async function failing(
  status: number,
  args: readonly string[],
  options?: RunOptions,
): Promise<ReturnType<typeof parseLastLine>> {
  const result = await home.run(args, options)
  assert.equal(result.status, status, result.stderr)
  assert.equal(result.stdout, '')
  return parseLastLine(result.lastLine)
}

/** A job that was made detached; with `held` in its URLs it is still there when the next command runs. */
async function detached(...args: readonly string[]): Promise<JobView> {
  const { status, stdout, stderr } = await home.run(['get', ...args, '--detach', '--json'])
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

async function job(id: string): Promise<JobView> {
  // The command prints the job as the contract has it.
  return (await home.json(['job', id])) as JobView
}

suite('lull get', { concurrency: 4 }, () => {
  test('-o gives one file its name', async () => {
    const { status, stdout } = await home.run(['get', origin.url('/good/a'), '-o', 'by-o'])
    assert.equal(status, 0)
    assert.equal(stdout, '')
    assert(isWhole('by-o'))
  })

  test('-d takes the names from the URLs, of all of them in one job', async () => {
    mkdirSync(home.path('by-d'))
    const urls = ['x', 'y', 'z%20z'].map((name) => origin.url(`/good/${name}?q=1`))
    const { status, stderr } = await home.run(['get', ...urls, '-d', 'by-d'])
    assert.equal(status, 0, stderr)
    for (const name of ['x', 'y', 'z z']) assert(isWhole(`by-d/${name}`))
    assert.match(stderr, /x and 2 more: complete, 100 %, 600 kB of 600 kB, 3 of 3 files/u)
  })

  test('without -o and -d it saves where it is called', async () => {
    const cwd = home.path('here')
    mkdirSync(cwd)
    assert.equal((await home.run(['get', origin.url('/good/b')], { cwd })).status, 0)
    assert(isWhole('here/b'))
  })

  test('-i reads URLs and names from a file', async () => {
    mkdirSync(home.path('list'))
    const lines = [
      '\uFEFF# a comment',
      origin.url('/good/l1'),
      '',
      `${origin.url('/good/l2')}\tunder another name\r`,
    ]
    writeFileSync(home.path('list.txt'), lines.join('\n'))
    const { status, stderr } = await home.run(['get', '-i', home.path('list.txt'), '-d', 'list'])
    assert.equal(status, 0, stderr)
    assert(isWhole('list/l1'))
    assert(isWhole('list/under another name'))
  })

  test('-i - reads thousands of URLs from standard input', async () => {
    mkdirSync(home.path('many'))
    const count = 3_000
    const input = Array.from({ length: count }, (_, index) => origin.url(`/held/${index}`))
    const made = await home.run(['get', '-i', '-', '-d', 'many', '--detach', '--json'], {
      input: input.join('\n'),
    })
    assert.equal(made.status, 0, made.stderr)
    const { id, filesTotal }: JobView = JSON.parse(made.stdout)
    assert.equal(filesTotal, count)
    const { files } = (await home.json(['job', id, '--files'])) as { files: unknown[] }
    assert.equal(files.length, count)
    assert.equal((await home.run(['cancel', id])).status, 0)
  })

  test('--sha256 that is right lets the file appear', async () => {
    const digest = origin.content.digest('sha256').toUpperCase()
    const args = ['get', origin.url('/good/s'), '-o', 'sha-right', '--sha256', digest]
    assert.equal((await home.run(args)).status, 0)
    assert(isWhole('sha-right'))
  })

  test('--sha256 that is wrong lets nothing appear', async () => {
    const args = ['get', origin.url('/good/s'), '-o', 'sha-wrong', '--sha256', '0'.repeat(64)]
    const { symbol, context } = await failing(1, args)
    assert.equal(`${symbol} ${context}`, 'BG_E_VALIDATION_FAILED REMOTE_FILE')
    assert(!existsSync(home.path('sha-wrong')))
  })

  test('--header is sent, and the own ones of a transfer are refused', async () => {
    const headers = ['--header', 'X-One: 1', '-H', 'Authorization: Bearer secret-token']
    const { status, stderr } = await home.run(['get', origin.url('/good/h'), '-o', 'h', ...headers])
    assert.equal(status, 0)
    assert(!stderr.includes('secret-token'))
    const { headers: seen } = origin.requests.find(({ path }) => path === '/good/h') ?? {}
    assert.equal(seen?.['x-one'], '1')
    assert.equal(seen?.['authorization'], 'Bearer secret-token')
    for (const header of ['Host: x', 'Range: bytes=0-1', 'Bearer secret-token', 'A: b\nc']) {
      const args = ['get', origin.url('/good/h'), '-o', 'h2', '--header', header]
      const { sentence } = await failing(2, args)
      assert(!sentence.includes('secret-token'), sentence)
    }
  })

  test('--name, --priority and durations are the job’s', async () => {
    const patience = ['--retry-delay', '90s', '--no-progress-timeout', '2h']
    const named = ['--name', 'my job', '--priority', 'high', '--stall-timeout', '500ms']
    const { id } = await detached(origin.url('/held/p'), '-o', 'p', ...named, ...patience)
    const { displayName, priority, minimumRetryDelay, noProgressTimeout } = await job(id)
    assert.deepEqual(
      { displayName, priority, minimumRetryDelay, noProgressTimeout },
      {
        displayName: 'my job',
        priority: 'high',
        minimumRetryDelay: 90,
        noProgressTimeout: 7_200,
      },
    )
    assert.equal((await home.run(['cancel', id])).status, 0)
  })

  test('--metered says over which networks the job goes', async () => {
    const args = [origin.url('/held/cost'), '-o', 'cost', '--metered', 'no-surcharge']
    const { id, state } = await detached(...args)
    assert.notEqual(state, 'SUSPENDED')
    const made = await (await home.manager()).getJob(id)
    assert.equal(await made.getCostFlags(), transferPolicies.noSurcharge)
    assert.equal((await home.run(['cancel', id])).status, 0)
  })

  test('retries after 5 s at the least when nobody says otherwise', async () => {
    const { id, minimumRetryDelay } = await detached(origin.url('/held/r'), '-o', 'r')
    assert.equal(minimumRetryDelay, 5)
    assert.equal((await home.run(['cancel', id])).status, 0)
  })

  test('--detach prints the id, --detach --json one line, --detach --quiet nothing', async () => {
    const plain = await home.run(['get', origin.url('/good/d1'), '-o', 'd1', '--detach'])
    assert.match(plain.stdout, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/u)
    assert.equal(plain.stderr, '')
    const json = await home.run(['get', origin.url('/good/d2'), '-o', 'd2', '--detach', '--json'])
    assert.equal(json.stdout.trimEnd().split('\n').length, 1)
    assert.equal(JSON.parse(json.stdout).displayName, 'd2')
    const quiet = await home.run(['get', origin.url('/good/d3'), '-o', 'd3', '--detach', '--quiet'])
    assert.deepEqual(
      { status: quiet.status, stdout: quiet.stdout, stderr: quiet.stderr },
      {
        status: 0,
        stdout: '',
        stderr: '',
      },
    )
    // The service completes them by itself.
    await until(() => ['d1', 'd2', 'd3'].every((name) => existsSync(home.path(name))), 'files')
    assert(isWhole('d1') && isWhole('d2') && isWhole('d3'))
  })

  test('--json writes JSON lines on standard output, and ends with the complete job', async () => {
    const { status, stdout, stderr } = await home.run([
      'get',
      origin.url('/good/j'),
      '-o',
      'j',
      '--json',
    ])
    assert.equal(status, 0)
    assert.equal(stderr, '')
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line): JobView & { event: string } => JSON.parse(line))
    for (const { event } of events) assert.match(event, /^(?:job|progress)$/u)
    assert.equal(events.at(-1)?.state, 'ACKNOWLEDGED')
    assert.equal(events.at(-1)?.bytesTransferred, FILE_BYTES)
  })

  test('--quiet says nothing but why it failed', async () => {
    const good = await home.run(['get', origin.url('/good/q'), '-o', 'q', '--quiet'])
    assert.equal(good.stdout + good.stderr, '')
    const bad = await home.run(['get', origin.url('/status/404/q'), '-o', 'q4', '--quiet'])
    assert.equal(bad.status, 1)
    assert.equal(bad.stderr.trimEnd().split('\n').length, 1)
  })

  test('an existing target is refused before anything is asked, and replaced with --force', async () => {
    writeFileSync(home.path('mine'), 'mine')
    const { symbol, context } = await failing(1, ['get', origin.url('/good/mine'), '-o', 'mine'])
    assert.equal(`${symbol} ${context}`, 'ERROR_FILE_EXISTS LOCAL_FILE')
    assert.equal(readFileSync(home.path('mine'), 'utf8'), 'mine')
    assert.equal(origin.count('/good/mine'), 0)
    assert.equal(
      (await home.run(['get', origin.url('/good/mine'), '-o', 'mine', '--force'])).status,
      0,
    )
    assert(isWhole('mine'))
  })

  test('of many files one that exists is enough to refuse them all', async () => {
    mkdirSync(home.path('some'))
    writeFileSync(home.path('some/e2'), '')
    const urls = ['e1', 'e2'].map((name) => origin.url(`/good/${name}`))
    await failing(1, ['get', ...urls, '-d', 'some'])
    assert.equal(origin.count('/good/e1'), 0)
  })

  test('a job that fails ends with BITS’s code, and says how to try again', async () => {
    const url = origin.url('/status/404/x')
    const { status, stderr, lastLine } = await home.run(['get', url, '-o', 'x404'])
    assert.equal(status, 1)
    assert.equal(
      lastLine,
      `lull: The server answered 404: there is no such file: ${url} (BG_E_HTTP_ERROR_404 0x80190194, REMOTE_FILE)`,
    )
    assert.match(stderr, /^Job [0-9a-f]{8} stays in the queue: lull resume [0-9a-f]{8}/mu)
    assert(!existsSync(home.path('x404')))
  })

  test('a missing folder, and a target that is a folder, are told before there is a job', async () => {
    const missing = await failing(1, ['get', origin.url('/good/m'), '-o', 'no/such/folder/m'])
    assert.equal(`${missing.symbol} ${missing.context}`, 'ERROR_PATH_NOT_FOUND LOCAL_FILE')
    assert.match(missing.sentence, /the folder .*no\/such\/folder does not exist/u)
    mkdirSync(home.path('folder'))
    const folder = await failing(1, ['get', origin.url('/good/m'), '-o', 'folder'])
    assert.match(folder.sentence, /there is a folder of this name; -d saves in it/u)
    const names = (await home.jobs()).map(({ displayName }) => displayName)
    assert(!names.includes('m') && !names.includes('folder'))
    assert.equal(origin.count('/good/m'), 0)
  })

  test('of many files one that is missing fails the job, and what is whole can be kept', async () => {
    mkdirSync(home.path('holes'))
    const manager = await home.manager()
    const { id: whole } = await detached(
      origin.url('/good/whole'),
      origin.url('/held/h'),
      '-d',
      'holes',
    )
    const made = await manager.getJob(whole)
    await until(async () => (await made.getView()).filesTransferred === 1, 'one file is there')
    await made.addFile(origin.url('/status/404/hole'), home.path('holes/hole'))
    const { status, stderr } = await home.run(['follow', whole])
    assert.equal(status, 1)
    const [, id = ''] =
      /lull complete ([0-9a-f]{8}) keeps the file that is whole/u.exec(stderr) ?? []
    const { stdout } = await home.run(['complete', id])
    assert.equal(stdout, `${id} ACKNOWLEDGED: 1 of 3 files are kept, the rest is deleted\n`)
    assert(isWhole('holes/whole'))
  })

  test('a line of a list that is wrong is named', async () => {
    const rows: readonly (readonly [list: string, says: RegExp])[] = [
      [`# urls\n\n${origin.url('/good/1')}\nftp://h/x\n`, /ftp.*\(line 4 of standard input\)/u],
      [`${origin.url('/')}\n`, /behind it and a tab \(line 1 of standard input\)/u],
      ['# nothing\n', /there is no URL in standard input/u],
    ]
    for (const [input, says] of rows) {
      const { sentence } = await failing(2, ['get', '-i', '-'], { input })
      assert.match(sentence, says)
    }
  })
})

suite('https', { skip: cannotCertify }, () => {
  test('--cacert trusts its authorities, and nobody else does', async () => {
    const tls = makeCertificate()
    await using secure = await GatedOrigin.start({ tls })
    writeFileSync(home.path('ca.pem'), tls.cert)
    const url = secure.url('/good/t')
    const trusting = await home.run(['get', url, '-o', 'tls', '--cacert', 'ca.pem'])
    assert.equal(trusting.status, 0, trusting.stderr)
    assert(isWhole('tls'))
    const args = ['get', url, '-o', 'tls2', '--no-progress-timeout', '0', '--quiet']
    const { symbol } = await failing(1, args)
    assert.equal(symbol, 'ERROR_WINHTTP_SECURE_INVALID_CA')
    assert.match((await failing(2, [...args, '--cacert', 'none.pem'])).sentence, /none\.pem/u)
  })
})

suite('wrong usage', { concurrency: 4 }, () => {
  const url = 'http://127.0.0.1:1/x'
  const rows: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['gett', url], /did you mean get/u],
    [[url], /did you mean lull get http/u],
    [['get'], /give a URL/u],
    [['get', url, '--ouput', 'x'], /did you mean --output/u],
    [['get', url, '--no-progres-timeout=3'], /did you mean --no-progress-timeout/u],
    [['jobs', '--jsno'], /did you mean --json/u],
    [['get', url, '-Z'], /-Z/u],
    [['get', url, '-o'], /-o/u],
    [['get', url, url, '-o', 'x'], /one name/u],
    [['get', url, `${url}?2`, '-d', '.'], /both/u],
    [['get', 'http://127.0.0.1:1/'], /-o/u],
    [['get', url, '-o', 'x', '-d', '.'], /-o and -d/u],
    [['get', url, '-o', 'x/'], /names a folder/u],
    [['get', url, '-d', ''], /names no folder/u],
    [['get', url, '-o', '-'], /standard output/u],
    [['get', 'ftp://h/x'], /ftp/u],
    [['get', 'http://user:hunter2@h/x'], /user name or password/u],
    [['get', 'not a url'], /not a url/u],
    [['get', url, '--sha256', 'abc'], /--sha256 "abc": a SHA-256 has 64 hexadecimal digits/u],
    [['get', url, '--priority', 'urgent'], /foreground, high, normal, low/u],
    [['get', url, '--metered', 'never'], /always, not-roaming, no-surcharge/u],
    [['get', url, '--retry-delay', 'soon'], /--retry-delay/u],
    [['get', url, '--stall-timeout', '0'], /stall/u],
    [['get', url, '--header', 'nothing'], /--header/u],
    [['get', url, '--name', 'x'.repeat(300)], /256/u],
    [['get', '-i', 'no-such-list'], /no-such-list: there is no such file/u],
    [['follow'], /give ID/u],
    [['job'], /give ID/u],
    [['job', 'a', 'b'], /"b"/u],
    [['suspend'], /give ID/u],
    [['jobs', '--limit', '0'], /--limit/u],
    [['completion', 'tcsh'], /bash, zsh and fish/u],
    [['status', 'now'], /"now"/u],
  ]
  for (const [args, says] of rows) {
    test(`lull ${args.join(' ').slice(0, 60)} ends with 2`, async () => {
      const { sentence, symbol } = await failing(2, args)
      assert.match(sentence, says)
      assert.equal(symbol, 'E_INVALIDARG')
      assert(!sentence.includes('hunter2'))
    })
  }

  test('--help of every verb is on standard output, and ends with 0', async () => {
    const { stdout } = await home.run(['--help'])
    const verbs = [...stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}/gmu)].map(([, verb]) => verb)
    assert(verbs.includes('get') && verbs.includes('completion'))
    assert(verbs.includes('credentials set') && verbs.includes('vault rotate'))
    for (const verb of [...verbs, 'credentials', 'proxy', 'vault']) {
      const help = await home.run([...(verb ?? '').split(' '), '--help'])
      assert.equal(help.status, 0)
      assert(help.stdout.startsWith(`Usage: lull ${verb}`))
      assert.equal(help.stderr, '')
    }
  })
})

suite('jobs', { concurrency: 4 }, () => {
  test('lull jobs --json is an array of what is in the queue', async () => {
    const { id } = await detached(origin.url('/held/list'), '-o', 'list-json', '--name', 'listed')
    await until(async () => (await job(id)).bytesTotal !== null, 'its size is known')
    const all = (await home.json(['jobs'])) as readonly JobView[]
    const found = all.find((each) => each.id === id)
    assert.equal(found?.displayName, 'listed')
    assert.equal(found.owner, (await job(id)).owner)
    assert.notEqual(found.owner, '')
    assert.deepEqual([found.bytesTotal, found.filesTotal, found.filesTransferred], [200_000, 1, 0])
    assert.deepEqual([found.waitingFor, found.error], [null, null])
    await home.run(['cancel', id])
  })

  test('a unique beginning of an id is enough, one that is not is refused', async () => {
    const { id } = await detached(origin.url('/held/prefix'), '-o', 'prefix')
    let length = 1
    const ids = ((await home.json(['jobs', '--all'])) as readonly JobView[]).map((each) => each.id)
    while (ids.filter((each) => each.startsWith(id.slice(0, length))).length > 1) length++
    assert.equal((await job(id.slice(0, length + 7))).id, id)
    assert.equal((await job(id.toUpperCase())).id, id)
    const { symbol } = await failing(1, ['job', 'zzzz'])
    assert.equal(symbol, 'BG_E_NOT_FOUND')
    await home.run(['cancel', id])
  })

  test('suspend, resume and cancel do what they say, to all that are named', async () => {
    const [a, b] = [
      await detached(origin.url('/held/c1'), '-o', 'c1'),
      await detached(origin.url('/held/c2'), '-o', 'c2'),
    ]
    const suspended = await home.run(['suspend', a.id, 'zzzz', b.id])
    assert.equal(suspended.status, 1, 'one of them is not there')
    assert.equal(parseLastLine(suspended.lastLine).symbol, 'BG_E_NOT_FOUND')
    assert.match(suspended.stdout, /SUSPENDED\n.*SUSPENDED\n$/u)
    assert.equal((await job(a.id)).state, 'SUSPENDED')
    assert.equal((await home.run(['resume', a.id, b.id])).status, 0)
    assert.notEqual((await job(b.id)).state, 'SUSPENDED')
    assert.equal((await home.run(['cancel', a.id, b.id])).status, 0)
    assert.equal((await job(a.id)).state, 'CANCELLED')
    assert.equal((await failing(1, ['resume', a.id])).symbol, 'BG_E_INVALID_STATE')
    assert(!existsSync(home.path('c1')))
  })

  test('complete gives what is there its name, and leaves the rest out', async () => {
    mkdirSync(home.path('part'))
    const urls = [origin.url('/good/p1'), origin.url('/held/p2')]
    const { id } = await detached(...urls, '-d', 'part')
    await until(async () => (await job(id)).filesTransferred === 1, 'one file is there')
    const { stdout, status } = await home.run(['complete', id])
    assert.equal(status, 0)
    assert.match(stdout, /ACKNOWLEDGED: 1 of 2 files are kept/u)
    assert(isWhole('part/p1'))
    assert(!existsSync(home.path('part/p2')))
    assert.equal((await job(id)).partial, true)
  })

  test('a follower learns that its job was cancelled', async () => {
    const url = origin.url('/held/gone')
    const follower = home.run(['get', url, '-o', 'gone', '--name', 'to be cancelled'])
    const found = async (): Promise<JobView | undefined> =>
      (await home.jobs()).find(({ displayName }) => displayName === 'to be cancelled')
    await until(async () => (await found())?.state === 'TRANSFERRING', 'it moves')
    await home.run(['cancel', (await found())?.id ?? ''])
    const { status, lastLine } = await follower
    assert.equal(status, 1)
    assert.equal(parseLastLine(lastLine).symbol, 'ERROR_CANCELLED')
  })

  test('lull status --json says who runs where', async () => {
    const status = (await home.json(['status'])) as Record<string, unknown>
    assert.equal(status['pid'], home.servicePid)
    assert.equal(status['home'], home.home)
    assert(Array.isArray(status['carriers']))
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
    )
    assert.equal(status['version'], version)
  })

  test('names of jobs cannot move the cursor', async () => {
    const name = 'evil\u001B[2J\nname\u202Egpj'
    const { id } = await detached(origin.url('/held/evil'), '-o', 'evil', '--name', name)
    for (const args of [['jobs'], ['job', id]]) {
      const { stdout } = await home.run(args)
      assert(stdout.includes('evil?[2J?name?gpj'), stdout)
    }
    await home.run(['cancel', id])
  })
})

suite('a file that cannot be read', { skip: process.getuid?.() === 0 && 'root may' }, () => {
  test('a list without the right to read is told', async () => {
    writeFileSync(home.path('closed'), '')
    chmodSync(home.path('closed'), 0)
    await failing(2, ['get', '-i', 'closed'])
  })
})
