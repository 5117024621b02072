/** The address of a script as networks tell it. */

/** No address of a script is longer, in characters. */
const LONGEST_URL = 2_048

/**
 * Reads what an option of DHCP says. Servers append NUL and line ends (N80).
 *
 * @returns undefined for what is no `http:` or `https:` address; user information and fragment are left out
 */
export function parseScriptUrl(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is cut off
  const trimmed = text.replace(/[\u0000\s]+$/u, '').trim()
  if (trimmed.length > LONGEST_URL || !/^https?:\/\//iu.test(trimmed)) return undefined
  if (!URL.canParse(trimmed)) return undefined
  const url = new URL(trimmed)
  url.username = ''
  url.password = ''
  url.hash = ''
  return url.href
}
