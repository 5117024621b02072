/** Settings on Windows: the registry's Internet Settings (N55, N56), then the environment's. */

import { parseBypass } from '../bypass.ts'
import { hostPrograms, type Programs } from '../program.ts'
import { parseProxyList } from '../proxy-list.ts'
import { fixedProxies, lateProxies, type DesktopSettings, type PlaceSettings } from '../settings.ts'
import { environmentSettings } from './environment.ts'
import type { Person } from './person.ts'

const PLACE = "Windows's settings"
const SETTINGS = String.raw`Software\Microsoft\Windows\CurrentVersion\Internet Settings`
const POLICY = String.raw`HKLM\Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings`

/** Settings of a person on Windows. What `netsh winhttp` sets does not count (A116). */
export function windowsDesktop({ environment }: Person): DesktopSettings {
  const root = environment['SystemRoot'] ?? String.raw`C:\Windows`
  const registry = new Registry(hostPrograms(environment), String.raw`${root}\System32\reg.exe`)
  return {
    read: async () => [await registrySettings(registry), environmentSettings(environment)],
  }
}

/** A value of the registry: text, a number, or bytes. */
export type RegistryValue = string | number | Buffer

/** The registry, read by its own program. */
class Registry {
  readonly #programs: Programs
  readonly #program: string

  constructor(programs: Programs, program: string) {
    this.#programs = programs
    this.#program = program
  }

  /** The values of a key, by lower-case name; empty when there is none. */
  async values(key: string): Promise<ReadonlyMap<string, RegistryValue>> {
    const output = await this.#programs.run(this.#program, ['query', key])
    return output.kind === 'said' ? parseValues(output.text) : new Map()
  }
}

/** For the machine when its policy says so, else for the person. */
async function registrySettings(registry: Registry): Promise<PlaceSettings> {
  const policy = await registry.values(POLICY)
  const hive = policy.get('proxysettingsperuser') === 0 ? 'HKLM' : 'HKCU'
  const key = `${hive}\\${SETTINGS}`
  const values = await registry.values(key)
  const connections = await registry.values(`${key}\\Connections`)
  const blob = connections.get('defaultconnectionsettings')
  return settingsOf(values, Buffer.isBuffer(blob) ? parseConnection(blob) : undefined)
}

/** Reads lines of `name    REG_TYPE    value`; other types than those needed are left out. */
export function parseValues(text: string): ReadonlyMap<string, RegistryValue> {
  const values = new Map<string, RegistryValue>()
  for (const line of text.split(/\r?\n/u)) {
    const [, name = '', type, value = ''] =
      /^ {4}(\S(?:.*\S)?) {4}(REG_\w+)(?: {4}(.*))?$/u.exec(line) ?? []
    const key = name.toLowerCase()
    if (type === 'REG_SZ' || type === 'REG_EXPAND_SZ') values.set(key, value)
    else if (type === 'REG_DWORD') values.set(key, Number(value))
    else if (type === 'REG_BINARY') values.set(key, Buffer.from(value.trim(), 'hex'))
  }
  return values
}

/** The bits of a connection's settings. */
const connectionFlags = { manual: 2, script: 4, detects: 8 } as const

/** What `DefaultConnectionSettings` holds. */
export interface Connection {
  readonly isManual: boolean
  readonly detects: boolean
  readonly hasScript: boolean
  readonly proxies: string
  readonly bypass: string
  readonly script: string
}

/**
 * Reads the settings of a connection: three 32-bit numbers (version, count of changes, flags), then proxies, bypass list
 * and script, each behind its length; all little-endian. The form is not documented and has not changed in decades.
 *
 * @returns undefined when it is shorter than it says
 */
export function parseConnection(bytes: Buffer): Connection | undefined {
  if (bytes.length < 12) return undefined
  const flags = bytes.readUInt32LE(8)
  const texts: string[] = []
  let at = 12
  for (let index = 0; index < 3; index++) {
    if (at + 4 > bytes.length) return undefined
    const length = bytes.readUInt32LE(at)
    at += 4
    if (at + length > bytes.length) return undefined
    texts.push(bytes.toString('latin1', at, at + length))
    at += length
  }
  const [proxies = '', bypass = '', script = ''] = texts
  return {
    isManual: (flags & connectionFlags.manual) !== 0,
    detects: (flags & connectionFlags.detects) !== 0,
    hasScript: (flags & connectionFlags.script) !== 0,
    proxies,
    bypass,
    script,
  }
}

/** What the values say; where one is missing, what the settings of the connection say. */
export function settingsOf(
  values: ReadonlyMap<string, RegistryValue>,
  connection: Connection | undefined,
): PlaceSettings {
  const text = (name: string): string => {
    const value = values.get(name)
    return typeof value === 'string' ? value.trim() : ''
  }
  const enabled = values.get('proxyenable')
  const isManual = enabled === undefined ? connection?.isManual === true : enabled === 1
  const list = text('proxyserver') || (connection?.proxies ?? '')
  const bypass = text('proxyoverride') || (connection?.bypass ?? '')
  const script = text('autoconfigurl') || (connection?.hasScript === true ? connection.script : '')
  const detects = connection?.detects === true
  const isNamed = isManual && list !== ''
  const says = [
    ...(detects ? ['proxies are detected'] : []),
    ...(script === '' ? [] : ['a script is set']),
    ...(isNamed ? ['proxies are named'] : []),
  ]
  return {
    place: PLACE,
    says: says.length === 0 ? 'no proxy is set' : says.join(', '),
    detects,
    ...(script === '' ? {} : { script }),
    ...(isNamed ? { fixed: lateProxies(() => named(list, bypass)) } : {}),
  }
}

function named(list: string, bypass: string): ReturnType<typeof fixedProxies> {
  return fixedProxies(parseProxyList(list), parseBypass(bypass, { isLenient: true }))
}
