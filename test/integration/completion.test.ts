/** The completion scripts, in the shells they are for: what the tab key offers, and what it puts there. */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { before, suite, test } from 'node:test'
import { LullHome } from '../lab/lull.ts'
import { complete, shellNames, whyWithout, type Completion } from '../lab/shells.ts'

/** What is typed, and all that is offered for it. */
const offers: readonly (readonly [typed: string, offered: readonly string[], why: string])[] = [
  ['lull st', ['status', 'stop'], 'verbs'],
  ['lull credentials ', ['list', 'remove', 'set'], 'the second words of verbs that have two'],
  ['lull credentials set --proxy-u', ['--proxy-user'], 'options of such a verb'],
  ['lull get --re', ['--retry-delay'], 'options of the verb'],
  ['lull get http://a:1/ --re', ['--retry-delay'], 'options behind an operand with a colon'],
  [
    'lull get --force -o jobs --de',
    ['--detach'],
    'options of the verb, not of one that is a value',
  ],
  ['lull get --priority ', ['foreground', 'high', 'low', 'normal'], 'values of an option'],
  ['lull get -p f', ['foreground'], 'values of its letter'],
  ['lull completion ', ['bash', 'fish', 'zsh'], 'the only operands'],
  ['lull get -H a:', [], 'nothing for a value that nobody knows'],
  ['lull get ', [], 'nothing for a URL'],
  ['lull get -d my', ['my folder'], 'folders and no files'],
]

/** What is typed, what stands there then. */
const insertions: readonly (readonly [typed: string, line: string, why: string])[] = [
  ['lull ge', 'lull get ', 'a verb'],
  ['lull get --for', 'lull get --force ', 'a switch'],
  ['lull get --priority=f', 'lull get --priority=foreground ', 'a value behind ='],
  ['lull get --output=a_', 'lull get --output=a_b.txt ', 'a file behind ='],
  ['lull get -i my\\ l', 'lull get -i my\\ list.txt ', 'a space'],
  ['lull get -o br\\[', 'lull get -o br\\[1\\].txt ', 'brackets'],
  ['lull get -o co:l', 'lull get -o co:lon.txt ', 'a colon'],
  ['lull get -o it', "lull get -o it\\'s ", 'a quote'],
  ['lull get -o ho', 'lull get -o ho\\;touch\\ run ', 'a name that would be a command'],
  ['lull get --output=ho', 'lull get --output=ho\\;touch\\ run ', 'such a name behind ='],
  ['lull get -d dir', 'lull get -d dir\\[1\\]/', 'a folder'],
  ['lull jobs --state queued,susp', 'lull jobs --state queued,suspended ', 'a list'],
  ['lull jobs --state=queued,susp', 'lull jobs --state=queued,suspended ', 'a list behind ='],
]

/** Fish takes what stands behind such a colon for the begin of another name, whatever the command is. */
const notOfFish: typeof insertions = [
  ['lull get --output=co:l', 'lull get --output=co:lon.txt ', 'a colon behind ='],
]

/** What there is to complete. */
const files = [
  'a_b.txt',
  'my list.txt',
  'br[1].txt',
  'br1.txt',
  'co:lon.txt',
  "it's",
  'ho;touch run',
]

/** Words in front of the id of a job. */
const beforeIds = ['lull job ', 'lull suspend --json ', 'lull credentials list ', 'lull doctor -j ']

/** A job may be called anything; what it is called is neither offered nor run. */
const HOSTILE = '"id": "$(touch run)" `touch run`'

for (const shell of shellNames) {
  suite(shell, { skip: whyWithout(shell) }, () => {
    const inserted = shell === 'fish' ? insertions : [...insertions, ...notOfFish]
    const completions = new Map<string, Completion>()
    const ids: string[] = []

    before(async () => {
      await using home = new LullHome()
      for (const name of files) writeFileSync(home.path(name), '')
      for (const name of ['my folder', 'dir[1]']) mkdirSync(home.path(name))
      const manager = await home.manager()
      for (const name of ['one', HOSTILE]) ids.push((await manager.createJob(name)).id)
      const typed = [...offers, ...inserted].map(([line]) => line).concat(beforeIds)
      for (const [index, completion] of (await complete(shell, home, typed)).entries()) {
        completions.set(typed[index] ?? '', completion)
      }
      assert(!home.files.includes('run'))
    })

    for (const [typed, expected, why] of offers) {
      test(`offers ${why}: ${typed}`, () => {
        const { offered = [] } = completions.get(typed) ?? {}
        assert.deepEqual(offered.map(bare), expected)
      })
    }

    for (const [typed, line, why] of inserted) {
      test(`completes ${why}: ${typed}`, () => {
        assert.equal(plain(completions.get(typed)?.line), line)
      })
    }

    for (const typed of beforeIds) {
      test(`offers ids of jobs: ${typed}`, () => {
        assert.deepEqual(completions.get(typed)?.offered, ids.toSorted())
      })
    }
  })
}

/** Fish shows that a folder is one. */
function bare(offered: string): string {
  return offered.replace(/\/$/u, '')
}

/** A shell may quote a colon, and zsh puts a comma behind an item of a list, which the next blank takes away. */
function plain(line: string | undefined): string | undefined {
  return line?.replaceAll(String.raw`\:`, ':').replace(/,$/u, ' ')
}
