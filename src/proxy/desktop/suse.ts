/** The machine's settings on SUSE: `/etc/sysconfig/proxy` (N47). */

import type { PlaceSettings } from '../settings.ts'
import { variableProxies, type Variable } from './environment.ts'
import { readSettingsFile } from './settings-file.ts'

/** Where SUSE keeps them. */
export const SYSCONFIG_PROXY = '/etc/sysconfig/proxy'

/** No value is read further. */
const LONGEST_VALUE = 4096

/** What the file says; undefined where there is none. */
export async function suseSettings(path = SYSCONFIG_PROXY): Promise<PlaceSettings | undefined> {
  const text = await readSettingsFile(path)
  return text === undefined ? undefined : settingsOf(text, path)
}

function settingsOf(text: string, place: string): PlaceSettings {
  const values = parseAssignments(text)
  if (values.get('PROXY_ENABLED')?.toLowerCase() !== 'yes') {
    return { place, says: 'proxies are switched off' }
  }
  const variable = (name: string): Variable | undefined => {
    const value = values.get(name)?.trim() ?? ''
    return value === '' ? undefined : { name: `${name} of ${place}`, value }
  }
  const http = variable('HTTP_PROXY')
  const https = variable('HTTPS_PROXY')
  const all = variable('SOCKS_PROXY')
  if (http === undefined && https === undefined && all === undefined) {
    return { place, says: 'no proxy is named' }
  }
  return {
    place,
    says: 'proxies are named',
    fixed: variableProxies({ http, https, all, none: variable('NO_PROXY') }),
  }
}

/** Reads lines of `NAME="value"`; nothing in them is expanded. */
export function parseAssignments(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/u)) {
    const [, name, value = ''] = /^\s*(?:export\s+)?(\w+)=(.*)$/u.exec(line) ?? []
    if (name !== undefined) values.set(name, unquote(value.slice(0, LONGEST_VALUE).trim()))
  }
  return values
}

function unquote(value: string): string {
  const [, double, single] = /^(?:"([^"]*)"|'([^']*)')/u.exec(value) ?? []
  return double ?? single ?? value.replace(/\s+#.*$/u, '')
}
