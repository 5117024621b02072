/** Where a service keeps what it owns, and where it answers: one place knows the platforms' customs. */

import { tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { builtin } from './builtin.ts'
import { currentUser, homeFolder } from './who.ts'

/** The places of one service. */
export interface Home {
  /** The folder that gives the service its identity: one service per folder. */
  readonly folder: string
  readonly queue: string
  readonly lock: string
  readonly log: string
  readonly config: string
  /** Path of the local socket, or name of the pipe on Windows. */
  readonly socket: string
}

/** What the places depend on. */
export interface HomeWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly homeFolder: string
  readonly temporaryFolder: string
  /** The user's id, or name where there are no ids. */
  readonly user: string
}

/**
 * Bytes of a socket's path that every system takes (sockaddr_un holds 104 on macOS, 108 on Linux, with the NUL).
 */
const SOCKET_PATH_LIMIT = 103

/** The world as it is. */
export function currentWorld(): HomeWorld {
  return {
    env: process.env,
    platform: process.platform,
    homeFolder: homeFolder(),
    temporaryFolder: tmpdir(),
    user: currentUser().id,
  }
}

/**
 * Finds the places: all in `LULL_HOME` when that is set, else where the platform keeps such things (the XDG folders,
 * Library, LOCALAPPDATA).
 */
export function findHome(world: HomeWorld = currentWorld()): Home {
  const { env, platform } = world
  const chosen = env['LULL_HOME']
  if (chosen !== undefined && chosen !== '') return homeIn(resolve(chosen), world)
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'] ?? join(world.homeFolder, 'AppData', 'Local')
    return homeIn(join(local, 'Lull'), world)
  }
  if (platform === 'darwin') {
    const library = join(world.homeFolder, 'Library')
    const home = homeIn(join(library, 'Application Support', 'Lull'), world)
    return { ...home, log: join(library, 'Logs', 'Lull', 'lull.log') }
  }
  return xdgHome(world)
}

function xdgHome(world: HomeWorld): Home {
  const { env, homeFolder } = world
  const folder = (variable: string, fallback: string): string => {
    const value = env[variable]
    // A relative path in these variables is to be ignored (XDG Base Directory Specification).
    return join(
      value !== undefined && isAbsolute(value) ? value : join(homeFolder, fallback),
      'lull',
    )
  }
  const home = homeIn(folder('XDG_DATA_HOME', '.local/share'), world)
  return {
    ...home,
    log: join(folder('XDG_STATE_HOME', '.local/state'), 'lull.log'),
    config: join(folder('XDG_CONFIG_HOME', '.config'), 'config.json'),
  }
}

function homeIn(folder: string, world: HomeWorld): Home {
  return {
    folder,
    queue: join(folder, 'queue.db'),
    lock: join(folder, 'lock'),
    log: join(folder, 'lull.log'),
    config: join(folder, 'config.json'),
    socket: socketOf(folder, world),
  }
}

/** In the folder where it fits; else in a folder of the user's own that is short enough. */
function socketOf(folder: string, { platform, temporaryFolder, user }: HomeWorld): string {
  if (platform === 'win32') return `\\\\.\\pipe\\lull-${user}-${digestOf(folder)}`
  const path = join(folder, 'lull.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_LIMIT) return path
  const name = `${digestOf(folder)}.sock`
  const short = join(temporaryFolder, `lull-${user}`, name)
  return Buffer.byteLength(short) <= SOCKET_PATH_LIMIT ? short : join('/tmp', `lull-${user}`, name)
}

/** A name for a folder: 32 hexadecimal digits. */
function digestOf(folder: string): string {
  return builtin('node:crypto').createHash('sha256').update(folder).digest('hex').slice(0, 32)
}
