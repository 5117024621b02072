/** A service for a benchmark, in a home of its own. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackgroundCopyManager } from '../dist/index.js'

/** The command as users start it. */
export const lull = join(import.meta.dirname, '..', 'bin', 'lull.js')

/** A running service. */
export interface BenchService extends AsyncDisposable {
  readonly pid: number
  readonly home: string
  readonly env: Readonly<Record<string, string>>
  readonly manager: BackgroundCopyManager
}

/** Starts a service in a new home below `parent`. */
export async function startService(parent: string, config: object = {}): Promise<BenchService> {
  const home = mkdtempSync(join(parent, 'lull-bench-home-'))
  writeFileSync(join(home, 'config.json'), JSON.stringify(config))
  const manager = await BackgroundCopyManager.connect({ home })
  const { pid } = await manager.getStatus()
  return {
    pid,
    home,
    env: { LULL_HOME: home },
    manager,
    async [Symbol.asyncDispose]() {
      await run(process.execPath, [lull, 'stop'], { LULL_HOME: home })
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Runs a program quietly to its end. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: 'ignore', env: { ...process.env, ...env } })
    child.once('error', reject)
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`${program} ended with ${status}`)),
    )
  })
}
