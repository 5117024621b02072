/** Waiting that can be given up. */

/**
 * Waits for work until a signal says otherwise; the work itself goes on, for whoever else waits for it.
 *
 * @returns what the work does
 * @throws the reason of the signal, as an error
 */
export function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const aborted = (): void => {
    const { reason } = signal
    reject(reason instanceof Error ? reason : new Error(String(reason)))
  }
  if (signal.aborted) aborted()
  signal.addEventListener('abort', aborted, { once: true })
  void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  return promise
}
