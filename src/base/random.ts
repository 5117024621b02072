/** Randomness as the pure rooms see it. */

/** Where randomness comes from. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive); for jitter and rotation, never for secrets. */
  fraction(): number
  /** `length` bytes from the platform's cryptographic generator. */
  bytes(length: number): Uint8Array
}
