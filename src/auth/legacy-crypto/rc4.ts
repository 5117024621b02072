/** RC4, which platforms no longer offer (A430). NTLM seals, signs and exchanges keys with it. */

/** One key stream; whoever holds it owns its state and wipes it. */
export class Rc4 {
  readonly #box = new Uint8Array(256)
  #i = 0
  #j = 0

  /** @param key 1 to 256 bytes; only read */
  constructor(key: Uint8Array) {
    for (let index = 0; index < 256; index++) this.#box[index] = index
    for (let index = 0, other = 0; index < 256; index++) {
      other = (other + this.#at(index) + (key[index % key.length] ?? 0)) & 0xff
      this.#swap(index, other)
    }
  }

  /** Encrypts or decrypts the next bytes of the stream into a new array. */
  apply(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) => {
      this.#i = (this.#i + 1) & 0xff
      this.#j = (this.#j + this.#at(this.#i)) & 0xff
      this.#swap(this.#i, this.#j)
      return byte ^ this.#at((this.#at(this.#i) + this.#at(this.#j)) & 0xff)
    })
  }

  /** Overwrites the state. What is applied afterwards is not encrypted, so nothing may be. */
  wipe(): void {
    this.#box.fill(0)
  }

  #at(index: number): number {
    return this.#box[index] ?? 0
  }

  #swap(left: number, right: number): void {
    const kept = this.#at(left)
    this.#box[left] = this.#at(right)
    this.#box[right] = kept
  }
}

/** Encrypts or decrypts one message with a key stream of its own, which is wiped. */
export function rc4(key: Uint8Array, message: Uint8Array): Uint8Array {
  const stream = new Rc4(key)
  const result = stream.apply(message)
  stream.wipe()
  return result
}
