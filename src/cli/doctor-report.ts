/** What an examination met, as lines for people. Nothing in it is secret: a report may be sent to others. */

import type { AuthTarget } from '../auth/auth.ts'
import type { FindingView } from '../rpc/contract.ts'
import { harmless } from './columns.ts'

/** A line of a report. */
export interface ReportLine {
  /** How far it stands inside: 0 for headings. */
  readonly depth: number
  readonly text: string
}

type Found<Kind extends FindingView['kind']> = Extract<FindingView, { readonly kind: Kind }>
type Scheme = Found<'proof'>['schemes'][number]

/** Schemes as headers write them; what is offered comes in lower case. */
const tokens: ReadonlyMap<string, string> = new Map(
  ['Basic', 'Bearer', 'Digest', 'Negotiate', 'NTLM', 'Passport1.4'].map((token) => [
    token.toLowerCase(),
    token,
  ]),
)

/** Whose identity the platform was to prove. */
const identities: Readonly<Record<Found<'ticket'>['identity'], string>> = {
  password: 'with the name and the password that were given',
  implicit: 'as who is logged on',
  keytab: 'with the keys of the keytab',
  tickets: 'with the tickets that were named',
}

/** How much a clock may be wrong before somebody should hear of it. Kerberos bears five minutes. */
const CLOCK_TOLERANCE_S = 60

/** The lines of a report, place by place. */
export function reportLines(findings: readonly FindingView[]): readonly ReportLine[] {
  const report = new Report(findings)
  for (const finding of findings) report.add(finding)
  return report.lines
}

class Report {
  readonly lines: ReportLine[] = []
  /** What cannot be used on this machine; told where it matters. */
  readonly #missing: readonly Found<'missing'>[]
  /** Told behind the question that they answer. */
  #tickets: Found<'ticket'>[] = []
  #places = 0
  #heading = ''
  /** The scheme whose legs are under way. */
  #scheme = ''

  constructor(findings: readonly FindingView[]) {
    this.#missing = findings.filter((finding) => finding.kind === 'missing')
  }

  add(finding: FindingView): void {
    switch (finding.kind) {
      case 'way':
        return this.#way(finding)
      case 'unreachable':
        return this.#say(1, `${finding.reason}: the next way is taken, if there is one`)
      case 'secured':
        return this.#secured(finding)
      case 'ticket':
        this.#tickets.push(finding)
        return
      case 'proof':
        return this.#proof(finding)
      case 'answer':
        return this.#answer(finding)
      case 'failure':
      case 'missing':
        return
      default:
        return finding satisfies never
    }
  }

