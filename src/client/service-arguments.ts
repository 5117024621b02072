/** How Node is told to run a service. */

/**
 * A small young generation keeps the resident memory small: a service makes little garbage, and what it makes dies at
 * once. SQLite is a stable part of this service, whatever Node calls it.
 */
export const serviceArguments: readonly string[] = [
  '--max-semi-space-size=2',
  '--disable-warning=ExperimentalWarning',
]
