/** How Node is told to run a service. */

/**
 * A service lives for months and should weigh little: a small young generation, an old one that grows in small steps, and
 * the means to give memory back once there is nothing to do. It costs a twentieth of the time that thousands of small
 * files take, and saves an eighth of the memory. What is young is collected by the thread it belongs to: of so little the
 * others would be woken up for longer than they help. SQLite is a stable part of this service, whatever Node calls it.
 */
export const serviceArguments: readonly string[] = [
  '--optimize-for-size',
  '--max-semi-space-size=3',
  '--heap-growing-percent=10',
  '--no-parallel-scavenge',
  '--expose-gc',
  '--disable-warning=ExperimentalWarning',
]

/**
 * Few heaps of the C library, and large pieces of memory on their own: with a heap for each thread and thresholds that
 * grow, what the carrier frees would stay with the process.
 */
export const serviceEnvironment: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '262144',
}
