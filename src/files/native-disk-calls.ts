/** The calls of this machine, as this room asks for them. */

import type { Capability } from '../native/capability.ts'
import { systemCalls } from '../native/system.ts'
import { isInMemory } from './file-system.ts'
import { plainDiskCalls, type DiskCalls } from './files.ts'

/** Every call looks for itself: the first one loads what it takes, and a carrier without files never needs it. */
export const nativeDiskCalls: DiskCalls = {
  allocate(fd, offset, length) {
    const allocate = valueOf(systemCalls().allocate)
    const isPlain = allocate === undefined || isInMemory(`/proc/self/fd/${fd}`)
    if (isPlain) return plainDiskCalls.allocate(fd, offset, length)
    const answer = allocate(fd, { offset, length, keepSize: true })
    return answer === 'allocated' ? 'done' : answer
  },
  startWriteback(fd, offset, length) {
    const startWriteback = valueOf(systemCalls().startWriteback)
    if (startWriteback === undefined) return plainDiskCalls.startWriteback(fd, offset, length)
    startWriteback.now(fd, offset, length)
    return 'done'
  },
  async syncFileSystem(fd) {
    const syncFileSystem = valueOf(systemCalls().syncFileSystem)
    if (syncFileSystem === undefined) return plainDiskCalls.syncFileSystem(fd)
    await syncFileSystem.inBackground(fd)
    return 'done'
  },
  renameNoReplace(from, to) {
    const renameNoReplace = valueOf(systemCalls().renameNoReplace)
    if (renameNoReplace === undefined) return plainDiskCalls.renameNoReplace(from, to)
    const answer = renameNoReplace(from, to)
    return answer === 'renamed' ? 'done' : answer
  },
}

function valueOf<Value>(capability: Capability<Value>): Value | undefined {
  return capability.kind === 'available' ? capability.value : undefined
}
