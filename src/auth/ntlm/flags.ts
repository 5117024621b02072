/** The flags by which the two sides of NTLM agree on what they can do (MS-NLMP §2.2.2.5, A241). */

/** Bits of the flags field; each name is that of MS-NLMP without `NTLMSSP_`. */
export const ntlmFlags = {
  unicode: 0x0000_0001,
  oem: 0x0000_0002,
  requestTarget: 0x0000_0004,
  sign: 0x0000_0010,
  seal: 0x0000_0020,
  datagram: 0x0000_0040,
  lmKey: 0x0000_0080,
  ntlm: 0x0000_0200,
  anonymous: 0x0000_0800,
  oemDomainSupplied: 0x0000_1000,
  oemWorkstationSupplied: 0x0000_2000,
  alwaysSign: 0x0000_8000,
  targetTypeDomain: 0x0001_0000,
  targetTypeServer: 0x0002_0000,
  extendedSessionSecurity: 0x0008_0000,
  identify: 0x0010_0000,
  requestNonNtSessionKey: 0x0040_0000,
  targetInfo: 0x0080_0000,
  version: 0x0200_0000,
  key128: 0x2000_0000,
  keyExchange: 0x4000_0000,
  key56: 0x8000_0000,
} as const

/** The name of one flag. */
export type NtlmFlag = keyof typeof ntlmFlags

/** The flags field with exactly these bits, as an unsigned number. */
export function joinFlags(...names: readonly NtlmFlag[]): number {
  return names.reduce((flags, name) => (flags | ntlmFlags[name]) >>> 0, 0)
}

/** The same flags without these bits. */
export function withoutFlags(flags: number, ...names: readonly NtlmFlag[]): number {
  return (flags & ~joinFlags(...names)) >>> 0
}

/** Whether the bit is set. */
export function hasFlag(flags: number, name: NtlmFlag): boolean {
  return (flags & ntlmFlags[name]) !== 0
}
