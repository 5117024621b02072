/**
 * Digests of a file, computed while its bytes come by where they come in order from the first one, and by reading the
 * file back where they do not: it was resumed, or a digest came after the bytes.
 */

import { createHash, type Hash } from 'node:crypto'

import { assert } from '../base/error.ts'
import { failure, FailureError } from '../job/failure.ts'
import type { ExpectedDigest } from '../job/job.ts'
import {
  digestAlgorithms,
  formatDigestHex,
  type Digest,
  type DigestAlgorithm,
} from '../wire/digest-fields.ts'
import type { PartialFile } from './partial-file.ts'

/** How much is read back at a time. */
const READ_BYTES = 1024 * 1024

/** One digest to hold against the file, and who said it. */
interface Claim extends ExpectedDigest {
  readonly by: 'user' | 'server'
}

/** Whether every byte that is to be verified comes by, in order and from the first one on. */
export interface Passage {
  readonly continuous: boolean
}

/** The digests of one file in one version. */
export class Verification {
  readonly #given: readonly Claim[]
  readonly #announced = new Map<DigestAlgorithm, Claim>()
  readonly #isContinuous: boolean
  /** Begun with the first bytes, for what is expected by then. */
  #running: Hashes | undefined
  /** How many bytes came by. */
  #passed = 0

  /** @param digests what the user expects: every one of them must agree */
  constructor(digests: readonly ExpectedDigest[], { continuous }: Passage) {
    this.#given = digests.map((digest) => ({ ...digest, by: 'user' }))
    this.#isContinuous = continuous
  }

  /**
   * Takes what the server says about the whole file: the strongest digest must agree, and of two for one algorithm the
   * later one. Costs nothing extra when it is said before the first bytes.
   */
  expect(digests: readonly Digest[]): void {
    for (const digest of digests) {
      const { algorithm } = digest
      this.#announced.set(algorithm, { algorithm, hex: formatDigestHex(digest), by: 'server' })
    }
  }

  /** Takes the next bytes of the file; nothing is kept of them. */
  update(bytes: Uint8Array): void {
    if (!this.#isContinuous) return
    this.#running ??= hashesFor(this.#claims())
    this.#passed += bytes.length
    for (const hash of this.#running.values()) hash.update(bytes)
  }

  /**
   * Compares; once.
   *
   * @param file flushed
   * @param size its length in bytes
   * @throws {FailureError} `BG_E_VALIDATION_FAILED` in the context REMOTE_FILE when a digest differs
   * @throws the signal's reason
   */
  async check(file: PartialFile, size: number, signal: AbortSignal): Promise<void> {
    const claims = this.#claims()
    if (claims.length === 0) return
    const hashes =
      this.#coverage(claims, size) ?? (await readBack(file, size, hashesFor(claims), signal))
    const digests = new Map(Array.from(hashes, ([name, hash]) => [name, hash.digest('hex')]))
    for (const claim of claims) compare(claim, digests.get(claim.algorithm), file.target)
  }

  /** What must agree: everything the user gave, and the server's strongest. */
  #claims(): readonly Claim[] {
    const strongest = digestAlgorithms.find((algorithm) => this.#announced.has(algorithm))
    const announced = strongest && this.#announced.get(strongest)
    return announced === undefined ? this.#given : [...this.#given, announced]
  }

  /** What came by, if that was the whole file and everything was computed of it. */
  #coverage(claims: readonly Claim[], size: number): Hashes | undefined {
    const running = this.#running
    if (running === undefined || this.#passed !== size) return undefined
    return claims.every(({ algorithm }) => running.has(algorithm)) ? running : undefined
  }
}

type Hashes = ReadonlyMap<DigestAlgorithm, Hash>

function hashesFor(claims: readonly Claim[]): Hashes {
  return new Map(claims.map(({ algorithm }) => [algorithm, createHash(platformName(algorithm))]))
}

/** `sha-256` is `sha256` to Node. */
function platformName(algorithm: DigestAlgorithm): string {
  return algorithm.replace('-', '')
}

async function readBack(
  file: PartialFile,
  size: number,
  hashes: Hashes,
  signal: AbortSignal,
): Promise<Hashes> {
  const buffer = new Uint8Array(Math.min(size, READ_BYTES))
  for (let position = 0; position < size;) {
    signal.throwIfAborted()
    const wanted = Math.min(buffer.length, size - position)
    const count = await file.read(buffer.subarray(0, wanted), position)
    assert(count > 0, 'a file is verified when every byte is there')
    for (const hash of hashes.values()) hash.update(buffer.subarray(0, count))
    position += count
  }
  return hashes
}

function compare(
  { algorithm, hex, by }: Claim,
  computed: string | undefined,
  target: string,
): void {
  if (computed === hex) return
  const claim = by === 'user' ? 'was expected' : 'was announced by the server'
  throw new FailureError(
    failure(
      'BG_E_VALIDATION_FAILED',
      'REMOTE_FILE',
      `Cannot accept what was received for ${target}: its ${algorithm} is ${computed}, ${hex} ${claim}`,
    ),
  )
}
