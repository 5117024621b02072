/** The word somebody probably meant. */

/** How many letters may be wrong, for each three of the word. */
const LETTERS_PER_MISTAKE = 3

/** The candidate that is nearest to `word`, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const prefixed = candidates.find((candidate) => word.length > 1 && candidate.startsWith(word))
  if (prefixed !== undefined) return prefixed
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  const allowed = Math.max(1, Math.floor(word.length / LETTERS_PER_MISTAKE))
  return best !== undefined && best.distance <= allowed ? best.candidate : undefined
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let older: number[] = []
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(replace, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) least = Math.min(least, (older[j - 2] ?? 0) + 1)
      row.push(least)
    }
    older = before
    before = row
  }
  return before[b.length] ?? 0
}
