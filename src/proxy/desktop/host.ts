/** Which desktop's settings this machine has. */

import type { DesktopSettings } from '../settings.ts'
import { linuxDesktop } from './linux.ts'
import { macosDesktop } from './macos.ts'
import type { Person } from './person.ts'
import { windowsDesktop } from './windows.ts'

/** The settings of a person on this kind of machine. Other Unixes have the desktops of Linux. */
export function hostDesktop(person: Person, platform: string = process.platform): DesktopSettings {
  switch (platform) {
    case 'darwin':
      return macosDesktop(person)
    case 'win32':
      return windowsDesktop(person)
    default:
      return linuxDesktop(person)
  }
}
