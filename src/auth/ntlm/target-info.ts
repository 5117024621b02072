/** What a client adds to the server's pairs before it signs them (A248, A249). */

import { avFlags, avIds, readAvFlags, type AvPair } from './av-pairs.ts'
import { encodeUint32 } from './bytes.ts'
import { encodeUtf16 } from './text.ts'

/** What the client knows about the connection. */
export interface ClientTargetFacts {
  /** Whether the AUTHENTICATE message carries a MIC. */
  readonly hasMic: boolean
  /** 16 bytes; zeros without a TLS channel. */
  readonly channelBinding: Uint8Array
  /** The service principal name, `HTTP/host`; empty when there is none. */
  readonly targetName: string
  /** Whether that name came from a source that nobody vouches for. */
  readonly isTargetNameUntrusted: boolean
}

/** Pairs that are the client's to write; what a server put there does not count. */
const written: ReadonlySet<number> = new Set([avIds.flags, avIds.channelBindings, avIds.targetName])

/**
 * The pairs that go into an NTLMv2 response: the server's in their order, then flags when there are any, channel
 * bindings, target name.
 */
export function clientTargetInfo(
  server: readonly AvPair[],
  facts: ClientTargetFacts,
): readonly AvPair[] {
  const flags =
    readAvFlags(server) |
    (facts.hasMic ? avFlags.micPresent : 0) |
    (facts.isTargetNameUntrusted ? avFlags.untrustedTargetName : 0)
  return [
    ...server.filter(({ id }) => !written.has(id)),
    ...(flags === 0 ? [] : [{ id: avIds.flags, value: encodeUint32(flags >>> 0) }]),
    { id: avIds.channelBindings, value: facts.channelBinding },
    { id: avIds.targetName, value: encodeUtf16(facts.targetName) },
  ]
}

/** What a server tells about itself; a name that is empty is left out. */
export interface ServerNames {
  readonly nbComputerName: string
  readonly nbDomainName: string
  readonly dnsComputerName: string
  readonly dnsDomainName: string
}

/** The pairs of a CHALLENGE message, in the order of Windows; `timestamp` is a FILETIME. */
export function serverTargetInfo(
  names: ServerNames,
  timestamp: Uint8Array | undefined,
): readonly AvPair[] {
  const named = [
    [avIds.nbDomainName, names.nbDomainName],
    [avIds.nbComputerName, names.nbComputerName],
    [avIds.dnsDomainName, names.dnsDomainName],
    [avIds.dnsComputerName, names.dnsComputerName],
  ] as const
  const pairs = named
    .filter(([, name]) => name !== '')
    .map(([id, name]) => ({ id, value: encodeUtf16(name) }))
  return timestamp === undefined ? pairs : [...pairs, { id: avIds.timestamp, value: timestamp }]
}
