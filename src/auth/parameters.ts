/** Lists of `name=value`, as in `Authentication-Info` (RFC 7615 §3) and after a scheme. */

import { FieldScanner } from './field-scanner.ts'

/** A value that is written as it is: a token, or text that is already in quotes. */
export interface Bare {
  readonly bare: string
}

/** A parameter to write. Strings are put in quotes; `undefined` leaves the parameter out. */
export type Parameter = readonly [name: string, value: string | Bare | undefined]

/** Writes parameters in order, separated by comma and space. */
export function formatParameters(parameters: readonly Parameter[]): string {
  const written: string[] = []
  for (const [name, value] of parameters) {
    if (value === undefined) continue
    written.push(`${name}=${typeof value === 'string' ? quote(value) : value.bare}`)
  }
  return written.join(', ')
}

/** What a quoted-string has to escape. */
const special = /["\\]/
const specials = /["\\]/g

/** Puts text in quotes, with `"` and `\` escaped (RFC 9110 §5.6.4). */
export function quote(text: string): string {
  return special.test(text) ? `"${text.replaceAll(specials, String.raw`\$&`)}"` : `"${text}"`
}

/**
 * Reads the lines of one list of parameters; a later parameter with the name of an earlier one is ignored, and what
 * cannot be read ends its line.
 *
 * @returns values by lower-case name, without quotes and escapes
 */
export function parseParameters(fieldValues: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const value of fieldValues) {
    const line = new FieldScanner(value)
    for (line.skipEmptyElements(); !line.atEnd; line.skipEmptyElements()) {
      const name = line.token()?.toLowerCase()
      const text = line.assignment()
      if (name === undefined || text === undefined) break
      if (!parameters.has(name)) parameters.set(name, text)
    }
  }
  return parameters
}
