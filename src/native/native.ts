/**
 * Room native: what the operating system can do and Node does not pass on. The only room that knows a foreign function
 * interface; each use has a plain way beside it, and everything works without koffi.
 */

import { systemCalls } from './system.ts'
import type { SystemCalls } from './system-calls.ts'

/** What is beyond Node, each with what happens where it is missing: a sentence without capital and full stop. */
const insteadOf = {
  peerCredentials: 'the folder of the socket alone keeps other users out',
  allocate: 'a full disk shows itself while writing',
  syncFileSystem: 'each file is synced by itself',
  startWriteback: 'the kernel begins to write back when it sees fit',
  renameNoReplace: 'a hard link takes the new name',
  trimMemory: 'what was freed stays with the process',
  networkNews: 'the addresses of this machine are looked at every two seconds',
} as const satisfies Partial<Record<keyof SystemCalls, string>>

/** The name of something that is beyond Node. */
export type CapabilityName = keyof typeof insteadOf

/** Whether it is there; where not, why, and what happens in its place. */
export type CapabilityStatus =
  | { readonly kind: 'available' }
  | { readonly kind: 'missing'; readonly reason: string; readonly instead: string }

/** What this machine offers beyond Node. */
export interface NativeStatus {
  /** The C library's name; absent where none is open. */
  readonly library?: string
  readonly capabilities: Readonly<Record<CapabilityName, CapabilityStatus>>
}

/**
 * Loads the system's library, if that has not happened yet, and tells what it offers. Never throws.
 *
 * @param calls the operating system's, chosen by default
 */
export function loadNative(calls: SystemCalls = systemCalls()): NativeStatus {
  const capabilities = {
    peerCredentials: statusOf('peerCredentials', calls),
    allocate: statusOf('allocate', calls),
    syncFileSystem: statusOf('syncFileSystem', calls),
    startWriteback: statusOf('startWriteback', calls),
    renameNoReplace: statusOf('renameNoReplace', calls),
    trimMemory: statusOf('trimMemory', calls),
    networkNews: statusOf('networkNews', calls),
  }
  return calls.library.kind === 'available'
    ? { library: calls.library.value, capabilities }
    : { capabilities }
}

/**
 * What `loadNative` tells, in words: for each capability `available`, or `missing: WHY; WHAT HAPPENS INSTEAD`.
 *
 * @param calls the operating system's, chosen by default
 */
export function nativeStatus(
  calls: SystemCalls = systemCalls(),
): Readonly<Record<CapabilityName, string>> {
  const { capabilities } = loadNative(calls)
  return {
    peerCredentials: describe(capabilities.peerCredentials),
    allocate: describe(capabilities.allocate),
    syncFileSystem: describe(capabilities.syncFileSystem),
    startWriteback: describe(capabilities.startWriteback),
    renameNoReplace: describe(capabilities.renameNoReplace),
    trimMemory: describe(capabilities.trimMemory),
    networkNews: describe(capabilities.networkNews),
  }
}

function statusOf(name: CapabilityName, calls: SystemCalls): CapabilityStatus {
  const capability = calls[name]
  return capability.kind === 'available'
    ? { kind: 'available' }
    : { kind: 'missing', reason: capability.reason, instead: insteadOf[name] }
}

function describe(status: CapabilityStatus): string {
  return status.kind === 'available' ? 'available' : `missing: ${status.reason}; ${status.instead}`
}
