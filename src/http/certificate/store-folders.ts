/** Where the certificate stores lie outside Windows' own (A81): one folder for each location, one in it for each store. */

import { isAbsolute, join } from 'node:path'
import type { CertificateLocation } from '../../job/certificate.ts'

/** The folders of the three locations that there are here. */
export interface StoreFolders {
  readonly currentUser: string
  readonly localMachine: string
  readonly currentService: string
}

/** What the folders depend on. */
export interface StoreWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** Of the user whose jobs the service runs. */
  readonly homeFolder: string
  /** The folder that gives the service its identity; /var/lib/lull for one that the system starts. */
  readonly serviceFolder: string
}

/** The folders where the platform keeps such things. */
export function storeFolders(world: StoreWorld): StoreFolders {
  const currentService = join(world.serviceFolder, 'certs')
  const { env, platform, homeFolder } = world
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'] ?? join(homeFolder, 'AppData', 'Local')
    const common = env['ProgramData'] ?? String.raw`C:\ProgramData`
    return {
      currentUser: join(local, 'Lull', 'certs'),
      localMachine: join(common, 'Lull', 'certs'),
      currentService,
    }
  }
  if (platform === 'darwin') {
    const support = join('Library', 'Application Support', 'Lull', 'certs')
    return { currentUser: join(homeFolder, support), localMachine: join('/', support), currentService } // prettier-ignore
  }
  const data = env['XDG_DATA_HOME']
  const isChosen = data !== undefined && isAbsolute(data)
  return {
    currentUser: join(isChosen ? data : join(homeFolder, '.local/share'), 'lull', 'certs'),
    localMachine: '/etc/lull/certs',
    currentService,
  }
}

/** The folder of a location; `undefined` for those that only Windows has (A81). */
export function locationFolder(
  folders: StoreFolders,
  location: CertificateLocation,
): string | undefined {
  const known: Readonly<Partial<Record<CertificateLocation, string>>> = folders
  return known[location]
}
