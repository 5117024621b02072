/** What it costs to prove who is asking: small files behind each scheme, at the server and at a proxy, beside curl. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Place } from '../test/lab/apache.ts'
import { PASSWORD } from '../test/lab/kdc-contexts.ts'
import { cannotProxyWith, cannotServe, Lab } from '../test/lab/lab.ts'
import { NTLM_USER, USER } from '../test/lab/people.ts'
import { proxySchemes, type ProxyScheme } from '../test/lab/squid.ts'
import { measure, median } from './measure.ts'
import { lull, startService } from './service.ts'

const FILE_BYTES = 20_480

/** One way to ask, and the same in curl's words. */
interface Way {
  readonly name: string
  readonly place: Place
  readonly lull: readonly string[]
  readonly input?: string
  readonly curl?: readonly string[]
  /** Not through {@link Way.proxy} only, but through one that asks. */
  readonly isBaseline?: boolean
}

/** What is measured. */
export interface AuthenticatedBench {
  readonly files: number
  readonly rounds: number
  /** Where files are put. */
  readonly folder: string
  readonly parent: string
}

const typed = { input: `${PASSWORD}\n` }

function as(user: string, scheme: string): readonly string[] {
  return ['--user', user, '--password-stdin', '--scheme', scheme]
}

function serverWays(lab: Lab): readonly Way[] {
  return [
    { name: 'no proof', place: 'none', lull: [], curl: [], isBaseline: true },
    {
      name: 'Digest',
      place: 'digest',
      lull: as(USER, 'digest'),
      ...typed,
      curl: ['--digest', '-u', `${USER}:${PASSWORD}`],
    },
    // curl sends a NEGOTIATE message that this server does not take.
    { name: 'NTLM', place: 'ntlm', lull: as(NTLM_USER, 'ntlm'), ...typed },
    {
      name: 'Negotiate (Kerberos)',
      place: 'negotiate',
      lull: ['--ccache', lab.tickets],
      curl: ['--negotiate', '-u', ':'],
    },
  ]
}

function proxyWays(lab: Lab, scheme: ProxyScheme): readonly Way[] {
  const squid = lab.squid(scheme)
  const open = `http://localhost:${squid.port('openHttp')}`
  const asking = `http://localhost:${squid.port('http')}`
  const user = scheme === 'ntlm' ? NTLM_USER : USER
  const identity =
    scheme === 'negotiate'
      ? { lull: ['--proxy-ccache', lab.tickets], curl: ['-U', ':'] }
      : {
          lull: ['--proxy-user', user, '--proxy-password-stdin', '--proxy-scheme', scheme],
          ...typed,
          curl: ['-U', `${user}:${PASSWORD}`],
        }
  return [
    {
      name: `a proxy that asks nothing`,
      place: 'none',
      lull: ['--proxy', open],
      curl: ['-x', open],
      isBaseline: true,
    },
    {
      ...identity,
      name: `the same that asks for ${scheme}`,
      place: 'none',
      lull: ['--proxy', asking, ...identity.lull],
      curl: ['-x', asking, `--proxy-${scheme}`, ...identity.curl],
    },
  ]
}

/** Measures and prints a table; says why where the servers cannot be here. */
export async function benchAuthenticated(bench: AuthenticatedBench): Promise<void> {
  if (cannotServe !== false) {
    process.stdout.write(`\nNot measured: files behind authentication (${cannotServe})\n`)
    return
  }
  const proxies = proxySchemes.filter((scheme) => cannotProxyWith(scheme) === false)
  await using lab = await Lab.start({ proxies })
  Object.assign(process.env, lab.kdc.environment, { KRB5CCNAME: lab.tickets })
  mkdirSync(dirname(lab.apache.path('small/0')), { recursive: true })
  for (let index = 0; index < bench.files; index++) {
    writeFileSync(lab.apache.path(`small/${index}`), Buffer.alloc(FILE_BYTES, index))
  }
  await using service = await startService(bench.parent)
  await table('at the server', serverWays(lab), lab, service, bench)
  for (const scheme of proxies) {
    await table(`at a ${scheme} proxy`, proxyWays(lab, scheme), lab, service, bench)
  }
}

async function table(
  title: string,
  ways: readonly Way[],
  lab: Lab,
  service: Awaited<ReturnType<typeof startService>>,
  { files, rounds, folder }: AuthenticatedBench,
): Promise<void> {
  const walls = new Map<string, number[]>()
  const run = async (key: string, way: Way, byCurl: boolean): Promise<number> => {
    const target = mkdtempSync(join(folder, 'lull-bench-target-'))
    const urls = Array.from({ length: files }, (_, index) =>
      lab.apache.url('http', way.place, `small/${index}`),
    )
    const list = join(folder, `lull-bench-list-${process.pid}`)
    writeFileSync(
      list,
      byCurl ? urls.map((url) => `url=${url}\nremote-name`).join('\n') : urls.join('\n'),
    )
    try {
      const input = way.input === undefined ? {} : { input: way.input }
      const cost = byCurl
        ? await measure('curl', [
            '-sSf',
            '-Z',
            '--parallel-max',
            '6',
            '--output-dir',
            target,
            ...(way.curl ?? []),
            '-K',
            list,
          ])
        : await measure(
            process.execPath,
            [lull, 'get', '--quiet', '-i', list, '-d', target, ...way.lull],
            { helpers: [service.pid], env: service.env, ...input },
          )
      const found = readdirSync(target).length
      if (found !== files) throw new Error(`${key} made ${found} files of ${files}`)
      return cost.wallS
    } finally {
      rmSync(target, { recursive: true, force: true })
      rmSync(list, { force: true })
    }
  }
  const runs = ways.flatMap((way) => [
    { key: `lull ${way.name}`, way, byCurl: false },
    ...(way.curl === undefined ? [] : [{ key: `curl ${way.name}`, way, byCurl: true }]),
  ])
  for (let round = -1; round < rounds; round++) {
    for (const { key, way, byCurl } of round % 2 === 0 ? runs : runs.toReversed()) {
      const wall = await run(key, way, byCurl)
      // The first round warms caches and is not counted.
      if (round >= 0) walls.set(key, [...(walls.get(key) ?? []), wall])
    }
  }
  process.stdout.write(
    `\n### ${files} files of ${FILE_BYTES} bytes, proof ${title} (medians of ${rounds} rounds)\n\n`,
  )
  process.stdout.write(
    '| program | | wall s | µs a file | × without proof |\n|---|---|---|---|---|\n',
  )
  for (const program of ['lull', 'curl']) {
    const baseline =
      walls.get(`${program} ${ways.find(({ isBaseline }) => isBaseline)?.name}`) ?? []
    for (const { name } of ways) {
      const taken = walls.get(`${program} ${name}`)
      if (taken === undefined) continue
      const ratio = median(taken.map((wall, index) => wall / (baseline[index] ?? Number.NaN)))
      const cells = [
        program,
        name,
        median(taken).toFixed(3),
        ((median(taken) / files) * 1e6).toFixed(0),
        ratio.toFixed(2),
      ]
      process.stdout.write(`| ${cells.join(' | ')} |\n`)
    }
  }
}
