#!/usr/bin/env node
// Plain JavaScript that any Node can read: finds a Node that is new enough, then runs the command.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache()
  const { main } = await import('../dist/cli/main.js')
  process.exitCode = await main(process.argv.slice(2))
} else {
  runWithPinnedNode()
}

/** A clone brings a Node of its own (see toolchain/). */
function runWithPinnedNode() {
  const pinned = findPinnedNode()
  if (pinned === undefined) {
    process.stderr.write(
      `lull: Lull needs Node ${NEEDED} or newer, this is ${process.versions.node}: install a newer one, or run npm ci in a clone (E_NOTIMPL 0x80004001, NONE)\n`,
    )
    process.exitCode = 3
    return
  }
  const command = [fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn(pinned, command, { stdio: 'inherit' })
  // Whoever signals this process means the command.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name))
  child.on('error', (error) => {
    process.stderr.write(`lull: Cannot run ${pinned}: ${error.message} (E_FAIL 0x80004005, NONE)\n`)
    process.exitCode = 3
  })
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? 128 + (constants.signals[signal] ?? 0)
  })
}

function findPinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const executable = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    const path = fileURLToPath(
      import.meta.resolve(`node-${platform}-${process.arch}/bin/${executable}`),
    )
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}
