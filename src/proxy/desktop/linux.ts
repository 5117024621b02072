/** Settings on Linux: the desktop's, else the portal's; the environment's; the machine's (N49). */

import { existsSync } from 'node:fs'
import { hostPrograms, type Environment, type Programs } from '../program.ts'
import type { DesktopSettings, PlaceSettings } from '../settings.ts'
import { environmentSettings } from './environment.ts'
import { gnomeSettings } from './gnome.ts'
import { kdeSettings } from './kde.ts'
import type { Person } from './person.ts'
import { portalSettings } from './portal.ts'
import { suseSettings } from './suse.ts'

/** Desktops that keep proxies where GNOME does, by what they call themselves. */
const gnomeLike = new Set(
  'gnome gnome-classic gnome-flashback unity cinnamon x-cinnamon budgie mate pantheon deepin ukui pop ubuntu'.split(
    ' ',
  ),
)

/**
 * Settings of a person on Linux.
 *
 * @param sysconfig where SUSE's file is, for tests
 */
export function linuxDesktop(person: Person, sysconfig?: string): DesktopSettings {
  const environment = sessionEnvironment(person)
  // They write in the encoding of the locale, and this one is read here.
  const programs = hostPrograms({ ...environment, LC_ALL: 'C.UTF-8' })
  return {
    async read() {
      const desktop = await desktopSettings(person, environment, programs)
      const places = [...desktop, environmentSettings(environment)]
      const machine = await suseSettings(sysconfig)
      return machine === undefined ? places : [...places, machine]
    },
  }
}

async function desktopSettings(
  { home }: Person,
  environment: Environment,
  programs: Programs,
): Promise<readonly PlaceSettings[]> {
  const kind = desktopOf(environment)
  const found =
    kind === 'kde'
      ? await kdeSettings(environment, home)
      : kind === 'gnome'
        ? await gnomeSettings(programs)
        : undefined
  if (typeof found === 'object') return [found]
  const missed =
    found === undefined
      ? { place: 'the desktop', says: 'none is known that keeps proxies' }
      : {
          place: kind === 'kde' ? "KDE's settings" : "GNOME's settings",
          says: `cannot be read: ${found}`,
        }
  if ((environment['DBUS_SESSION_BUS_ADDRESS'] ?? '') === '') return [missed]
  const portal = await portalSettings(programs)
  return typeof portal === 'string' ? [missed] : [missed, portal]
}

/** `XDG_CURRENT_DESKTOP` is a list with colons: `ubuntu:GNOME`. */
function desktopOf(environment: Environment): 'kde' | 'gnome' | undefined {
  const names = (environment['XDG_CURRENT_DESKTOP'] ?? '').toLowerCase().split(':')
  if (names.some((name) => name.includes('kde'))) return 'kde'
  return names.some((name) => gnomeLike.has(name)) ? 'gnome' : undefined
}

/** Where systemd puts the session bus, a person need not say it. */
function sessionEnvironment({ environment, home, uid }: Person): Environment {
  const withHome = { ...environment, HOME: home }
  if ((environment['DBUS_SESSION_BUS_ADDRESS'] ?? '') !== '' || uid === undefined) return withHome
  const folder = environment['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`
  return existsSync(`${folder}/bus`)
    ? { ...withHome, XDG_RUNTIME_DIR: folder, DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/bus` }
    : withHome
}
