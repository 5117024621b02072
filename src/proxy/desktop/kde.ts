/** KDE's settings: the group `[Proxy Settings]` of `kioslaverc` (N46). */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bypassOf, loopbackBypass, type Bypass } from '../bypass.ts'
import type { Environment } from '../program.ts'
import { listOf, listSeparators } from '../proxy-list.ts'
import { fixedProxies, lateProxies, type FixedProxies, type PlaceSettings } from '../settings.ts'
import { variableProxies, type Variable } from './environment.ts'
import { readSettingsFile } from './settings-file.ts'

const PLACE = "KDE's settings"
const GROUP = 'Proxy Settings'

/** No proxy is read further. */
const LONGEST_ADDRESS = 1024

/** What KDE's settings say, or why they cannot be read. */
export async function kdeSettings(
  environment: Environment,
  home: string,
): Promise<PlaceSettings | string> {
  for (const path of settingsPaths(environment, home)) {
    const text = await readSettingsFile(path)
    if (text !== undefined) return settingsOf(parseGroup(text, environment), environment)
  }
  return 'there is no kioslaverc'
}

/** Where KDE 5 and 6, then KDE 4 and 3 keep the file; the first that exists counts. */
function settingsPaths(environment: Environment, home: string): readonly string[] {
  const config = environment['XDG_CONFIG_HOME'] ?? ''
  const kdeHome = environment['KDEHOME'] ?? ''
  return [
    join(config === '' ? join(home, '.config') : config, 'kioslaverc'),
    ...(kdeHome === '' ? [] : [join(kdeHome, 'share', 'config', 'kioslaverc')]),
    join(home, '.kde4', 'share', 'config', 'kioslaverc'),
    join(home, '.kde', 'share', 'config', 'kioslaverc'),
  ]
}

/** Reads the keys of the group; behind a key may stand flags such as `[$i]`, of which only `$e` (expand) concerns us. */
export function parseGroup(text: string, environment: Environment): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  let isInside = false
  for (const line of text.split(/\r?\n/u)) {
    const trimmed = line.trim()
    if (trimmed.startsWith('[')) {
      isInside = trimmed.replace(/\[\$\w+\]$/u, '') === `[${GROUP}]`
      continue
    }
    const equals = trimmed.indexOf('=')
    if (!isInside || equals < 0 || trimmed.startsWith('#')) continue
    const [, key = '', flags = ''] =
      /^([^[]*)((?:\[[^\]]*\])*)/u.exec(trimmed.slice(0, equals)) ?? []
    const value = unescape(trimmed.slice(equals + 1).trim())
    keys.set(key.trim(), /\[\$\w*e\w*\]/u.test(flags) ? expand(value, environment) : value)
  }
  return keys
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['s', ' '],
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
])

function unescape(value: string): string {
  return value.replaceAll(/\\(.)/gsu, (_, letter: string) => escapes.get(letter) ?? letter)
}

function expand(value: string, environment: Environment): string {
  return value.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/gu,
    (_, braced?: string, bare?: string) => environment[braced ?? bare ?? ''] ?? '',
  )
}

/** What the keys of the group say. */
export function settingsOf(
  keys: ReadonlyMap<string, string>,
  environment: Environment,
): PlaceSettings {
  const place = PLACE
  switch (keys.get('ProxyType') ?? '0') {
    case '1':
      return { place, says: 'proxies are named', fixed: lateProxies(() => manual(keys)) }
    case '2': {
      const script = keys.get('Proxy Config Script') ?? ''
      if (script === '') return { place, says: 'a script is wanted and none is named' }
      return { place, says: 'a script is set', script: scriptUrl(script) }
    }
    case '3':
      return { place, says: 'proxies are detected', detects: true }
    case '4':
      return {
        place,
        says: 'variables of the environment are named',
        fixed: variableProxies({
          http: variableOf(keys, 'httpProxy', environment),
          https: variableOf(keys, 'httpsProxy', environment),
          all: variableOf(keys, 'socksProxy', environment),
          none: variableOf(keys, 'NoProxyFor', environment),
        }),
      }
    default:
      return { place, says: 'no proxy is set' }
  }
}

function scriptUrl(script: string): string {
  return script.startsWith('/') ? pathToFileURL(script).href : script
}

/** The key holds the name of a variable, or what the variable held when somebody looked. */
function variableOf(
  keys: ReadonlyMap<string, string>,
  key: string,
  environment: Environment,
): Variable | undefined {
  const name = keys.get(key) ?? ''
  const value = /^\w+$/u.test(name) ? (environment[name] ?? '') : name
  if (value === '') return undefined
  return { name: value === name ? `${key} of ${PLACE}` : name, value }
}

function manual(keys: ReadonlyMap<string, string>): FixedProxies {
  // The host and the port stand apart by a blank, or by a colon.
  const address = (key: string): string =>
    (keys.get(key) ?? '')
      .slice(0, LONGEST_ADDRESS)
      .trim()
      .replace(/\/?[ \t]+(\d+)$/u, ':$1')
  const list = listOf(
    { http: address('httpProxy'), https: address('httpsProxy'), socks: address('socksProxy') },
    PLACE,
  )
  const isReversed = keys.get('ReversedException')?.toLowerCase() === 'true'
  const hosts = (keys.get('NoProxyFor') ?? '').split(listSeparators)
  return fixedProxies(list, isReversed ? onlyFor(hosts) : bypassOf(hosts, desktopLists))
}

const desktopLists = { names: 'domain', isLenient: true } as const

/** The list names the hosts that need the proxy; all others go straight, and so does the machine itself. */
function onlyFor(hosts: readonly string[]): Bypass {
  const needing = bypassOf(['<-loopback>', ...hosts], desktopLists)
  return {
    warnings: needing.warnings,
    match(url) {
      const local = loopbackBypass.match(url)
      if (local !== undefined) return local
      return needing.match(url) === undefined ? 'everything but its exceptions' : undefined
    },
  }
}
