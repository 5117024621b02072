/** Settings on macOS: what `scutil --proxy` says (N50), then the environment's. */

import { bypassOf } from '../bypass.ts'
import { hostPrograms, type Programs } from '../program.ts'
import { joinAddress, listOf } from '../proxy-list.ts'
import {
  fixedProxies,
  lateProxies,
  type DesktopSettings,
  type FixedProxies,
  type PlaceSettings,
} from '../settings.ts'
import { environmentSettings } from './environment.ts'
import type { Person } from './person.ts'

const PLACE = "macOS's settings"

/** How deep dictionaries are read. */
const DEEPEST = 8

/** Settings of a person on macOS; those of the system are the same for everybody. */
export function macosDesktop({ environment }: Person): DesktopSettings {
  const programs = hostPrograms(environment)
  return {
    read: async () => [await systemSettings(programs), environmentSettings(environment)],
  }
}

async function systemSettings(programs: Programs): Promise<PlaceSettings> {
  const output = await programs.run('/usr/sbin/scutil', ['--proxy'])
  return output.kind === 'failed'
    ? { place: PLACE, says: `cannot be read: ${output.reason}` }
    : settingsOf(parseDictionary(output.text))
}

/** A value of a property list as `scutil` prints it. */
export type Property = string | Dictionary

/** A dictionary, or an array by its indexes. */
export type Dictionary = ReadonlyMap<string, Property>

/** Reads `<dictionary> { key : value … }`. */
export function parseDictionary(text: string): Dictionary {
  const root = new Map<string, Property>()
  const stack: Map<string, Property>[] = [root]
  for (const line of text.split('\n').slice(1)) {
    const trimmed = line.trim()
    if (trimmed === '}') {
      stack.pop()
      if (stack.length === 0) break
      continue
    }
    const [, key, value = ''] = /^(\S.*?) : (.*)$/u.exec(trimmed) ?? []
    const into = stack.at(-1)
    if (key === undefined || into === undefined) continue
    if (/^<(?:dictionary|array)> \{$/u.test(value)) {
      const inner = new Map<string, Property>()
      if (stack.length < DEEPEST) into.set(key, inner)
      stack.push(inner)
    } else into.set(key, value)
  }
  return root
}

/** What the dictionary says; what it says about single interfaces (`__SCOPED__`) does not count. */
export function settingsOf(dictionary: Dictionary): PlaceSettings {
  const isOn = (key: string): boolean => dictionary.get(key) === '1'
  const script = textOf(dictionary, 'ProxyAutoConfigURLString')
  const hasScript = isOn('ProxyAutoConfigEnable') && script !== ''
  const hasProxies = ['HTTPEnable', 'HTTPSEnable', 'SOCKSEnable'].some(isOn)
  const says = [
    ...(isOn('ProxyAutoDiscoveryEnable') ? ['proxies are detected'] : []),
    ...(hasScript ? ['a script is set'] : []),
    ...(hasProxies ? ['proxies are named'] : []),
  ]
  return {
    place: PLACE,
    says: says.length === 0 ? 'no proxy is set' : says.join(', '),
    detects: isOn('ProxyAutoDiscoveryEnable'),
    ...(hasScript ? { script } : {}),
    ...(hasProxies ? { fixed: lateProxies(() => manual(dictionary)) } : {}),
  }
}

/** `HTTPSProxy` is the proxy for https URLs, not one that is spoken to over TLS. */
function manual(dictionary: Dictionary): FixedProxies {
  const address = (name: string): string => {
    if (dictionary.get(`${name}Enable`) !== '1') return ''
    return joinAddress(textOf(dictionary, `${name}Proxy`), textOf(dictionary, `${name}Port`))
  }
  const list = listOf(
    { http: address('HTTP'), https: address('HTTPS'), socks: address('SOCKS') },
    PLACE,
  )
  const exceptions = dictionary.get('ExceptionsList')
  const entries =
    typeof exceptions === 'object'
      ? [...exceptions.values()].flatMap((each) => (typeof each === 'string' ? [each.trim()] : []))
      : []
  const simple = dictionary.get('ExcludeSimpleHostnames') === '1' ? ['<local>'] : []
  const bypass = bypassOf([...entries.map(expandPrefix), ...simple], { isLenient: true })
  return fixedProxies(list, bypass)
}

/** `169.254/16` is short for `169.254.0.0/16`. */
export function expandPrefix(entry: string): string {
  const [, address, bits = ''] = /^(\d{1,3}(?:\.\d{1,3}){0,2})\.?\/(\d{1,2})$/u.exec(entry) ?? []
  if (address === undefined) return entry
  const octets = address.split('.')
  return `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${bits}`
}

function textOf(dictionary: Dictionary, key: string): string {
  const value = dictionary.get(key)
  return typeof value === 'string' ? value.trim() : ''
}
