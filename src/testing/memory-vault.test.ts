import { vaultSuite } from '../engine/ports/vault.suite.ts'
import type { Vault } from '../engine/ports/vault.ts'
import { MemoryVault, VaultMemory } from './memory-vault.ts'

const memories = new Map<Vault, VaultMemory>()

function openIn(memory: VaultMemory): Vault {
  const vault = new MemoryVault(memory)
  memories.set(vault, memory)
  return vault
}

function close(vault: Vault): VaultMemory {
  vault.close()
  return memories.get(vault) ?? new VaultMemory()
}

vaultSuite('MemoryVault', {
  open: () => openIn(new VaultMemory()),
  reopen: (vault) => openIn(close(vault)),
  reopenWithoutKeys(vault) {
    const memory = close(vault)
    memory.loseKeys()
    return openIn(memory)
  },
})
