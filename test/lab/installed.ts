/** What is installed on this machine: programs of the lab, and the packages of Debian that bring them. */

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Daemons lie where a user's PATH does not look. */
export const path = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter)

/**
 * Why something of the lab cannot run here.
 *
 * @param programs packages by what they bring: a program's name, or the full path of a file
 * @returns `false` when all is there
 */
export function whyMissing(programs: Readonly<Record<string, string>>): string | false {
  const missing = Object.entries(programs).filter(([program]) => !isInstalled(program))
  const packages = [...new Set(missing.map(([, name]) => name))]
  return packages.length === 0 ? false : `${packages.join(', ')} not installed`
}

function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return isThere(program, constants.R_OK)
  return path.split(delimiter).some((folder) => isThere(join(folder, program), constants.X_OK))
}

function isThere(file: string, mode: number): boolean {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}
