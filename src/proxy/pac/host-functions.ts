/**
 * What a script may call about names and addresses (N70).
 *
 * {@link hostFunctions} is written as one closed function because its text is what runs beside the script: the sandbox
 * takes the source of it, so nothing in it may name anything outside of it but JavaScript's own objects. Comparisons are
 * of letters as they stand; arguments of wrong types fail as they do in browsers, with an exception of the script.
 */

/* oxlint-disable unicorn/consistent-function-scoping -- what stands outside is not in the text */

/** What the library asks outside of the sandbox. Only strings and booleans pass, and nothing here throws. */
export interface PacHost {
  /** The first IPv4 address of a name or an address; empty when there is none. */
  resolve(name: string): string
  /** All addresses, separated by `;`; empty when there is none. */
  resolveAll(name: string): string
  /** One address of this machine; empty when there is none. */
  ownAddress(): string
  /** All of them, separated by `;`; empty when there is none. */
  ownAddresses(): string
  /** Whether an address lies in a prefix; false for what is neither. */
  isInPrefix(address: string, prefix: string): boolean
  /** Addresses in the order of N70, separated by `;`; empty when one of them is none. */
  sortAddresses(list: string): string
  /** One line for the log. */
  say(line: string): void
}

/** The functions about names and addresses, by the names that scripts know. */
export type HostFunctions = ReturnType<typeof hostFunctions>

/** Makes the functions. Its source text is loaded into the sandbox: see the top of the file. */
export function hostFunctions(host: PacHost) {
  /**
   * What patterns mean that were seen before: long scripts ask the same hundreds for every URL. Nearly all of them are one
   * `*` in front of plain characters, and no expression has to be made for those: a text is what text has to end with.
   */
  const meanings = new Map<string, RegExp | string>()
  const mostMeanings = 2_000

  function isDotted(text: string): boolean {
    if (!/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text)) return false
    return text.split('.').every((byte) => Number(byte) <= 255)
  }

  /** `*` and `?` mean what they mean in a shell, a dot is a dot, and everything else stays an expression (N70). */
  function toExpression(pattern: string): RegExp {
    const source = pattern.replace(/[.*?]/g, (sign) => ({ '.': '\\.', '*': '.*' })[sign] ?? '.')
    return new RegExp(`^${source}$`)
  }

  function meaningOf(pattern: string): RegExp | string {
    const meaning = /^\*[\w.-]*$/.test(pattern) ? pattern.slice(1) : toExpression(pattern)
    if (meanings.size < mostMeanings) meanings.set(pattern, meaning)
    return meaning
  }

  function isPlainHostName(name: string): boolean {
    return !name.includes('.') && !name.includes(':')
  }

  function dnsDomainIs(name: string, domain: string): boolean {
    return name.length >= domain.length && name.slice(name.length - domain.length) === domain
  }

  function localHostOrDomainIs(name: string, full: string): boolean {
    return name === full || full.startsWith(`${name}.`)
  }

  function dnsDomainLevels(name: string): number {
    return name.split('.').length - 1
  }

  function shExpMatch(text: unknown, pattern: string): boolean {
    const meaning = meanings.get(pattern) ?? meaningOf(pattern)
    const all = String(text)
    if (typeof meaning !== 'string') return meaning.test(all)
    // No `*` is the end of a line.
    return all.endsWith(meaning) && !/[\n\r\u2028\u2029]/.test(all)
  }

  function dnsResolve(name: unknown): string | null {
    return (typeof name === 'string' && host.resolve(name)) || null
  }

  function isResolvable(name: unknown): boolean {
    return dnsResolve(name) !== null
  }

  /** 32 bits, signed, the first byte highest. */
  function convertAddress(address: string): number {
    const [first, second, third, fourth] = address.split('.').map((byte) => Number(byte) & 0xff)
    return ((first ?? 0) << 24) | ((second ?? 0) << 16) | ((third ?? 0) << 8) | (fourth ?? 0)
  }

  function isInNet(name: string, pattern: string, mask: string): boolean {
    if (!isDotted(pattern) || !isDotted(mask)) return false
    const address = isDotted(name) ? name : dnsResolve(name)
    if (address === null) return false
    const bits = convertAddress(mask)
    return (convertAddress(address) & bits) === (convertAddress(pattern) & bits)
  }

  function myIpAddress(): string {
    return host.ownAddress() || '127.0.0.1'
  }

  function dnsResolveEx(name: unknown): string {
    return typeof name === 'string' ? host.resolveAll(name) : ''
  }

  function isResolvableEx(name: unknown): boolean {
    return dnsResolveEx(name) !== ''
  }

  function isInNetEx(address: unknown, prefix: unknown): boolean {
    if (typeof address !== 'string' || typeof prefix !== 'string') return false
    return host.isInPrefix(address, prefix)
  }

  function myIpAddressEx(): string {
    return host.ownAddresses()
  }

  function sortIpAddressList(list: unknown): string | false | null {
    return typeof list === 'string' ? host.sortAddresses(list) || false : null
  }

  function getClientVersion(): string {
    return '1.0'
  }

  function alert(message?: unknown): void {
    host.say(String(message))
  }

  return {
    isPlainHostName,
    dnsDomainIs,
    localHostOrDomainIs,
    isResolvable,
    isInNet,
    dnsResolve,
    convert_addr: convertAddress,
    myIpAddress,
    dnsDomainLevels,
    shExpMatch,
    alert,
    dnsResolveEx,
    isResolvableEx,
    isInNetEx,
    myIpAddressEx,
    sortIpAddressList,
    getClientVersion,
  }
}
