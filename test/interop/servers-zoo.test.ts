/** Servers and proxies of many makes: many files in one job, names of every kind, and a file that goes on in its middle. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Content } from '../lab/content.ts'
import { makeFolder, removeFolder } from '../lab/daemon.ts'
import { settle } from '../lab/follow.ts'
import { LullHome } from '../lab/lull.ts'
import { Relay } from '../lab/relay.ts'
import {
  cannotKeep,
  Kept,
  proxies,
  servers,
  zooUser,
  type Animal,
  type ZooProxy,
} from '../lab/zoo.ts'

const LARGE = new Content(7, 2_500_000)

/** What each connection lets through of a large file. */
const CUT_AFTER = 1_000_000

/** Files that are small, and names that are not plain. */
const names = [
  ...Array.from({ length: 80 }, (_, number) => `file-${number}`),
  'a name with blanks.txt',
  'größer €.txt',
  'plus+and&ampersand.txt',
  'archive.tar.gz',
]

const home = new LullHome()
const files = makeFolder('zoo-files')
let folders = 0
let behind: Kept | undefined

before(async () => {
  const long = new Date('2024-02-03T04:05:06Z')
  for (const [seed, name] of names.entries()) {
    const size = [0, 1, 300, 20_000][seed % 4]
    writeFileSync(join(files, name), new Content(seed, size ?? 0).bytes())
  }
  writeFileSync(join(files, 'large'), LARGE.bytes())
  // A file of just now may change within the second of its date, and is not gone on with by that.
  utimesSync(join(files, 'large'), long, long)
  if (cannotKeep(servers.lighttpd) === false) {
    behind = await Kept.start(servers.lighttpd, { files })
  }
})

after(async () => {
  await home[Symbol.asyncDispose]()
  await behind?.[Symbol.asyncDispose]()
  removeFolder(files)
})

/** Fetches all small files with one command. */
async function assertFetched(
  origin: string,
  options: readonly string[] = [],
  input?: string,
): Promise<void> {
  const folder = home.path(`small-${folders++}`)
  mkdirSync(folder)
  const list = `${folder}.list`
  writeFileSync(list, names.map((name) => `${origin}/${encodeURIComponent(name)}\t${name}`).join('\n')) // prettier-ignore
  const { status, stderr } = await home.run(
    ['get', '-i', list, '-d', folder, ...options],
    input === undefined ? {} : { input },
  )
  assert.equal(status, 0, stderr)
  assert.deepEqual(readdirSync(folder).toSorted(), names.toSorted())
  const wrong = names.filter(
    (name) => !readFileSync(join(folder, name)).equals(readFileSync(join(files, name))),
  )
  assert.deepEqual(wrong, [])
}

/** Fetches a large file over connections that end in its middle. */
async function assertGoesOn(port: number): Promise<void> {
  await using relay = await Relay.start(port, CUT_AFTER)
  const target = home.path(`large-${folders++}`)
  const manager = await home.manager()
  const job = await manager.createJob('large', {
    files: [{ remoteName: `http://127.0.0.1:${relay.port}/large`, localName: target }],
    priority: 'foreground',
    completesItself: true,
    resume: true,
  })
  // From the beginning again, it would never come to its end.
  const { state, error } = await settle(job, { nudges: 5 })
  assert.equal(state, 'ACKNOWLEDGED', error?.message)
  assert.equal(LARGE.firstDifference(target), undefined)
}

const whole: readonly (readonly [string, Animal])[] = Object.entries(servers)
const needsBehind = cannotKeep(servers.lighttpd)

for (const [name, animal] of whole) {
  suite(name, { skip: cannotKeep(animal) || (name === 'haproxy' && needsBehind) }, () => {
    let kept: Kept
    before(async () => {
      kept = await Kept.start(animal, { files, behind: behind?.port ?? 0 })
    })
    after(() => kept[Symbol.asyncDispose]())

    test(`many files of ${name} are what they are there`, () =>
      assertFetched(`http://127.0.0.1:${kept.port}`))

    const knowsNoRanges = name === 'mini-httpd' && 'it knows no ranges'
    test(`a file of ${name} goes on where it was cut off`, { skip: knowsNoRanges }, () =>
      assertGoesOn(kept.port),
    )
  })
}

const ways: readonly (readonly [string, ZooProxy])[] = Object.entries(proxies)

for (const [name, animal] of ways) {
  suite(name, { skip: cannotKeep(animal) || needsBehind }, () => {
    let kept: Kept
    before(async () => {
      kept = await Kept.start(animal)
    })
    after(() => kept[Symbol.asyncDispose]())

    test(`many files come through ${name} as they are`, () => {
      const proxy = ['--proxy', `${animal.scheme}://127.0.0.1:${kept.port}`]
      const origin = `http://localhost:${behind?.port ?? 0}`
      if (!animal.asks) return assertFetched(origin, proxy)
      const login = ['--proxy-user', zooUser.name, '--proxy-password-stdin']
      const options = [...proxy, ...login, '--proxy-scheme', 'basic']
      return assertFetched(origin, options, `${zooUser.password}\n`)
    })
  })
}
