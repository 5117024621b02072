/** Help, made from the table of verbs. */

import { secondWords, verbs, type OptionSpec, type Verb, type VerbSpec } from './verbs.ts'

const WIDTH = 100

/** What `lull --help` shows. */
export function generalHelp(): string {
  return `Lull downloads in the background and survives everything that happens on the way.

Usage: lull VERB [OPTIONS] …

${summaries(Object.keys(verbs))}

  lull VERB --help shows the options of a verb.
  LULL_HOME names another folder for the queue, the socket and the log.
`
}

/** What `lull credentials --help` shows: verbs that begin with the same word. */
export function groupHelp(first: string): string {
  const members = secondWords(first).map((second) => `${first} ${second}`)
  return `Usage: lull ${first} ${secondWords(first).join('|')} [OPTIONS] …

${summaries(members)}

  lull ${members[0]} --help shows the options of one.
`
}

function summaries(names: readonly string[]): string {
  const width = Math.max(...names.map((name) => name.length))
  return Object.entries(verbs)
    .filter(([name]) => names.includes(name))
    .map(([name, { summary }]) => hang(`  ${name.padEnd(width)}  `, summary))
    .join('\n')
}

/** What `lull VERB --help` shows. */
export function verbHelp(verb: Verb): string {
  const spec: VerbSpec = verbs[verb]
  const options = Object.entries(spec.options)
  const width = Math.min(
    32,
    Math.max(...options.map(([name, option]) => left(name, option).length)),
  )
  const groups = [...new Set(options.map(([, { group }]) => group))]
  const sections = groups.map((group) => {
    const lines = options
      .filter(([, option]) => option.group === group)
      .map(([name, option]) => hang(`  ${left(name, option).padEnd(width)}  `, option.help))
    return `${group === undefined ? '' : `${group}:\n`}${lines.join('\n')}\n`
  })
  const usage = `Usage: lull ${verb} [OPTIONS]${spec.operands === '' ? '' : ` ${spec.operands}`}`
  const notes = (spec.notes ?? []).map((note) => `${hang('', note)}\n`)
  return [`${usage}\n`, `${hang('', spec.summary)}.\n`, ...sections, ...notes].join('\n')
}

function left(name: string, { short, value }: OptionSpec): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}

/** Wraps a text behind a first column. */
function hang(first: string, text: string): string {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = ' '.repeat(first.length)
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n')
}
