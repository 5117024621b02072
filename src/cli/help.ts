/** Help, made from the table of verbs. */

import { verbs, type OptionSpec, type Verb, type VerbSpec } from './verbs.ts'

const WIDTH = 100

/** What `lull --help` shows. */
export function generalHelp(): string {
  const width = Math.max(...Object.keys(verbs).map((name) => name.length))
  const lines = Object.entries(verbs).map(([name, { summary }]) => {
    return hang(`  ${name.padEnd(width)}  `, summary)
  })
  return `Lull downloads in the background and survives everything that happens on the way.

Usage: lull VERB [OPTIONS] …

${lines.join('\n')}

  lull VERB --help shows the options of a verb.
  LULL_HOME names another folder for the queue, the socket and the log.
`
}

/** What `lull VERB --help` shows. */
export function verbHelp(verb: Verb): string {
  const spec: VerbSpec = verbs[verb]
  const options = Object.entries(spec.options).map(([name, option]) => [
    left(name, option),
    option.help,
  ])
  const width = Math.min(32, Math.max(...options.map(([words]) => words?.length ?? 0)))
  const lines = options.map(([words = '', help = '']) => hang(`  ${words.padEnd(width)}  `, help))
  const usage = `Usage: lull ${verb} [OPTIONS]${spec.operands === '' ? '' : ` ${spec.operands}`}`
  const notes = (spec.notes ?? []).map((note) => `${hang('', note)}\n`)
  return [`${usage}\n`, `${hang('', spec.summary)}.\n`, `${lines.join('\n')}\n`, ...notes].join(
    '\n',
  )
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
