/** Reads the small files that desktops and systems keep settings in. */

import { constants, open } from 'node:fs/promises'

/** Larger than any of them. */
const LONGEST_FILE = 256 * 1024

/**
 * The text of a settings file, as far as it is read.
 *
 * @returns undefined when there is none that this process may read
 */
export async function readSettingsFile(path: string): Promise<string | undefined> {
  try {
    // A pipe in its place must not keep anybody waiting.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    if (!(await file.stat()).isFile()) return undefined
    const buffer = Buffer.alloc(LONGEST_FILE)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === buffer.length) break
    }
    return buffer.toString('utf8', 0, length)
  } catch {
    return undefined
  }
}