  #say(depth: number, text: string): void {
    this.lines.push({ depth, text: harmless(text) })
  }

  #under(heading: string): void {
    if (heading === this.#heading) return
    this.#heading = heading
    this.#scheme = ''
    this.#say(0, heading)
  }

  #way({ url, steps, hops: [first, ...others] }: Found<'way'>): void {
    this.#under(`${this.#places++ === 0 ? 'The way to' : 'From there on to'} ${url}`)
    for (const step of steps) this.#say(1, step)
    if (first === undefined) return
    const reserve = others.length === 0 ? '' : `; in reserve: ${others.map(nameOfHop).join(', ')}`
    // Mostly the step that decided has said so.
    const isSaid = others.length === 0 && steps.at(-1)?.endsWith(nameOfHop(first)) === true
    if (!isSaid)
      this.#say(1, `It goes ${first === 'direct' ? '' : 'through '}${nameOfHop(first)}${reserve}`)
  }

  #secured({ target, host, protocol, wantsCertificate, certificate }: Found<'secured'>): void {
    this.#under(`The ${target} ${host}`)
    this.#say(1, `It speaks ${protocol.replace('TLSv', 'TLS ')}`)
    if (wantsCertificate) this.#say(1, 'It asks for a certificate of ours')
    if (certificate === undefined) return
    const { subject, issuer, names, validFrom, validTo, fingerprint } = certificate
    this.#say(1, `Its certificate is of ${subject}${names === '' ? '' : ` (${names})`}`)
    this.#say(2, `issued by ${issuer}`)
    this.#say(2, `good from ${seconds(validFrom)} to ${seconds(validTo)}`)
    this.#say(2, `SHA-256 ${fingerprint}`)
  }

  #proof(proof: Found<'proof'>): void {
    const { target, peer, status, outcome, reason, schemes, offered } = proof
    this.#under(`The ${target} ${new URL(peer).hostname}`)
    if (outcome === 'accepted' || outcome === 'distrusted') {
      const what = outcome === 'accepted' ? 'it lets us in' : `it is not trusted: ${reason}`
      this.#say(1, `${status}: ${what}`)
      this.#scheme = ''
      return
    }
    const chosen = schemes.find((each) => each.outcome === 'chosen')?.scheme ?? ''
    if (chosen !== '' && chosen === this.#scheme) {
      this.#say(1, `${status}: ${chosen} goes on`)
      return
    }
    const isRefused = this.#scheme !== '' && chosen === ''
    this.#scheme = chosen
    const asks = isRefused ? 'it still asks who is there' : 'it asks who is there'
    this.#say(1, `${status}: ${asks}, and takes ${list([...new Set(offered)].map(tokenOf))}`)
    const width = Math.max(...schemes.map(({ scheme }) => scheme.length))
    for (const scheme of schemes) this.#say(2, `${scheme.scheme.padEnd(width)}  ${fate(scheme)}`)
    if (offered.includes('negotiate')) this.#kerberos()
    if (outcome === 'detour') this.#say(1, `${chosen} asks for a ticket elsewhere first`)
    if (outcome === 'failed') this.#say(1, `No scheme is left: ${lowerFirst(reason ?? '')}`)
  }

  /** Where NTLM is taken instead, nothing else tells why there was no ticket. */
  #kerberos(): void {
    for (const { what, reason } of this.#missing) {
      this.#say(2, `${what} cannot be used on this machine: ${reason}`)
    }
    for (const { service, identity, reason } of this.#tickets) {
      const about = `ticket for ${service} ${identities[identity]}`
      if (reason === undefined) this.#say(2, `There is a ${about}`)
      else this.#say(2, `There is no ${about}: ${reason}`)
    }
    this.#tickets = []
  }

  #answer({ url, status, server, via, clockAhead = 0 }: Found<'answer'>): void {
    this.#under('The answer')
    this.#say(1, `${status} for ${url}`)
    if (server !== undefined) this.#say(1, `Server: ${server}`)
    if (via !== undefined) this.#say(1, `Via: ${via}`)
    if (Math.abs(clockAhead) < CLOCK_TOLERANCE_S) return
    const side = clockAhead > 0 ? 'ahead of' : 'behind'
    const hint = 'Kerberos and certificates need a clock that is right'
    this.#say(1, `The clock here is ${Math.abs(clockAhead)} s ${side} the server's: ${hint}`)
  }
}

/** Nobody wants to know thousandths. */
function seconds(instant: string): string {
  return instant.replace(/\.\d+Z$/u, 'Z')
}

function fate({ scheme, outcome, reason: told }: Scheme): string {
  const reason = told.startsWith(`${scheme}: `) ? told.slice(scheme.length + 2) : told
  switch (outcome) {
    case 'chosen':
      return `chosen, ${reason}`
    case 'in reserve':
      return `in reserve: ${reason}`
    case 'passed over':
      return `not taken: ${reason}`
    default:
      return outcome satisfies never
  }
}

function nameOfHop(hop: string): string {
  return hop === 'direct' ? 'straight to the server' : hop
}

function tokenOf(scheme: string): string {
  return tokens.get(scheme) ?? scheme
}

function list(words: readonly string[]): string {
  const [last = 'nothing', ...others] = words.toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`
}

function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1)
}

/** Whom a refusal came from: a proxy in front of an http URL answers in the server's place. */
export function refuserOf(status: number): AuthTarget {
  return status === 407 ? 'proxy' : 'server'
}
