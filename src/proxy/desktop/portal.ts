/** The portal that sandboxed programs, and any desktop that has one, are told ways by (N48). */

import type { Hop } from '../../job/route.ts'
import type { Programs } from '../program.ts'
import { parseProxyAddress } from '../proxy-list.ts'
import type { Lookup, PlaceSettings } from '../settings.ts'
import { parseGVariant } from './gvariant.ts'

const PLACE = "the desktop's portal"

/** Any URL: whether there is an answer at all is what is asked. */
const ANY_URL = 'http://portal.invalid/'

/** The call, but for its argument. */
const lookupCall =
  'call --session --timeout 3 --dest org.freedesktop.portal.Desktop --object-path /org/freedesktop/portal/desktop --method org.freedesktop.portal.ProxyResolver.Lookup'.split(
    ' ',
  )

/**
 * The portal as a place; it is asked once whether it answers.
 *
 * @returns why there is none, where there is none
 */
export async function portalSettings(programs: Programs): Promise<PlaceSettings | string> {
  const answer = await ask(programs, ANY_URL)
  if (typeof answer === 'string') return answer
  return { place: PLACE, says: 'it is asked for each server', lookup: lookupOf(programs) }
}

function lookupOf(programs: Programs): Lookup {
  return {
    async find(url) {
      const answer = await ask(programs, url)
      if (typeof answer === 'string') return undefined
      const [first, ...others] = answer.flatMap(
        (each): readonly Hop[] => parseProxyAddress(each) ?? [],
      )
      return first === undefined ? undefined : [first, ...others]
    },
  }
}

async function ask(programs: Programs, url: string): Promise<readonly string[] | string> {
  const output = await programs.run('gdbus', [...lookupCall, url])
  if (output.kind === 'failed') return output.reason
  const value = parseGVariant(output.text)
  return typeof value === 'string' ? 'the portal gave no list' : value
}
