/** Content codings that say what a file is, not what was done to it on the way. */

/** Endings of files that are made in a coding, by the names of the coding. */
const endings: ReadonlyMap<string, RegExp> = new Map([
  ['gzip', /\.(?:t?gz|taz|svgz|vgz|emz|wmz)$/iu],
  ['compress', /\.(?:t?z|taz)$/iu],
  ['bzip2', /\.(?:bz2?|tbz2?)$/iu],
  ['xz', /\.t?xz$/iu],
  ['br', /\.br$/iu],
  ['zstd', /\.t?zst$/iu],
])

/**
 * Whether a file at this URL is itself what the coding makes: a server that is told of its encodings by the ends of
 * names calls `a.tar.gz` a tar file in the coding gzip (RFC 9110 §8.4). Its bytes are the file's, as they are.
 *
 * @param coding what Content-Encoding says, lower case
 * @param url where the file was found
 */
export function isOwnCoding(coding: string, url: string): boolean {
  const name = coding.startsWith('x-') ? coding.slice(2) : coding
  return URL.canParse(url) && endings.get(name)?.test(new URL(url).pathname) === true
}
