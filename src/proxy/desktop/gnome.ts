/** GNOME's settings, which Cinnamon, Budgie, Unity and others share: the schema `org.gnome.system.proxy` (N45). */

import { bypassOf } from '../bypass.ts'
import type { Programs } from '../program.ts'
import { joinAddress, listOf } from '../proxy-list.ts'
import { fixedProxies, lateProxies, type FixedProxies, type PlaceSettings } from '../settings.ts'
import { parseGVariant, type GVariant } from './gvariant.ts'

const SCHEMA = 'org.gnome.system.proxy'
const PLACE = "GNOME's settings"

/** What GNOME's settings say, or why they cannot be read. */
export async function gnomeSettings(programs: Programs): Promise<PlaceSettings | string> {
  const output = await programs.run('gsettings', ['list-recursively', SCHEMA])
  return output.kind === 'failed' ? output.reason : settingsOf(parseKeys(output.text))
}

/** Reads lines of `schema key value`; what is said about passwords is not kept. */
export function parseKeys(text: string): ReadonlyMap<string, GVariant> {
  const keys = new Map<string, GVariant>()
  for (const line of text.split('\n')) {
    const [, schema = '', key = '', value = ''] = /^(\S+) (\S+) (.*)$/u.exec(line) ?? []
    if (!schema.startsWith(SCHEMA) || key.startsWith('authentication-')) continue
    keys.set(`${schema.slice(SCHEMA.length)} ${key}`.replace(/^[. ]/u, ''), parseGVariant(value))
  }
  return keys
}

/** @param keys of the schema as `mode`, of its children as `http host` */
export function settingsOf(keys: ReadonlyMap<string, GVariant>): PlaceSettings {
  const mode = textOf(keys, 'mode')
  if (mode === 'manual') {
    return { place: PLACE, says: 'proxies are named', fixed: lateProxies(() => manual(keys)) }
  }
  if (mode !== 'auto') return { place: PLACE, says: 'no proxy is set' }
  const script = textOf(keys, 'autoconfig-url')
  return script === ''
    ? { place: PLACE, says: 'proxies are detected', detects: true }
    : { place: PLACE, says: 'a script is set', script }
}

function manual(keys: ReadonlyMap<string, GVariant>): FixedProxies {
  const address = (child: string): string =>
    joinAddress(textOf(keys, `${child} host`), textOf(keys, `${child} port`))
  const addresses = { http: address('http'), https: address('https'), socks: address('socks') }
  const hosts = keys.get('ignore-hosts') ?? []
  const bypass = bypassOf(typeof hosts === 'string' ? [] : hosts.map((host) => host.trim()), {
    names: 'domain',
    isLenient: true,
  })
  return fixedProxies(listOf(addresses, PLACE), bypass)
}

function textOf(keys: ReadonlyMap<string, GVariant>, key: string): string {
  const value = keys.get(key)
  return typeof value === 'string' ? value.trim() : ''
}
