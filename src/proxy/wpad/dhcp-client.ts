/** Asks the programs that are the DHCP clients of this machine what they were told (N81). */

import { networkInterfaces } from 'node:os'
import type { Programs } from '../program.ts'
import { parseScriptUrl } from './script-url.ts'
import type { ScriptFinder } from './source.ts'

/** NetworkManager, which keeps the options of every connection. */
export function networkManager(programs: Programs): ScriptFinder {
  return {
    name: 'NetworkManager',
    async find() {
      const args = ['--terse', '--escape', 'no', '--fields', 'DHCP4', 'device', 'show']
      const output = await programs.run('nmcli', args)
      if (output.kind !== 'said') return undefined
      // DHCP4.OPTION[12]:wpad = http://wpad.example/wpad.dat
      const [, url = ''] = /^DHCP4\.OPTION\[\d+\]:\s*wpad = (.*)$/mu.exec(output.text) ?? []
      return parseScriptUrl(url)
    },
  }
}

/** The DHCP client of macOS. */
export function macosClient(programs: Programs, interfaces = ipv4Interfaces): ScriptFinder {
  return {
    name: 'ipconfig',
    async find() {
      for (const name of interfaces()) {
        const output = await programs.run('ipconfig', ['getoption', name, '252'])
        const url = output.kind === 'said' ? parseScriptUrl(output.text) : undefined
        if (url !== undefined) return url
      }
      return undefined
    },
  }
}

function ipv4Interfaces(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([, all]) => all?.some(({ family, internal }) => family === 'IPv4' && !internal))
    .map(([name]) => name)
}
