/** What may be there or not, and then the reason why not. */

/** Something that this machine offers, or one sentence (no capital, no full stop) on why it does not. */
export type Capability<Value> =
  | { readonly kind: 'available'; readonly value: Value }
  | { readonly kind: 'missing'; readonly reason: string }

/** It is there. */
export function available<Value>(value: Value): Capability<Value> {
  return { kind: 'available', value }
}

/**
 * It is not there.
 *
 * @param reason one sentence for people, without capital and full stop
 */
export function missing(reason: string): Capability<never> {
  return { kind: 'missing', reason }
}

/** What can be made of it, where it is there; the same reason where it is not. */
export function derive<From, To>(
  capability: Capability<From>,
  make: (value: From) => To,
): Capability<To> {
  return capability.kind === 'missing' ? capability : available(make(capability.value))
}
