/** Draws the table of moves as a Mermaid diagram; run directly, it renews docs/internals/states.md. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bitsStates, moves, type JobStateKind } from '../src/job/moves.ts'

const page = join(import.meta.dirname, '../docs/internals/states.md')

/** The diagram, with its fences. Moves that stay where they are are left out. */
export function diagram(): string {
  const lines: string[] = []
  for (const [from, row] of Object.entries(moves)) {
    const targets = new Map<JobStateKind, string[]>()
    for (const [event, to] of Object.entries(row) as [string, JobStateKind][]) {
      if (to !== from) targets.set(to, [...(targets.get(to) ?? []), event])
    }
    for (const [to, events] of targets) {
      lines.push(`  ${name(from)} --> ${bitsStates[to].name}: ${events.join(', ')}`)
    }
  }
  const ends = Object.entries(moves)
    .filter(([, row]) => Object.keys(row).length === 0)
    .map(([state]) => `  ${name(state)} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', ...lines, ...ends, '```'].join('\n')
}

function name(state: string): string {
  return state === 'none' ? '[*]' : bitsStates[state as JobStateKind].name
}

if (import.meta.main) {
  const text = readFileSync(page, 'utf8')
  writeFileSync(page, text.replace(/```mermaid[^]*?```/u, diagram()))
}
