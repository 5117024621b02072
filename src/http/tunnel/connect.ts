/**
 * A tunnel through an HTTP proxy (RFC 9110 §9.3.6):
 *
 * ```
 *  connect to the proxy → CONNECT host:port → 2xx: the tunnel
 *        ▲                     ▲          └→ 407: drain it, answer the challenge ─┐
 *        └── the proxy closed ─┴──────── on the same connection ──────────────────┘
 * ```
 *
 * What is said here is the proxy's business alone: no header of the request goes with it (N97) but one that is meant for
 * proxies (A46), and nothing of what it answers is shown as the server's (N91).
 */

import type { Socket } from 'node:net'
import type { Exchange } from '../../auth/exchange.ts'
import { targetFields } from '../../auth/auth.ts'
import type { RequestFacts, ResponseFacts, Send } from '../../auth/scheme.ts'
import { version } from '../../version.ts'
import type { Field } from '../../wire/fields.ts'
import { ResponseReader } from '../../wire/response-reader.ts'
import { parseRetryAfter } from '../../wire/retry-after.ts'
import type { ResponseHead } from '../../wire/wire.ts'
import { formatRequest } from '../../wire/write.ts'
import { FailureError } from '../../job/failure.ts'
import { distrusted } from '../failure.ts'
import {
  attemptAt,
  closedByProxy,
  noAnswer,
  notThrough,
  proxyError,
  proxyRefused,
  proxyStatus,
} from './failure.ts'
import { isLoopbackAddress } from './addresses.ts'
import type { Place } from './dial.ts'
import type { Journey } from './journey.ts'
import { PROXY_ANSWER_MS } from './limits.ts'
import { dialProxy } from './proxy-dial.ts'
import { Talk } from './talk.ts'
import type { Through } from './through.ts'
import { channelBindingOf } from './tls.ts'

/** What is read of the body of a 407; behind a longer one the next CONNECT goes over another connection. */
export const MAX_REFUSAL_BYTES = 64 * 1024

/** Connections for one tunnel: those of a Digest whose nonces go stale (A135), one for another scheme, and one more. */
const MAX_DIALS = 6

/** A way to the server: from here on the proxy only passes bytes on. */
export interface Tunnel {
  readonly socket: Socket
  /** What came behind the proxy's answer: it is the server's. Mostly empty. */
  readonly early: Uint8Array
}

