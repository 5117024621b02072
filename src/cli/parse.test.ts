import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CliError } from './cli-error.ts'
import { completionScript } from './completion.ts'
import { generalHelp, groupHelp, verbHelp } from './help.ts'
import { nearest } from './nearest.ts'
import { parse } from './parse.ts'
import { formatBytes, formatDuration, parseDuration } from './quantity.ts'
import { Rate } from './rate.ts'
import { isVerb, verbs, type VerbSpec } from './verbs.ts'

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert(error instanceof CliError)
    assert.equal(error.status, 2)
    return error.message
  }
  throw new assert.AssertionError({ message: 'it was not refused' })
}

describe('parse()', () => {
  test('parse() reads operands, switches, values and repeated values', () => {
    const args = parse('get', [
      'u1',
      '-o',
      'f',
      '--header',
      'A: 1',
      '-H',
      'B: 2',
      '--json',
      '--',
      '-x',
    ])
    assert.deepEqual(args.operands, ['u1', '-x'])
    assert.equal(args.value('output'), 'f')
    assert.deepEqual(args.values('header'), ['A: 1', 'B: 2'])
    assert(args.has('json'))
    assert(!args.has('quiet'))
  })

  test('parse() names the nearest right option for a wrong one', () => {
    assert.match(
      refusal(() => parse('get', ['u', '--prioritty', 'low'])),
      /did you mean --priority/u,
    )
    assert.match(
      refusal(() => parse('get', ['u', '--ouput=x'])),
      /did you mean --output/u,
    )
    assert.match(
      refusal(() => parse('jobs', ['--jsno'])),
      /did you mean --json/u,
    )
    assert.match(
      refusal(() => parse('jobs', ['--zzzzzz'])),
      /--help lists them/u,
    )
  })

  test('parse() takes the word behind an option as its value, whatever it looks like', () => {
    assert.equal(parse('get', ['u', '--name', 'job']).value('name'), 'job')
    assert.match(
      refusal(() => parse('get', ['u', '--output'])),
      /Cannot read --output: FILE is missing behind it/u,
    )
  })

  test('parse() says what is missing, in words that a verb or a noun goes with', () => {
    const rows = [
      ['follow', /^Cannot follow nothing: give ID/u],
      ['job', /^Cannot run lull job on nothing: give ID/u],
      ['proxy show', /^Cannot run lull proxy show on nothing: give ID/u],
    ] as const
    for (const [verb, sentence] of rows)
      assert.match(
        refusal(() => parse(verb, [])),
        sentence,
      )
  })

  test('parse() says how a value is written that looks like an option', () => {
    for (const option of ['-o', '--output']) {
      const sentence = refusal(() => parse('get', ['u', option, '-x']))
      assert.match(sentence, /-x behind it looks like an option, --output=-x takes it as it is/u)
    }
    assert.equal(parse('get', ['u', '--output=-x']).value('output'), '-x')
  })

  test('parse() reads letters behind one dash, and names the one that is wrong', () => {
    const args = parse('get', ['u', '-qfo', 'x', '-dsome folder', '-i', '-'])
    assert(args.has('quiet') && args.has('force'))
    assert.deepEqual(
      [args.value('output'), args.value('directory'), args.value('input')],
      ['x', 'some folder', '-'],
    )
    assert.match(
      refusal(() => parse('get', ['u', '-qZ'])),
      /Cannot understand -Z: lull get has no such option/u,
    )
    assert.match(
      refusal(() => parse('get', ['u', '-o'])),
      /FILE is missing/u,
    )
    assert.match(
      refusal(() => parse('get', ['u', '--quiet=yes'])),
      /--quiet takes no value/u,
    )
  })

  test('parse() refuses too few and too many operands', () => {
    assert.match(
      refusal(() => parse('job', [])),
      /give ID/u,
    )
    assert.match(
      refusal(() => parse('job', ['a', 'b'])),
      /"b"/u,
    )
    assert.match(
      refusal(() => parse('status', ['x'])),
      /takes no more words/u,
    )
  })
})

describe('help and completion', () => {
  const all = Object.entries(verbs) as [string, VerbSpec][]

  test('generalHelp() and verbHelp() show every verb and every option', () => {
    for (const [verb, spec] of all) {
      assert(isVerb(verb) && generalHelp().includes(verb))
      for (const option of Object.keys(spec.options)) assert(verbHelp(verb).includes(`--${option}`))
      for (const line of verbHelp(verb).split('\n')) assert(line.length <= 100, line)
    }
  })

  test('groupHelp() shows what belongs together, and nothing else', () => {
    const help = groupHelp('credentials')
    assert(help.includes('credentials set') && help.includes('credentials list'))
    assert(!help.includes('vault'))
  })

  test('completionScript() knows every verb and option in every shell', () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = completionScript(shell)
      for (const [verb, spec] of all) {
        for (const word of verb.split(' ')) assert(script.includes(word), `${shell} ${word}`)
        for (const option of Object.keys(spec.options))
          assert(script.includes(option), `${shell} ${option}`)
      }
    }
    assert.match(
      refusal(() => completionScript('tcsh')),
      /bash, zsh and fish/u,
    )
  })
})

describe('words and numbers', () => {
  test('nearest() forgives swapped, missing and wrong letters, and guesses nothing far away', () => {
    assert.equal(nearest('resmue', ['resume', 'suspend']), 'resume')
    assert.equal(nearest('cancle', ['cancel', 'complete']), 'cancel')
    assert.equal(nearest('stat', ['status', 'stop']), 'status')
    assert.equal(nearest('xyz', ['status', 'stop']), undefined)
  })

  test('formatBytes() shows three digits', () => {
    const rows: [number, string][] = [
      [0, '0 B'],
      [999, '999 B'],
      [1_000, '1.00 kB'],
      [20_480, '20.5 kB'],
      [999_999, '1.00 MB'],
      [1_073_741_824, '1.07 GB'],
      [123_456_789_012, '123 GB'],
    ]
    for (const [bytes, text] of rows) assert.equal(formatBytes(bytes), text)
  })

  test('formatDuration() shows two units', () => {
    const rows: [number, string][] = [
      [0, '0 s'],
      [59.2, '1 min 0 s'],
      [200, '3 min 20 s'],
      [7_500, '2 h 5 min'],
      [273_600, '3 d 4 h'],
    ]
    for (const [seconds, text] of rows) assert.equal(formatDuration(seconds), text)
  })

  test('parseDuration() takes seconds without a unit, and refuses what is no duration', () => {
    const rows: [string, number][] = [
      ['5', 5_000],
      ['500ms', 500],
      ['1.5s', 1_500],
      ['10m', 600_000],
      ['2h', 7_200_000],
      ['14d', 1_209_600_000],
    ]
    for (const [text, ms] of rows) assert.equal(parseDuration('x', text), ms)
    for (const text of ['', 's', '-1', '5 weeks', 'ten']) {
      assert.match(
        refusal(() => parseDuration('retry-delay', text)),
        /--retry-delay/u,
      )
    }
  })

  test('Rate follows a change of speed and rests', () => {
    const rate = new Rate()
    for (let second = 0; second <= 20; second++) rate.sample(second * 1_000, second * 1_000)
    assert(Math.abs(rate.perSecond - 1_000) < 1)
    rate.rest()
    assert.equal(rate.perSecond, 0)
  })
})
