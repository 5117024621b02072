/** What all completion scripts ask of the table of verbs. */

import { firstWords, secondWords, verbs, type OptionSpec, type VerbSpec } from '../verbs.ts'

/** Every verb, in the order in which help shows them. */
export const verbSpecs: readonly (readonly [verb: string, spec: VerbSpec])[] = Object.entries(verbs)

/** The options of a verb, by their long names. */
export function optionsOf(
  spec: VerbSpec,
): readonly (readonly [name: string, option: OptionSpec])[] {
  return Object.entries(spec.options)
}

/** First words that need a second one. */
export const pairs: readonly (readonly [first: string, seconds: readonly string[]])[] = firstWords
  .map((first) => [first, secondWords(first)] as const)
  .filter(([, seconds]) => seconds.length > 0)

/** What a word is about: its verb, or all that belong together. */
export function summaryOf(word: string): string {
  const own = verbSpecs.find(([verb]) => verb === word)
  return own === undefined ? secondWords(word).join(', ') : own[1].summary
}

/**
 * Prints the ids of jobs, one in a line, in any shell. Nothing but an id passes: what is between these quotes was written
 * by others.
 */
export const JOB_IDS = `lull jobs --json 2>/dev/null | grep -o '"id": *"[0-9A-Fa-f-]*"' | cut -d '"' -f 4`
