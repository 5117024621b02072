/** Words of a command line become options and operands. */

import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { usageError } from './cli-error.ts'
import { nearest } from './nearest.ts'
import { verbs, type OptionSpec, type Verb, type VerbSpec } from './verbs.ts'

/** What was given to a verb. */
export interface Arguments {
  readonly operands: readonly string[]
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
    parsed = parseArgs({
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

/** Finds an option that is not there, before Node does: with a better word on it. */
function checkNames(verb: Verb, spec: VerbSpec, words: readonly string[]): void {
  const names = Object.keys(spec.options)
  const options = new Map<string, OptionSpec>(Object.entries(spec.options))
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return
    if (!word.startsWith('--')) {
      const short = [...options.values()].find((option) => option.short === word[1])
      const takesNext = word.startsWith('-') && word.length === 2 && short?.value !== undefined
      if (takesNext) at++
      continue
    }
    const name = word.slice(2).split('=')[0] ?? ''
    const option = options.get(name)
    if (option === undefined) throw unknownOption(verb, `--${name}`, names)
    if (option.value !== undefined && !word.includes('=')) at++
  }
}

function unknownOption(verb: Verb, given: string, names: readonly string[]): Error {
  const suggestion = nearest(given.slice(2), names)
  const hint =
    suggestion === undefined ? `lull ${verb} --help lists them` : `did you mean --${suggestion}`
  return usageError(`Cannot understand ${given}: lull ${verb} has no such option, ${hint}`)
}

function checkOperands(verb: Verb, spec: VerbSpec, operands: readonly string[]): void {
  if (operands.length < spec.leastOperands) {
    throw usageError(`Cannot ${verb} nothing: give ${spec.operands.replace('…', '')}`)
  }
  if (operands.length > spec.mostOperands) {
    throw usageError(
      `Cannot understand ${JSON.stringify(operands[spec.mostOperands])}: lull ${verb} takes no more words`,
    )
  }
}
