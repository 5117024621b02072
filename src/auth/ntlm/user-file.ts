/** The file of names and passwords that other programs prove with NTLM who is logged on by (gss-ntlmssp, N121). */

import { Secret } from '../secret.ts'
import type { NtlmIdentity } from './initiator.ts'

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const COLON = 0x3a
const COMMENT = 0x23

/** Fields of a line of smbpasswd(5): name, number, LM hash, NT hash, flags, time of the last change. */
const SMB_FIELDS = 6

/** Characters of a hash. */
const HASH_TEXT = 32

const hashText = /^[\dA-F]+$/iu

/**
 * Reads the first entry.
 *
 * @param bytes UTF-8, lines of `DOMAIN:USER:PASSWORD`, in which a password may have colons, or of smbpasswd(5), whose name
 *   may be `DOMAIN\user`; those that begin with `#` are comments. Stays the caller's
 * @returns secrets that belong to the caller; `undefined` where there is no entry
 */
export function parseUserFile(bytes: Uint8Array): NtlmIdentity | undefined {
  for (const line of linesOf(bytes)) {
    if (line.length === 0 || line[0] === COMMENT) continue
    const fields = fieldsOf(line).map(textOf)
    const found = isSmbpasswd(fields) ? ofSmbpasswd(fields) : ofPlain(line)
    if (found !== undefined) return found
  }
  return undefined
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found < 0 ? bytes.length : found
    yield bytes.subarray(start, bytes[end - 1] === CARRIAGE_RETURN && end > start ? end - 1 : end)
    start = end + 1
  }
}

function ofPlain(line: Uint8Array): NtlmIdentity | undefined {
  const domainEnd = line.indexOf(COLON)
  const userEnd = domainEnd < 0 ? -1 : line.indexOf(COLON, domainEnd + 1)
  if (userEnd < 0 || userEnd === domainEnd + 1) return undefined
  return {
    domain: textOf(line.subarray(0, domainEnd)),
    user: textOf(line.subarray(domainEnd + 1, userEnd)),
    // A slice of a Buffer would be the file's own bytes.
    password: new Secret(Uint8Array.from(line.subarray(userEnd + 1))),
  }
}

function isSmbpasswd({ length, 1: number = '', 2: lmHash, 3: ntHash }: readonly string[]): boolean {
  const areHashes = lmHash?.length === HASH_TEXT && ntHash?.length === HASH_TEXT
  return length >= SMB_FIELDS && /^\d+$/u.test(number) && areHashes
}

/** The hash of the NT password proves as much as that itself; entries without one prove nothing. */
function ofSmbpasswd([name = '', , , ntHash = '']: readonly string[]): NtlmIdentity | undefined {
  if (!hashText.test(ntHash)) return undefined
  const [, domain = '', user = ''] = /^(?:([^\\]*)\\)?(.+)$/su.exec(name) ?? []
  const hash = Uint8Array.from(ntHash.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
  return { domain, user, password: new Secret(new Uint8Array()), ntHash: new Secret(hash) }
}

function fieldsOf(line: Uint8Array): readonly Uint8Array[] {
  const fields: Uint8Array[] = []
  for (let start = 0; start <= line.length;) {
    const found = line.indexOf(COLON, start)
    const end = found < 0 ? line.length : found
    fields.push(line.subarray(start, end))
    start = end + 1
  }
  return fields
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
