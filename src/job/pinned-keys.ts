/** Pinned public keys: a server is the right one only with one of these (`sha256//BASE64`, as curl writes them). */

import { JobError } from './failure.ts'

/** More than anybody changes keys between. */
const MOST_PINS = 64

/** SHA-256 of a SubjectPublicKeyInfo in DER, in Base64: 32 bytes. */
const pin = /^sha256\/\/[A-Za-z0-9+/]{43}=$/u

/** @throws {JobError} `E_INVALIDARG` for what is no pin, and for too many of them */
export function checkPinnedKeys(pins: readonly string[]): void {
  if (pins.length > MOST_PINS) {
    throw invalid(`there are ${pins.length}, ${MOST_PINS} is the most`)
  }
  const wrong = pins.find((each) => !pin.test(each))
  if (wrong !== undefined) {
    throw invalid(`${JSON.stringify(wrong.slice(0, 80))} is not sha256// and 32 bytes in Base64`)
  }
}

function invalid(why: string): JobError {
  return new JobError('E_INVALIDARG', `Cannot pin these public keys: ${why}`)
}
