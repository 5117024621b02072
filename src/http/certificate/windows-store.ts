/**
 * The certificate stores of Windows, through PowerShell and .NET (A81). A key that was issued or imported as not
 * exportable never leaves its store; neither does one in a chip or on a card.
 */

import { randomBytes, X509Certificate } from 'node:crypto'
import { readPkcs12Keys } from './pkcs12.ts'
import {
  runCommand,
  StoreError,
  type PlatformLocation,
  type PlatformStore,
  type RunCommand,
} from './platform-store.ts'

/** How the scripts end. */
const status = { noStore: 2, noCertificate: 3, notExportable: 4 } as const

/** What both scripts begin with; names come in the environment, where nothing in them is a command. */
const open = `
$ErrorActionPreference = 'Stop'
$X = 'System.Security.Cryptography.X509Certificates'
$store = New-Object "$X.X509Store" $env:LULL_STORE, $env:LULL_LOCATION
try { $store.Open('ReadOnly, OpenExistingOnly') } catch { exit ${status.noStore} }
`

/** Prints those with a key: a line of Base64 each. */
const listing = `${open}
foreach ($one in $store.Certificates) {
  if ($one.HasPrivateKey) { [Convert]::ToBase64String($one.RawData) }
}
`

/** Prints PKCS#12 in a line, then the certificate and its authorities but for the root. The word comes over standard input. */
const taking = `${open}
$one = $store.Certificates.Find('FindByThumbprint', $env:LULL_HASH, $false) | Select-Object -First 1
if ($null -eq $one) { exit ${status.noCertificate} }
try { $sealed = $one.Export('Pfx', [Console]::In.ReadLine()) } catch { exit ${status.notExportable} }
[Convert]::ToBase64String($sealed)
$chain = New-Object "$X.X509Chain"
$chain.ChainPolicy.RevocationMode = 'NoCheck'
[void]$chain.Build($one)
foreach ($link in $chain.ChainElements) {
  if ($link.Certificate.Subject -ne $link.Certificate.Issuer -or $link.Certificate.Thumbprint -eq $one.Thumbprint) {
    [Convert]::ToBase64String($link.Certificate.RawData)
  }
}
`

const locations: Readonly<Record<PlatformLocation, string>> = {
  currentUser: 'CurrentUser',
  localMachine: 'LocalMachine',
}

/** Makes the store of Windows. @param run the machine's unless a test has another */
export function windowsStore(run: RunCommand = runCommand): PlatformStore {
  return {
    certificates(location, store) {
      const env = { LULL_STORE: store, LULL_LOCATION: locations[location] }
      const outcome = run('powershell.exe', wordsOf(listing), { env })
      if (outcome.status === status.noStore) return undefined
      if (outcome.status !== 0) throw broken(outcome.status)
      return linesOf(outcome.stdout).map((der) => new X509Certificate(der))
    },
    take({ location, store, hash }) {
      const word = randomBytes(24).toString('hex')
      const env = { LULL_STORE: store, LULL_LOCATION: locations[location], LULL_HASH: hash }
      const outcome = run('powershell.exe', wordsOf(taking), { env, input: `${word}\n` })
      if (outcome.status === status.noStore || outcome.status === status.noCertificate) {
        throw new StoreError('missing', 'it is not in the store any more')
      }
      if (outcome.status === status.notExportable) {
        const why = 'Windows does not let its private key out; have it issued, or imported, with a key that can be exported, or use a file' // prettier-ignore
        throw new StoreError('locked', why)
      }
      const [sealed, ...chain] = linesOf(outcome.stdout)
      if (outcome.status !== 0 || sealed === undefined) throw broken(outcome.status)
      return {
        certificates: chain.map((der) => new X509Certificate(der)),
        keys: readPkcs12Keys(sealed, Buffer.from(word)),
      }
    },
  }
}

function wordsOf(script: string): readonly string[] {
  // UTF-16: what PowerShell takes without another look at quotes.
  const encoded = Buffer.from(script, 'utf16le').toString('base64')
  return ['-NoLogo', '-NoProfile', '-NonInteractive', '-EncodedCommand', encoded]
}

function linesOf(text: string): readonly Buffer[] {
  const lines = text.split(/\r?\n/u).filter((line) => line !== '')
  return lines.map((line) => Buffer.from(line, 'base64'))
}

function broken(ended: number | undefined): StoreError {
  return new StoreError('broken', `PowerShell ended with ${ended ?? 'no status in time'}`)
}
