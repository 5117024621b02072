/** Which way a job shall go: `--proxy`, `--noproxy` and `--pac` become proxy settings. */

import { pathToFileURL } from 'node:url'
import { readFileSync } from '../client/node-fs.ts'
import type { ProxySettings, ProxyUsage } from '../job/route.ts'
import { usageError } from './cli-error.ts'
import type { Arguments } from './parse.ts'

/** Words of `--proxy` that name no proxy. */
const usages: ReadonlyMap<string, ProxyUsage> = new Map([
  ['none', 'noProxy'],
  ['auto', 'autodetect'],
  ['system', 'preconfig'],
])

/**
 * Reads the options. A list is looked at when the job runs (N2); only what must not stand on a command line is refused.
 *
 * @returns `undefined` when they say nothing
 * @throws {CliError} exit status 2
 */
export function proxySettingsOf(args: Arguments): ProxySettings | undefined {
  const list = args.value('proxy')
  const script = args.value('pac')
  const bypass = args.value('noproxy')
  if (list !== undefined && script !== undefined) {
    throw usageError(
      'Cannot use both --proxy and --pac: either a list or a script chooses the proxy',
    )
  }
  // Who names a proxy means it, also for this machine itself: as curl takes it.
  const exceptions = bypass === undefined ? {} : { bypass: `${NO_OTHERS} ${bypass}` }
  if (script !== undefined) return { usage: 'override', script: scriptUrl(script), ...exceptions }
  const usage = usages.get(list?.trim().toLowerCase() ?? '')
  if (list !== undefined && usage === undefined) {
    return { usage: 'override', list: checkList(list), ...exceptions }
  }
  if (list === undefined && bypass?.trim() === '*') return { usage: 'noProxy' }
  if (bypass !== undefined) {
    throw usageError(
      'Cannot use --noproxy alone: it makes exceptions from a --proxy that is named, or from --pac',
    )
  }
  return usage === undefined ? undefined : { usage }
}

/** In a bypass list: nothing but what it says. */
const NO_OTHERS = '<-loopback>'

/** The message does not repeat the list: there is a password in it. */
function checkList(list: string): string {
  if (list.trim() === '') throw usageError('Cannot use an empty --proxy: none goes straight')
  if (!list.includes('@')) return list
  throw usageError(
    'Cannot use a --proxy with a user name or password in it: --proxy-user names who asks, and the password is asked for',
  )
}

function scriptUrl(script: string): string {
  if (/^(?:https?|file):/iu.test(script)) {
    if (URL.canParse(script)) return script
    throw usageError(`Cannot understand --pac ${JSON.stringify(script)}: this is not a URL`)
  }
  try {
    readFileSync(script)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`Cannot read the script ${script}: ${reason}`)
  }
  return pathToFileURL(script).href
}

/** Whether every word to the proxy is encrypted, as far as the settings tell. */
export function isProxySecure(settings: ProxySettings | undefined): boolean {
  const entries = (settings?.list ?? '').split(/[\s;,]+/u).filter((entry) => entry !== '')
  return entries.length > 0 && entries.every((entry) => /^(?:[a-z]+=)?https:\/\//iu.test(entry))
}

/** What the settings say, as a person says it. */
export function describeSettings({ usage, list, bypass, script }: ProxySettings): string {
  const exceptions = bypass?.replace(NO_OTHERS, '').trim() ?? ''
  const except = exceptions === '' ? '' : `, but straight to ${exceptions}`
  switch (usage) {
    case 'preconfig':
      return 'as the desktop is set (system)'
    case 'noProxy':
      return 'straight (none)'
    case 'autodetect':
      return 'found anew for every file (auto)'
    case 'override':
      return script === undefined ? `${list ?? ''}${except}` : `as ${script} says${except}`
    default:
      return usage satisfies never
  }
}
