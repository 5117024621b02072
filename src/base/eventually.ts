/** Values that are there at once nearly always, and have to be waited for now and then. */

/** A value, or the promise of one. */
export type Eventually<Value> = Value | Promise<Value>

/**
 * Goes on with a value: at once where it is there. Whoever awaits each of thousands of values that are there already
 * makes a promise of each, and comes back to it later than need be.
 */
export function goOnWith<Value, Result>(
  value: Eventually<Value>,
  goOn: (value: Value) => Eventually<Result>,
): Eventually<Result> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}
