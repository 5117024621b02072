#!/usr/bin/env node
// Finds a Node that is new enough, and runs the command. In words that every Node understands which has modules (12), so
// with no `await` outside a function and no `??`: an older one is to say what is needed, and not that it cannot read. What
// only the second takes is loaded for it alone: of the first, every millisecond is waited for.

const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  process.getBuiltinModule('node:module').enableCompileCache()
  void import('../dist/cli/main.js').then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2))
  })
} else {
  void runWithPinnedNode()
}

/** A clone brings a Node of its own (see toolchain/). */
async function runWithPinnedNode() {
  const { spawn } = await import('node:child_process')
  const { constants } = await import('node:os')
  const { fileURLToPath } = await import('node:url')
  const pinned = await findPinnedNode()
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
    process.exitCode = status === null ? 128 + (constants.signals[signal] || 0) : status
  })
}

async function findPinnedNode() {
  const { createRequire } = await import('node:module')
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const executable = process.platform === 'win32' ? 'node.exe' : 'node'
  const name = `node-${platform}-${process.arch}/bin/${executable}`
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}
