/** The engine that scripts run in, compiled once for all threads of a process. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What `WebAssembly.compile` makes; it may be sent to other threads, which share the code that was compiled of it. */
export type EngineModule = object

/** The part of WebAssembly that is used here. */
interface Compiler {
  compile(bytes: Uint8Array): Promise<EngineModule>
}

// Node has it; the compiler's own library describes it for browsers alone.
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Compiler }

/** Compiles the engine. Its functions are compiled when they are first used, and for every thread that has this module. */
export function compileEngine(): Promise<EngineModule> {
  const path = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm')
  return WebAssembly.compile(readFileSync(path))
}
