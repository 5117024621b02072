/** The hashes that the room needs and does not compute itself: a port, implemented over the platform's. */

/** A hash by its usual name. `sha-512-256` is SHA-512/256 of FIPS 180-4 with its own initial values, no cut SHA-512 (A211). */
export type HashAlgorithm =
  | 'md5'
  | 'sha-1'
  | 'sha-224'
  | 'sha-256'
  | 'sha-384'
  | 'sha-512'
  | 'sha-512-256'

/** Hashing; synchronous, because every input is small. */
export interface Hashes {
  /** Whether the platform offers this one: in FIPS mode there is no MD5, which makes its users unable (A430). */
  has(algorithm: HashAlgorithm): boolean
  /**
   * The hash of the parts, one after the other.
   *
   * @returns a new array that belongs to the caller
   * @throws when {@link has} says no
   */
  hash(algorithm: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array
  /**
   * As {@link hash}, in lower-case hexadecimal. Text stands for octets, a character each: for those who hash texts by the
   * thousand and hash what comes out again.
   */
  hex(algorithm: HashAlgorithm, ...parts: readonly (Uint8Array | string)[]): string
  /** HMAC (RFC 2104) over the parts, one after the other; as {@link hash} otherwise. */
  hmac(algorithm: HashAlgorithm, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** Whether two arrays are equal, in a time that tells nothing but their lengths (A432). */
  equal(left: Uint8Array, right: Uint8Array): boolean
}
