/** Sets of byte offsets: what of a file is there, and what is missing. */

/** Bytes from `start` (inclusive) to `end` (exclusive); `0 <= start < end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Ranges sorted by start, none empty, none touching another. */
export type ByteRanges = readonly ByteRange[]

/** How many bytes the ranges hold. */
export function countBytes(ranges: ByteRanges): number {
  let bytes = 0
  for (const { start, end } of ranges) bytes += end - start
  return bytes
}

/**
 * Adds one range to a set, merging what overlaps or touches.
 *
 * @returns a new set; `ranges` itself when the addition is empty
 */
export function addRange(ranges: ByteRanges, { start, end }: ByteRange): ByteRanges {
  if (end <= start) return ranges
  const result: ByteRange[] = []
  let merged = { start, end }
  let placed = false
  for (const range of ranges) {
    if (range.end < merged.start) result.push(range)
    else if (range.start > merged.end) {
      if (!placed) result.push(merged)
      placed = true
      result.push(range)
    } else {
      merged = { start: Math.min(merged.start, range.start), end: Math.max(merged.end, range.end) }
    }
  }
  if (!placed) result.push(merged)
  return result
}

/**
 * What of the first `size` bytes is not in `ranges`.
 *
 * @param size the length of the whole; offsets at or past it are ignored
 */
export function missingRanges(ranges: ByteRanges, size: number): ByteRanges {
  const missing: ByteRange[] = []
  let from = 0
  for (const { start, end } of ranges) {
    if (start >= size) break
    if (start > from) missing.push({ start: from, end: start })
    from = end
  }
  if (from < size) missing.push({ start: from, end: size })
  return missing
}

/** The first offset that is not in `ranges`. */
export function firstGap(ranges: ByteRanges): number {
  const first = ranges[0]
  return first === undefined || first.start > 0 ? 0 : first.end
}
