/** Private keys in PEM, and what to say when one does not open. */

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { codeOf, type Refuse } from './failure.ts'
import type { PemBlock } from './pem.ts'

/** Whether a block is a private key of any kind. */
export function isKeyBlock({ label }: PemBlock): boolean {
  return label.endsWith('PRIVATE KEY')
}

/** Whether a passphrase is needed for it. */
function isEncrypted({ label, bytes }: PemBlock): boolean {
  return label === 'ENCRYPTED PRIVATE KEY' || viewOf(bytes).includes('Proc-Type: 4,ENCRYPTED')
}

/**
 * Opens a key.
 *
 * @param path for the command that may help
 * @throws {FailureError} `ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY` without the right passphrase;
 *   `ERROR_NOT_SUPPORTED`, with the command that converts it; `ERROR_INVALID_DATA`
 */
export function openKeyBlock(
  block: PemBlock,
  path: string,
  passphrase: Uint8Array | undefined,
  refuse: Refuse,
): KeyObject {
  const isLocked = isEncrypted(block)
  if (isLocked && passphrase === undefined) {
    throw refuse('ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY', 'its private key needs a passphrase') // prettier-ignore
  }
  try {
    return createPrivateKey({
      key: viewOf(block.bytes),
      format: 'pem',
      ...(isLocked && passphrase !== undefined ? { passphrase: viewOf(passphrase) } : {}),
    })
  } catch (error) {
    throw explain(block, path, refuse, error)
  }
}

function explain(block: PemBlock, path: string, refuse: Refuse, error: unknown): Error {
  if (block.label === 'OPENSSH PRIVATE KEY') {
    const command = `ssh-keygen -p -m PEM -f ${path}`
    return refuse('ERROR_NOT_SUPPORTED', `its private key is one of OpenSSH, convert a copy of it with: ${command}`, error) // prettier-ignore
  }
  if (codeOf(error) === 'ERR_OSSL_EVP_UNSUPPORTED') {
    const command = `openssl pkey -provider legacy -provider default -in ${path} -aes256 -out NEW.key`
    return refuse('ERROR_NOT_SUPPORTED', `the encryption of its private key is out of use, convert it with: ${command}`, error) // prettier-ignore
  }
  // What is damaged looks like this whether it is encrypted or not; a wrong passphrase does not.
  if (!isEncrypted(block) || codeOf(error) === 'ERR_OSSL_UNSUPPORTED') {
    return refuse('ERROR_INVALID_DATA', 'its private key is damaged, or of an unknown kind', error)
  }
  return refuse('ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY', 'the passphrase does not open its private key', error) // prettier-ignore
}

/** The same bytes: a copy of a secret would have to be wiped, too. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
