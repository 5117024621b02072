/** Finds out how a URL is reached and what is asked for on the way: what `lull doctor` tells. */

import type { Mechanisms } from '../auth/mechanism.ts'
import type { ExamineOrder } from '../engine/order.ts'
import type { BodySink, HttpClient, HttpRequest, HttpResponse } from '../http/http.ts'
import type { FinalAnswer, Finding } from '../job/finding.ts'
import { describeProxy, type Hop, type Routes } from '../job/route.ts'
import { toFailure } from './failure.ts'
import { Identities } from './identities.ts'
import { systemClock } from './system-clock.ts'
import { WitnessedMechanisms } from './witnessed-mechanisms.ts'

/** Ways that tell how they were decided. */
export interface TellingRoutes extends Routes {
  explain(url: URL): Promise<{
    readonly steps: readonly { readonly sentence: string }[]
    readonly route?: readonly Hop[]
  }>
}

/** What an examination needs. */
export interface ExamineWorld {
  readonly http: HttpClient
  readonly mechanisms: Mechanisms
  readonly routes: TellingRoutes
  readonly signal: AbortSignal
}

/** Nothing of the file is kept. */
const nothing: BodySink = { head: () => 'drop', write: () => undefined, flush: () => undefined }

/**
 * Asks for the first byte of a URL as the order says, and tells everything that was met. Never rejects: what goes
 * wrong is the last of the findings.
 */
export async function examine(
  order: ExamineOrder,
  { http, mechanisms, routes, signal }: ExamineWorld,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const reason = mechanisms.unavailable('kerberos')
  if (reason !== undefined) findings.push({ kind: 'missing', what: 'Kerberos', reason })
  const watched = new WitnessedMechanisms(mechanisms, (ticket) => {
    findings.push({ kind: 'ticket', ...ticket })
  })
  const identities = new Identities(order.identity, watched, {
    closed: (identity) => http.retire(identity),
    witness: (witnessed) => void findings.push({ kind: 'proof', ...witnessed }),
  })
  const { transfer, url, stallTimeoutMs, urlCredentials } = order
  const certificate = order.identity?.certificate
  const request: HttpRequest = {
    method: 'GET',
    url,
    headers: transfer.headers,
    range: 'bytes=0-0',
    redirects: transfer.redirects,
    stallTimeoutMs,
    signal,
    party: order.examination,
    identity: identities.ofSomebody(urlCredentials),
    routes: telling(routes, findings),
    witness: (secured) => void findings.push({ kind: 'secured', ...secured }),
    ...(transfer.caFile === undefined ? {} : { caFile: transfer.caFile }),
    securityFlags: transfer.securityFlags ?? 0,
    ...(transfer.pinnedKeys === undefined ? {} : { pinnedKeys: transfer.pinnedKeys }),
    ...(transfer.validation === undefined ? {} : { accepted: transfer.validation.accepted }),
    ...(certificate === undefined ? {} : { certificate }),
  }
  try {
    const { response } = await http.exchange(request, nothing)
    findings.push({ kind: 'answer', ...describe(response) })
  } catch (error) {
    findings.push({ kind: 'failure', failure: toFailure(error, undefined) })
  } finally {
    identities.close()
  }
  return findings
}

/** Tells each decision before the way is gone. */
function telling(routes: TellingRoutes, findings: Finding[]): Routes {
  return {
    async find(place) {
      const { steps, route = [] } = await routes.explain(new URL(place.href))
      findings.push({
        kind: 'way',
        url: withoutQuery(place.href),
        steps: steps.map(({ sentence }) => sentence),
        hops: route.map((hop) => (hop === 'direct' ? hop : describeProxy(hop))),
      })
      return routes.find(place)
    },
    failed(proxy, reason = 'it cannot be reached') {
      findings.push({ kind: 'unreachable', proxy: describeProxy(proxy), reason })
      routes.failed(proxy, reason)
    },
  }
}

function describe({ url, status, field }: HttpResponse): FinalAnswer {
  const server = field('server')
  const via = field('via')
  const date = Date.parse(field('date') ?? '')
  return {
    url: withoutQuery(url),
    status,
    ...(server === undefined ? {} : { server }),
    ...(via === undefined ? {} : { via }),
    // Its date has no fractions of a second.
    ...(Number.isNaN(date) ? {} : { clockAhead: Math.floor((systemClock.now() - date) / 1000) }),
  }
}

/** A query may hold a secret, and a report is sent to others. */
function withoutQuery(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
