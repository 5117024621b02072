/** Runs a service in a process of its own. */

import { once } from 'node:events'
import { parse, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { proxyVariables } from '../job/route.ts'
import { builtin } from './builtin.ts'
import type { Home } from './home.ts'
import { makeFolder } from './make-folder.ts'
import { serviceArguments, serviceEnvironment } from './service-arguments.ts'

/** What a service that could not start says on its way out. */
export interface StartProblem {
  readonly code: string
  readonly message: string
}

/** Starts a service that outlives this process; resolves when it answers, or with the reason why it does not. */
export async function spawnService(
  home: Home,
  env?: Readonly<Record<string, string>>,
): Promise<StartProblem | undefined> {
  const unfit = tryToMake(home.folder)
  if (unfit !== undefined) return unfit
  const entry = new URL(`../service/main${import.meta.url.slice(-3)}`, import.meta.url)
  const child = builtin('node:child_process').spawn(
    process.execPath,
    [...serviceArguments, fileURLToPath(entry)],
    {
      // A folder that nobody deletes under a process that runs for months.
      cwd: parse(home.folder).root,
      env: { ...serviceEnvironment, ...ownEnvironment(), ...env },
      detached: true,
      // The fourth channel says in one line of JSON how the start went.
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      windowsHide: true,
    },
  )
  child.unref()
  const channel = child.stdio[3] as Readable
  const failed = once(child, 'error').then(([error]: unknown[]) => String(error))
  const told = read(channel)
  const text = await Promise.race([told, failed])
  channel.destroy()
  try {
    const { code, message }: { code?: string; message?: string } = JSON.parse(text)
    return code === undefined ? undefined : { code, message: message ?? code }
  } catch {
    return {
      code: 'ERR_SERVICE_START',
      message: `Cannot start the service: ${text || 'it ended without a word'}`,
    }
  }
}

/**
 * The variables of this process but those that name proxies: the service works for many, and each of them says its own
 * with every job (`asCaller`).
 */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = { ...process.env }
  for (const name of proxyVariables) delete kept[name]
  // It runs in another folder than this process.
  const { LULL_HOME: home = '' } = kept
  return home === '' ? kept : { ...kept, LULL_HOME: resolve(home) }
}

function tryToMake(folder: string): StartProblem | undefined {
  try {
    makeFolder(folder)
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { code: 'ERR_SERVICE_START', message: `Cannot make the folder ${folder}: ${reason}` }
  }
}

async function read(channel: Readable): Promise<string> {
  channel.setEncoding('utf8')
  let text = ''
  for await (const piece of channel) {
    text += String(piece)
    if (text.endsWith('\n')) break
  }
  return text
}
