/** A certificate for the loopback, signed by itself. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A key and its certificate, in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Why no certificate can be made here; `false` when one can. */
export const cannotCertify: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed'

/** Makes a certificate. @param addresses for whom it is */
export function makeCertificate(addresses: readonly string[] = ['127.0.0.1']): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'lull-certificate-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const names = addresses.map((address) => `IP:${address}`).join(',')
  const subject = ['-subj', '/CN=lull-lab', '-addext', `subjectAltName=${names}`]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  try {
    const command = [
      'req',
      '-x509',
      '-days',
      '2',
      ...subject,
      ...curve,
      '-keyout',
      key,
      '-out',
      cert,
    ]
    const { status, stderr } = spawnSync('openssl', command, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`Cannot make a certificate: ${stderr}`)
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
