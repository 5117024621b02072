/** Words of a command line become options and operands. */

import type { ParseArgsOptionsConfig } from 'node:util'
import { builtin } from '../client/builtin.ts'
import { usageError } from './cli-error.ts'
import { nearest } from './nearest.ts'
import { verbs, type OptionSpec, type Verb, type VerbSpec } from './verbs.ts'

/** What was given to a verb. */
export interface Arguments {
  readonly operands: readonly string[]
  /** Whether any of these options was given. */
  readonly hasAny: (options: Readonly<Record<string, OptionSpec>>) => boolean
  /** Whether a switch was given. */
  readonly has: (option: string) => boolean
  /** The value of an option, the last one that was given. */
  readonly value: (option: string) => string | undefined
  /** Every value of an option. */
  readonly values: (option: string) => readonly string[]
}

/**
 * Parses the words behind a verb.
 *
 * @throws {CliError} exit status 2; a wrong option is told with the nearest right one
 */
export function parse(verb: Verb, words: readonly string[]): Arguments {
  const spec: VerbSpec = verbs[verb]
  checkNames(verb, spec, words)
  let parsed
  try {
    parsed = builtin('node:util').parseArgs({
      args: [...words],
      options: nodeOptions(spec),
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw usageError(`Cannot read the command line: ${reason.replace(/\.$/u, '')}`)
  }
  const given = new Map(Object.entries(parsed.values))
  const all = (option: string): readonly string[] => {
    const found = given.get(option)
    return (Array.isArray(found) ? found : [found]).filter((value) => typeof value === 'string')
  }
  if (given.get('help') !== true) checkOperands(verb, spec, parsed.positionals)
  return {
    operands: parsed.positionals,
    hasAny: (options) => Object.keys(options).some((option) => given.has(option)),
    has: (option) => given.get(option) === true,
    value: (option) => all(option).at(-1),
    values: all,
  }
}

function nodeOptions(spec: VerbSpec): ParseArgsOptionsConfig {
  const config: ParseArgsOptionsConfig = {}
  for (const [name, { short, value }] of Object.entries(spec.options)) {
    config[name] = {
      type: value === undefined ? 'boolean' : 'string',
      multiple: value !== undefined,
      ...(short === undefined ? {} : { short }),
    }
  }
  return config
}

/** Finds what is wrong with options before Node does: with a better word on it. */
function checkNames(verb: Verb, spec: VerbSpec, words: readonly string[]): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return
    const last = word.startsWith('--') ? checkLong(verb, spec, word) : checkShort(verb, spec, word)
    // An option that takes the next word as its value.
    if (last === undefined) continue
    at++
    if (at >= words.length) {
      throw usageError(`Cannot read ${word}: ${last.value} is missing behind it`)
    }
    const value = words[at] ?? ''
    if (/^-./u.test(value)) {
      const name = Object.keys(spec.options).find((each) => spec.options[each] === last)
      throw usageError(
        `Cannot read ${word}: ${value} behind it looks like an option, --${name}=${value} takes it as it is`,
      )
    }
  }
}

/** @returns the option when its value is the next word */
function checkLong(verb: Verb, { options }: VerbSpec, word: string): OptionSpec | undefined {
  const [name = '', ...values] = word.slice(2).split('=')
  const option = new Map(Object.entries(options)).get(name)
  if (option === undefined) throw unknownOption(verb, `--${name}`, Object.keys(options))
  if (option.value !== undefined) return values.length === 0 ? option : undefined
  if (values.length > 0) throw usageError(`Cannot understand ${word}: --${name} takes no value`)
  return undefined
}

/** Several letters may stand behind one dash; what stands behind one that takes a value is that value. */
function checkShort(verb: Verb, { options }: VerbSpec, word: string): OptionSpec | undefined {
  if (!word.startsWith('-')) return undefined
  for (let index = 1; index < word.length; index++) {
    const letter = word.charAt(index)
    const option = Object.values(options).find(({ short }) => short === letter)
    if (option === undefined) throw unknownOption(verb, `-${letter}`, [])
    if (option.value !== undefined) return index === word.length - 1 ? option : undefined
  }
  return undefined
}

function unknownOption(verb: Verb, given: string, names: readonly string[]): Error {
  const suggestion = nearest(given.replace(/^-+/u, ''), names)
  const hint =
    suggestion === undefined ? `lull ${verb} --help lists them` : `did you mean --${suggestion}`
  return usageError(`Cannot understand ${given}: lull ${verb} has no such option, ${hint}`)
}

/** Whether a verb says what is done to what stands behind it: there are nouns among them. */
function isAction(verb: Verb): boolean {
  return verb !== 'job' && verb !== 'completion'
}

function checkOperands(verb: Verb, spec: VerbSpec, operands: readonly string[]): void {
  if (operands.length < spec.leastOperands) {
    const what = spec.operands.replace('…', '')
    throw usageError(
      verb.includes(' ') || !isAction(verb)
        ? `Cannot run lull ${verb} on nothing: give ${what}`
        : `Cannot ${verb} nothing: give ${what}`,
    )
  }
  if (operands.length > spec.mostOperands) {
    throw usageError(
      `Cannot understand ${JSON.stringify(operands[spec.mostOperands])}: lull ${verb} takes no more words`,
    )
  }
}
