/** What is installed on this machine: programs of the lab, and the packages of Debian that bring them. */

import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Daemons lie where a user's PATH does not look. */
export const path = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter)

/** Packages by what they bring: the name of a program, or a glob of the full path of a file. */
export type Needs = Readonly<Record<string, string>>

/** Why something of the lab cannot run here; `false` when all of it is there. */
export function whyMissing(needs: Needs): string | false {
  const packages = missingPackages(needs)
  return packages.length === 0 ? false : `${packages.join(', ')} not installed`
}

/** The packages that are not there. */
export function missingPackages(needs: Needs): readonly string[] {
  const missing = Object.entries(needs).filter(([program]) => !isInstalled(program))
  return [...new Set(missing.map(([, name]) => name))]
}

function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return globSync(program).length > 0
  return path.split(delimiter).some((folder) => isProgram(join(folder, program)))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