/** The server as CONNECT names it: the port always, IPv6 in brackets (N90). */
export function tunnelAuthority({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * Has a proxy make a tunnel.
 *
 * @throws {ProxyUnreachableError} when it cannot be reached
 * @throws {FailureError} when it does not make one
 */
export async function openTunnel(
  target: Place,
  through: Through,
  journey: Journey,
): Promise<Tunnel> {
  using exchange = through.authenticator?.begin()
  // Nobody waits for a ticket server, or for somebody else's trial, when the connection is not wanted any more.
  const leave = (): void => exchange?.close()
  journey.signal.addEventListener('abort', leave)
  try {
    return await new Connect(target, through, journey, exchange).run()
  } catch (error) {
    throw proxyError(error, through.proxy)
  } finally {
    journey.signal.removeEventListener('abort', leave)
  }
}

/** One connection to the proxy. */
class Line {
  readonly talk: Talk
  readonly reader = new ResponseReader()
  readonly facts: RequestFacts
  /** Whether the proxy has answered on it: when it closes then, the next CONNECT has not failed. */
  wasAnswered = false
  /** Whether it takes another CONNECT. */
  isOpen = true

  constructor(socket: Socket, authority: string, journey: Journey) {
    this.talk = new Talk(socket, journey)
    const channelBinding = channelBindingOf(socket)
    this.facts = {
      method: 'CONNECT',
      requestTarget: authority,
      url: new URL(`https://${authority}/`),
      connection: this,
      ...(channelBinding === undefined ? {} : { channelBinding }),
      isLoopback: isLoopbackAddress(socket.remoteAddress),
    }
  }
}

/** The CONNECTs for one tunnel. */
class Connect {
  readonly #authority: string
  readonly #through: Through
  readonly #journey: Journey
  readonly #exchange: Exchange | undefined
  #dials = 0

  constructor(target: Place, through: Through, journey: Journey, exchange: Exchange | undefined) {
    this.#authority = tunnelAuthority(target)
    this.#through = through
    this.#journey = journey
    this.#exchange = exchange
  }

  async run(): Promise<Tunnel> {
    let line = await this.#dial()
    let send = await this.#exchange?.prepare(line.facts)
    for (;;) {
      const head = await this.#ask(line, send)
      if (head !== undefined && head.status !== targetFields.proxy.status) {
        return this.#arrive(line, head)
      }
      if (head !== undefined) send = await this.#prove(line, head)
      if (line.isOpen) continue
      line.talk.socket.destroy()
      line = await this.#dial()
      // What was meant for the connection before is void on this one (N94).
      send = await this.#exchange?.prepare(line.facts)
    }
  }

  async #dial(): Promise<Line> {
    const { proxy } = this.#through
    if (++this.#dials > MAX_DIALS) throw proxyRefused(proxy, 'It closes every connection')
    const socket = await dialProxy(this.#through, this.#journey, (socket) => socket)
    return new Line(socket, this.#authority, this.#journey)
  }

  /** Sends CONNECT. @returns the head of the answer, with the body of a 407 drained; `undefined` when it was lost */
  async #ask(line: Line, send: Send | undefined): Promise<ResponseHead | undefined> {
    const { proxy } = this.#through
    this.#journey.signal.throwIfAborted()
    using _limit = this.#journey.limit(PROXY_ANSWER_MS, () => noAnswer(proxy, PROXY_ANSWER_MS))
    line.reader.expect('CONNECT')
    line.talk.say(this.#format(send))
    const head = await readAnswer(line)
    if (head !== undefined) {
      line.wasAnswered = true
      return head
    }
    line.isOpen = false
    if (line.wasAnswered) return undefined
    throw closedByProxy(proxy)
  }

  #format(send: Send | undefined): Uint8Array {
    const fields: Field[] = [
      ['Host', this.#authority],
      ['User-Agent', `Lull/${version}`],
    ]
    if (send?.header !== undefined) fields.push([targetFields.proxy.credentials, send.header])
    else fields.push(...(this.#through.given ?? []))
    return formatRequest({ method: 'CONNECT', target: this.#authority, fields })
  }

  async #prove(line: Line, head: ResponseHead): Promise<Send> {
    const { proxy } = this.#through
    const step = await this.#exchange?.challenged(factsOf(head), line.facts)
    this.#journey.signal.throwIfAborted()
    if (step === undefined) throw proxyRefused(proxy, 'It wants to know who is asking')
    if (step.kind === 'failed') throw proxyRefused(proxy, step.reason)
    if (step.kind === 'detour') throw proxyRefused(proxy, 'It wants a sign-in elsewhere')
    return step
  }

  /** Something other than 407: the proof was good, whatever else is wrong (A139). */
  async #arrive(line: Line, head: ResponseHead): Promise<Tunnel> {
    const { proxy } = this.#through
    const verdict = await this.#exchange?.accepted(factsOf(head))
    if (verdict?.kind === 'refused') {
      // Not a DistrustError: not a byte of the server has come this way, and those that came before are not the proxy's.
      throw new FailureError(distrusted(attemptAt(proxy), verdict.reason))
    }
    if (head.status < 200) {
      throw notThrough(proxy, 'BG_E_INVALID_SERVER_RESPONSE', `it answers ${head.status}`)
    }
    if (head.status >= 300) {
      const retryAfterMs = parseRetryAfter(head.fields.get('retry-after'), Date.now())
      throw proxyStatus(proxy, head.status, retryAfterMs)
    }
    const behind = line.reader.takeRest().slice()
    this.#journey.signal.throwIfAborted()
    return { socket: line.talk.socket, early: Buffer.concat([behind, line.talk.end()]) }
  }
}

/**
 * Reads one answer: the whole of a 407 that the connection can outlive, and nothing behind the head of another.
 *
 * @returns `undefined` when the proxy closed the connection before
 * @throws {ProtocolError} when it is not HTTP
 */
async function readAnswer(line: Line): Promise<ResponseHead | undefined> {
  const { reader, talk } = line
  let head: ResponseHead | undefined
  let bodyBytes = 0
  for (;;) {
    const event = reader.next()
    if (event === undefined) {
      const bytes = await talk.hear()
      if (bytes === undefined) return lose(line, head)
      reader.push(bytes)
    } else if (event.kind === 'head') {
      head = event.head
      if (!outlives(head)) line.isOpen = false
      // Nobody reads what is behind it; of a tunnel, the end of the head comes next.
      if (!line.isOpen && !isTunnelHead(head)) return head
    } else if (event.kind === 'body') {
      bodyBytes += event.bytes.length
      if (bodyBytes > MAX_REFUSAL_BYTES) return lose(line, head)
    } else if (event.kind === 'end' || event.kind === 'closed') {
      return head
    }
  }
}

function lose(line: Line, head: ResponseHead | undefined): ResponseHead | undefined {
  line.isOpen = false
  return head
}

/** Whether the connection takes another CONNECT behind a response, as far as its head says (A363). */
function outlives(head: ResponseHead): boolean {
  const isOld = /(?:^|,)\s*close\s*(?:,|$)/i.test(head.fields.get('proxy-connection') ?? '')
  return head.status === targetFields.proxy.status && head.keepAlive && !isOld
}

function isTunnelHead({ status }: ResponseHead): boolean {
  return status >= 200 && status < 300
}

function factsOf({ status, fields }: ResponseHead): ResponseFacts {
  return { status, fields: [...fields] }
}
