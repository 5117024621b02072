/** Names for files that come from a server or a URL, made harmless. */

/** The longest name in bytes of UTF-8 that every common file system takes. */
export const LONGEST_FILE_NAME = 255

/** The longest extension in bytes, its dot included, that survives when a name is cut. */
const LONGEST_KEPT_EXTENSION = 16

/** Characters of a path segment of a URL that are looked at; more than any name needs, all percent-encoded. */
const LONGEST_SEGMENT = 4096

/**
 * What no name may hold: controls, halves of surrogate pairs, what Windows forbids or gives a meaning (`:` opens an
 * alternate stream), what is not seen or turns the writing direction (`gpj.exe` shown as `exe.jpg`), and the private
 * characters that Cygwin, WSL and the SMB client of macOS turn back into the forbidden ASCII ones.
 */
const forbidden =
  /[\p{Cc}\p{Cs}<>:"|?*\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\uf000-\uf0ff\ufeff]/gu

/** Device names of Windows: they mean the device in every folder and with every extension. */
const device =
  /^(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$|clock\$)\s*(?:\.|$)/i

/** Files that Windows reads when a folder is shown; `desktop.ini` may make it log on to a stranger's server. */
const folderSettings = /^(?:desktop\.ini|thumbs\.db|autorun\.inf)$/i

/** Beginnings that hide a file (`.`), that a shell expands (`~`), or that a program takes for an option (`-`). */
const unseemlyStart = /^[.~-]/

/**
 * Makes a name of what a server or a URL suggests: one that stays inside its folder on every platform, is seen there,
 * and means nothing but itself. It is the only way from such a suggestion to a file system.
 *
 * Of a path only what follows the last `/` or `\` counts. Each forbidden character becomes `_`; white space at both ends
 * and dots at the end go, as Windows would drop them; a name that hides, is a device, or steers the folder gets `_`
 * in front. What is longer than {@link LONGEST_FILE_NAME} is cut between two code points, before a short extension.
 *
 * @returns 1 to {@link LONGEST_FILE_NAME} bytes of UTF-8; the same again when it is put in again; `undefined` when
 *   nothing is left, as of `''`, `'.'`, `'..'` and `'folder/'`
 * @see RFC 6266 §4.3, RFC 9110 §17.3
 */
export function safeFileName(name: string): string | undefined {
  const segment = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  const visible = trimEnds(segment.replace(forbidden, '_'))
  const short = cut(visible, LONGEST_FILE_NAME)
  if (short === '') return undefined
  const needsMark = unseemlyStart.test(short) || device.test(short) || folderSettings.test(short)
  return needsMark ? `_${cut(visible, LONGEST_FILE_NAME - 1)}` : short
}

/**
 * The name a URL suggests: its last path segment that is not empty, with UTF-8 percent-decoded; sequences that are not
 * UTF-8 stay as they are written.
 *
 * @param url absolute; its query and fragment do not count
 * @returns a name that {@link safeFileName} has made; `undefined` when the URL cannot be read or suggests none
 */
export function fileNameFromUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  // Most URLs, of which there may be very many, need not be taken apart for it.
  const plain = plainEnd.exec(url)?.[1]
  if (plain !== undefined) return safeFileName(plain)
  const segment = new URL(url).pathname.split('/').findLast((segment) => segment !== '')
  if (segment === undefined) return undefined
  return safeFileName(decodePercent(segment.slice(0, LONGEST_SEGMENT)))
}

/** A path whose last segment says what it is: not empty, no `.` or `..`, nothing encoded, and nothing behind it. */
const plainEnd = /^https?:\/\/[^/\\?#]+\/(?:[^?#]*\/)?(\w[\w.-]{0,200})$/i

/** One code point of UTF-8, percent-encoded; overlong forms and surrogates are weeded out by the decoder. */
const encodedCodePoint =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/gi

function decodePercent(text: string): string {
  return text.replace(encodedCodePoint, (sequence) => {
    try {
      return decodeURIComponent(sequence)
    } catch {
      return sequence
    }
  })
}

/** Without white space at both ends and dots at the end. */
function trimEnds(name: string): string {
  let end = name.length
  while (end > 0 && /[\s.]/.test(name.charAt(end - 1))) end -= 1
  return name.slice(0, end).trimStart()
}

/** At most `longest` bytes of a name; 17 or more. */
function cut(name: string, longest: number): string {
  // A code unit has three bytes at most.
  if (name.length * 3 <= longest || countBytes(name) <= longest) return name
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 ? name.slice(dot) : ''
  const extensionBytes = countBytes(extension)
  if (extensionBytes > LONGEST_KEPT_EXTENSION) return trimEnds(beginning(name, longest))
  return trimEnds(
    beginning(name.slice(0, name.length - extension.length), longest - extensionBytes) + extension,
  )
}

/** As many whole code points as `longest` bytes of UTF-8 hold. */
function beginning(text: string, longest: number): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += countBytes(character)
    if (bytes > longest) break
    end += character.length
  }
  return text.slice(0, end)
}

function countBytes(text: string): number {
  return new TextEncoder().encode(text).length
}
