/** The completion script of fish. */

import { firstWords, type OptionSpec, type VerbSpec } from '../verbs.ts'
import { JOB_IDS, optionsOf, pairs, summaryOf, verbSpecs } from './table.ts'

/** The script. */
export function fish(): string {
  const lines = [
    ...firstWords.map((word) => complete('__lull_has', ['-a', word], summaryOf(word))),
    ...pairs.flatMap(([first, seconds]) =>
      seconds.map((second) =>
        complete(`__lull_has ${first}`, ['-a', second], summaryOf(`${first} ${second}`)),
      ),
    ),
    ...verbSpecs.flatMap(([verb, spec]) => verbLines(`__lull_runs ${verb}`, spec)),
  ]
  return `# fish completion of lull
function __lull_has # whether these are all words so far
    set -l words (commandline -opc)
    test "$words[2..-1]" = "$argv"
end
function __lull_runs # whether these are the first words
    set -l words (commandline -opc)
    test (count $words) -gt (count $argv); and test "$words[2..$(math 1 + (count $argv))]" = "$argv"
end
function __lull_list # one more of these, behind those that stand there with commas
    set -l before (commandline -ct | string replace -r '^--[^=]*=' '' | string match -r '^.*,')
    printf '%s\\n' "$before"$argv
end
function __lull_jobs
    ${JOB_IDS}
end
complete -c lull -e
complete -c lull -f
complete -c lull -n __lull_has -l help -d 'Show what there is'
complete -c lull -n __lull_has -l version -d 'Show the version'
${lines.join('\n')}
`
}

function verbLines(condition: string, spec: VerbSpec): readonly string[] {
  const options = optionsOf(spec).map(([name, option]) => {
    const names = option.short === undefined ? ['-l', name] : ['-l', name, '-s', option.short]
    return complete(condition, [...names, ...completing(option)], option.help)
  })
  if (spec.completes === 'job') options.push(complete(condition, ['-a', '(__lull_jobs)']))
  if (spec.choices !== undefined) {
    options.push(complete(condition, ['-a', spec.choices.join(' ')]))
  }
  return options
}

/** What offers the values of an option. */
function completing({ value, choices, isList, completes }: OptionSpec): readonly string[] {
  if (value === undefined) return []
  if (choices !== undefined) {
    const words = choices.join(' ')
    return ['-x', '-a', isList === true ? `(__lull_list ${words})` : words]
  }
  switch (completes) {
    case 'file':
      return ['-r', '-F']
    case 'folder':
      return ['-x', '-a', '(__fish_complete_directories)']
    case 'job':
      return ['-x', '-a', '(__lull_jobs)']
    case undefined:
      return ['-x']
    default:
      return completes satisfies never
  }
}

function complete(condition: string, words: readonly string[], help?: string): string {
  const all = ['-n', condition, ...words, ...(help === undefined ? [] : ['-d', help])]
  return `complete -c lull ${all.map(quoted).join(' ')}`
}

function quoted(text: string): string {
  if (/^[\w-]+$/u.test(text)) return text
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
