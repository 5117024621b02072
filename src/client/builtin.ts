/**
 * Node's own modules, without what an `import` of them brings along: it reads every name that they export, and some of
 * these names load a module or open a stream when they are read. That is a second HTTP client of `node:http` (25 ms), a
 * standard input of `node:process` (5 ms), promises of `node:fs`, half of the cryptography there is: a command would spend
 * more time on them than on what it was asked for.
 */

/** The modules that are worth it; an `import` of the others costs nothing. */
type Costly =
  | 'node:child_process'
  | 'node:crypto'
  | 'node:fs'
  | 'node:http'
  | 'node:tls'
  | 'node:tty'
  | 'node:util'

/** A module of Node, loaded when it is asked for; where only one way of a function needs it, it is asked for there. */
export function builtin<Name extends Costly>(
  name: Name,
): ReturnType<typeof process.getBuiltinModule<Name>> {
  return process.getBuiltinModule(name)
}
