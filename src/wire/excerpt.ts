/** What a message may show of a value that somebody else wrote. */

/** Characters of a value that a message shows. */
const SHOWN_CHARACTERS = 80

/** The beginning of a value in quotes, control characters escaped, for an error message; never for a secret. */
export function excerpt(value: string): string {
  if (value.length <= SHOWN_CHARACTERS) return JSON.stringify(value)
  return `${JSON.stringify(value.slice(0, SHOWN_CHARACTERS))} and ${value.length - SHOWN_CHARACTERS} characters more`
}
