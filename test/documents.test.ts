/** What the documents say is what the code does. */

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { verbs } from '../src/cli/verbs.ts'
import { DecodeError } from '../src/rpc/decode.ts'
import { paramDecoders } from '../src/rpc/params.ts'
import { rpcErrorCodes, type MethodName } from '../src/rpc/contract.ts'

const root = join(import.meta.dirname, '..')

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Names that a decoder knows: it lists them when it meets one that it does not. */
function parametersOf(method: MethodName): readonly string[] {
  try {
    paramDecoders[method]({ '?': 0 }, 'params')
  } catch (error) {
    assert(error instanceof DecodeError)
    const known = /expected one of (.*), found/u.exec(error.message)?.[1]
    return known === undefined ? [] : known.split(', ').filter((name) => name !== '')
  }
  return []
}

test('docs/rpc.md names every method and every parameter', () => {
  const page = read('docs/rpc.md')
  for (const method of Object.keys(paramDecoders) as MethodName[]) {
    assert(page.includes(`\`${method}\``), method)
    for (const parameter of parametersOf(method))
      assert(page.includes(`\`${parameter}\``), `${method} ${parameter}`)
  }
  assert(page.includes(String(rpcErrorCodes.refused)))
})

test('docs/configuration.md names every setting', () => {
  const page = read('docs/configuration.md')
  const source = read('src/service/config.ts')
  const names = [...source.matchAll(/^ {2}(\w+): optional\(/gmu)].map(([, name = '']) => name)
  assert(names.length > 5)
  for (const name of names) assert(page.includes(`| \`${name}\` |`), name)
})

test('README.md names every verb', () => {
  const page = read('README.md')
  for (const verb of Object.keys(verbs)) assert(page.includes(verb), verb)
})

test('every link in the documents leads somewhere', () => {
  for (const path of globSync(['*.md', 'docs/**/*.md'], { cwd: root })) {
    for (const [, link = ''] of read(path).matchAll(/\]\(([^)#]+)[^)]*\)/gu)) {
      if (!/^[a-z]+:/u.test(link))
        assert(existsSync(join(root, dirname(path), link)), `${path}: ${link}`)
    }
  }
})
