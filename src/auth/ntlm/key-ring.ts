/** Keys that live as long as one computation. */

/** Wipes every key it was given when its scope ends, also when that ends with an error. */
export class KeyRing implements Disposable {
  readonly #keys: Uint8Array[] = []

  /** Takes a key over, and gives it back for use inside the scope. */
  keep(key: Uint8Array): Uint8Array {
    this.#keys.push(key)
    return key
  }

  [Symbol.dispose](): void {
    for (const key of this.#keys) key.fill(0)
  }
}
