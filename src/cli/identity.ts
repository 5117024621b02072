/** As whom a job asks: the options, and the secrets that belong to them, become what the service takes. */

import type { AuthTarget } from '../auth/auth.ts'
import type { CertificateParams, CredentialParams } from '../rpc/contract.ts'
import { planCertificate, type CertificatePlan } from './certificate-plan.ts'
import { pairsOf, planTarget, type Source, type TargetPlan } from './identity-plan.ts'
import type { Arguments } from './parse.ts'
import type { SecretInput } from './secret-input.ts'

/** What the options say, before any secret is read. */
export interface IdentityPlan {
  readonly targets: readonly TargetPlan[]
  readonly certificate: CertificatePlan | undefined
  /** Whether the server is told before it asks (A86). */
  readonly isPreemptive: boolean
}

/** Reads the options. @throws {CliError} exit status 2, before anybody was asked for anything */
export function planIdentity(args: Arguments): IdentityPlan {
  const targets = (['server', 'proxy'] as const).flatMap((target) => planTarget(target, args) ?? [])
  const isPreemptive = args.has('preemptive')
  return { targets, certificate: planCertificate(args), isPreemptive }
}

/** Whether the options say nothing. */
export function isNobody({ targets, certificate, isPreemptive }: IdentityPlan): boolean {
  return targets.length === 0 && certificate === undefined && !isPreemptive
}

/** Who a target is. */
export interface Peer {
  /** As a question names it; empty when there is nothing to say. */
  readonly name: string
  /** Whether everything that is said to it is encrypted. */
  readonly isSecure: boolean
}

/** What the service is given. */
export interface Identity {
  readonly credentials: readonly CredentialParams[]
  readonly certificate?: CertificateParams
  readonly preemptiveAuthentication?: true
}

/** Basic was named, so it is given; whoever named it shall know what that means (A183). */
function warn(target: AuthTarget, name: string): void {
  const where = name === '' ? `the ${target}` : name
  process.stderr.write(
    `Warning: everybody on the way to ${where} can read the password: Basic does not hide it without TLS\n`,
  )
}

/** Reads the secrets of a plan: the server's, the proxy's, then what opens the key. */
export class IdentityReader {
  readonly #plan: IdentityPlan
  readonly #input: SecretInput
  /** What was read of standard input. */
  readonly #secrets = new Map<AuthTarget | 'passphrase', string>()

  constructor(plan: IdentityPlan, input: SecretInput) {
    this.#plan = plan
    this.#input = input
  }

  /** Takes the lines of standard input that are secrets, so that others may read what stands behind them. */
  async readLines(): Promise<void> {
    for (const { target, source, fromStdin } of this.#plan.targets) {
      if (fromStdin) this.#secrets.set(target, await this.#read(target, source, '', true))
    }
    const { certificate } = this.#plan
    if (certificate?.fromStdin === true) {
      this.#secrets.set('passphrase', await this.#readPassphrase(certificate))
    }
  }

  /** Asks for what is missing, and puts it all together. */
  async finish(peers: Readonly<Record<AuthTarget, Peer>>): Promise<Identity> {
    const credentials: CredentialParams[] = []
    for (const plan of this.#plan.targets) {
      const { target, source } = plan
      const { name, isSecure } = peers[target]
      const isAsked = source.kind === 'password' && !this.#secrets.has(target)
      const secret = isAsked
        ? await this.#read(target, source, name, false)
        : this.#secrets.get(target)
      const pairs = pairsOf(plan, secret, isSecure)
      if (!isSecure && pairs.some(({ scheme }) => scheme === 'basic')) warn(target, name)
      credentials.push(...pairs)
    }
    const { certificate, isPreemptive } = this.#plan
    return {
      credentials,
      ...(isPreemptive ? { preemptiveAuthentication: true } : {}),
      ...(certificate === undefined ? {} : { certificate: await this.#open(certificate) }),
    }
  }

  async #open(plan: CertificatePlan): Promise<CertificateParams> {
    if (plan.locked === undefined) return plan.certificate
    const passphrase = this.#secrets.get('passphrase') ?? (await this.#readPassphrase(plan))
    return { ...plan.certificate, passphrase }
  }

  #read(target: AuthTarget, source: Source, peer: string, fromStdin: boolean): Promise<string> {
    const whose = source.kind === 'password' ? `password of ${source.userName}` : 'bearer token'
    const where = target === 'proxy' ? ` for the proxy${peer === '' ? '' : ` ${peer}`}` : ''
    const at = target === 'server' && peer !== '' ? ` for ${peer}` : ''
    const option = target === 'server' ? 'password-stdin' : 'proxy-password-stdin'
    return this.#input.read({ what: `the ${whose}${where}${at}`, fromStdin, option })
  }

  #readPassphrase({ locked, fromStdin }: CertificatePlan): Promise<string> {
    const what = `the passphrase of ${locked ?? 'the key'}`
    return this.#input.read({ what, fromStdin, option: 'passphrase-stdin' })
  }
}
