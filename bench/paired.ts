/** Two ways beside each other, pair by pair: a ratio, and how sure it is. */

/** A ratio, and an interval that holds the true one nineteen times of twenty. */
export interface PairedRatio {
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/** Of the normal distribution: nineteen of twenty lie within so many deviations. */
const DEVIATIONS = 1.96

/**
 * By what `ones` differ from the `others` of their pairs.
 *
 * Ranks decide and not sizes, so that a run that the machine disturbed counts as one run, however long it took: the
 * estimate of Hodges and Lehmann over the logarithms, and the interval of Wilcoxon's signed ranks.
 *
 * @param others as many as `ones`; ten or more
 */
export function pairedRatio(ones: readonly number[], others: readonly number[]): PairedRatio {
  const logs = ones.map((one, index) => Math.log(one / (others[index] ?? Number.NaN)))
  const means = logs
    .flatMap((log, index) => logs.slice(index).map((other) => (log + other) / 2))
    .toSorted((a, b) => a - b)
  const count = logs.length
  const deviation = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24)
  const cut = Math.max(0, Math.floor((count * (count + 1)) / 4 - DEVIATIONS * deviation))
  const at = (index: number): number => Math.exp(means[index] ?? Number.NaN)
  return {
    ratio: Math.sqrt(at((means.length - 1) >> 1) * at(means.length >> 1)),
    low: at(cut),
    high: at(means.length - 1 - cut),
  }
}

/** `1.012 (0.998 to 1.027)`. */
export function formatPairedRatio({ ratio, low, high }: PairedRatio): string {
  return `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
}
