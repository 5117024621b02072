/** `no_proxy` of the environment, matched as curl matches it (N41). */

import { addressBytes, isInside, type AddressBytes } from './address.ts'

/** No variable is read further. */
const LONGEST_VALUE = 65_536

/**
 * Which entry of `no_proxy` names a host.
 *
 * @param host of a URL, without brackets
 * @returns the entry; undefined when none does
 */
export function matchNoProxy(value: string, host: string): string | undefined {
  if (value === '*') return value
  const address = addressBytes(host)
  const name = withoutDot(host).toLowerCase()
  for (const token of tokensOf(value)) {
    const isNamed = address === undefined ? namesHost(token, name) : holdsAddress(token, address)
    if (isNamed) return token
  }
  return undefined
}

/** Separated by commas, with blanks around them; a blank without a comma ends the list. */
function* tokensOf(value: string): Generator<string> {
  const next = /[ \t]*([^ \t,]*)[ \t]*(,*)/uy
  while (next.lastIndex < Math.min(value.length, LONGEST_VALUE)) {
    const [, token = '', commas = ''] = next.exec(value) ?? []
    if (token !== '') yield token
    if (commas === '') return
  }
}

function namesHost(token: string, name: string): boolean {
  const domain = withoutDot(token.startsWith('.') ? token.slice(1) : token).toLowerCase()
  return domain !== '' && (name === domain || name.endsWith(`.${domain}`))
}

function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/** Digits only behind the slash; none of them being there, or 0, means the address itself. */
function holdsAddress(token: string, address: AddressBytes): boolean {
  const [, text = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/u.exec(token) ?? []
  const base = addressBytes(text)
  if (base === undefined) return false
  const all = base.length * 8
  const bits = digits === undefined || Number(digits) === 0 ? all : Number(digits)
  return bits <= all && isInside(address, { base, bits })
}
