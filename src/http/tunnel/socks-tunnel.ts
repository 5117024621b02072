/** A tunnel through a SOCKS proxy, for servers with and without TLS (N100 to N102). */

import type { FailureError } from '../../job/failure.ts'
import type { HresultSymbol } from '../../job/hresult.ts'
import type { Proxy } from '../../job/route.ts'
import type { Tunnel } from './connect.ts'
import type { Place } from './dial.ts'
import { closedByProxy, noAnswer, notThrough, proxyError, proxyRefused } from './failure.ts'
import { LoginTrial } from './login-trial.ts'
import type { Journey } from './journey.ts'
import { PROXY_ANSWER_MS } from './limits.ts'
import { dialProxy } from './proxy-dial.ts'
import {
  encodeGreeting,
  encodeLogin,
  encodeRequest,
  encodeRequest4,
  MAX_SOCKS_OCTETS,
  replyRest,
  socksHost,
  socksMethods,
} from './socks.ts'
import { Talk } from './talk.ts'
import type { Through } from './through.ts'

/** What a refusal means. */
interface Refusal {
  readonly symbol: HresultSymbol
  readonly reason: string
  readonly severity?: 'fatal'
}

/** Replies of version 5 (RFC 1928 §6). What only somebody who changes the proxy can change is fatal. */
const refusals: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [1, cannotConnect('it failed')],
  [2, { ...cannotConnect('its rules forbid this server'), severity: 'fatal' }],
  [3, cannotConnect('it has no way to the network of the server')],
  [4, cannotConnect('it has no way to the server')],
  [5, cannotConnect('the server refuses the connection')],
  [6, { symbol: 'ERROR_WINHTTP_TIMEOUT', reason: 'the server does not answer it' }],
  [7, { ...cannotConnect('it does not make connections'), severity: 'fatal' }],
  [8, { ...cannotConnect('it does not know this kind of address'), severity: 'fatal' }],
])

const refused4 = cannotConnect('it refuses or cannot reach the server')

/** Replies of version 4. */
const granted4 = 0x5a
const whoIsAsking4: ReadonlySet<number> = new Set([0x5c, 0x5d])

function cannotConnect(reason: string): Refusal {
  return { symbol: 'ERROR_WINHTTP_CANNOT_CONNECT', reason }
}

/**
 * Has a SOCKS proxy make a tunnel.
 *
 * @throws {ProxyUnreachableError} when it cannot be reached, or what is there does not speak SOCKS
 * @throws {FailureError} when it does not make one
 */
export async function openSocksTunnel(
  target: Place,
  through: Through,
  journey: Journey,
): Promise<Tunnel> {
  const { proxy } = through
  const host = socksHost(target.host)
  if (host === undefined) {
    throw notThrough(proxy, 'ERROR_WINHTTP_INVALID_URL', 'the name of the server is too long')
  }
  const place = { host, port: target.port }
  try {
    return await (proxy.scheme === 'socks4'
      ? openSocks4(place, through, journey)
      : openSocks5(place, through, journey))
  } catch (error) {
    throw proxyError(error, proxy)
  }
}

async function openSocks5(target: Place, through: Through, journey: Journey): Promise<Tunnel> {
  const { proxy, login } = through
  const { talk, method } = await dialProxy(through, journey, async (socket) => {
    const talk = new Talk(socket, journey)
    return { talk, method: await greet(talk, login !== undefined) }
  })
  using _limit = limitAnswer(proxy, journey)
  if (method !== socksMethods.none) await logIn(talk, method, through)
  talk.say(encodeRequest(target))
  const head = await take(talk, 5, proxy)
  if (head[0] !== 5) throw broken(proxy)
  const code = head[1] ?? 0
  if (code !== 0) throw refused(proxy, refusals.get(code) ?? cannotConnect(`it answers ${code}`))
  const rest = replyRest(head)
  if (rest === undefined) throw broken(proxy)
  await take(talk, rest, proxy)
  return { socket: talk.socket, early: talk.end() }
}

/** @returns the method that the proxy has chosen. @throws when it does not speak SOCKS: then there is none (N75) */
async function greet(talk: Talk, hasLogin: boolean): Promise<number | undefined> {
  const { none, password } = socksMethods
  talk.say(encodeGreeting(hasLogin ? [none, password] : [none]))
  const answer = await talk.take(2)
  if (answer?.[0] !== 5) throw new Error('it does not speak SOCKS 5')
  return answer[1]
}

async function logIn(talk: Talk, method: number | undefined, through: Through): Promise<void> {
  const { proxy, login, loginTrial = new LoginTrial() } = through
  if (login === undefined) throw proxyRefused(proxy, 'It wants to know who is asking')
  if (method !== socksMethods.password) {
    throw proxyRefused(proxy, 'It takes neither nobody nor user and password')
  }
  const user = Buffer.from(login.userName, 'utf8')
  if (!fits(user.length) || !fits(login.password.length)) {
    throw proxyRefused(proxy, 'The user name or the password has a length that cannot be sent')
  }
  const isTaken = await loginTrial.make(async () => {
    talk.sayOnce(login.password.use((password) => encodeLogin(user, password)))
    const [, status] = await take(talk, 2, proxy)
    return status === 0
  })
  if (!isTaken) throw proxyRefused(proxy, 'It refused the credentials')
}

function fits(length: number): boolean {
  return length > 0 && length <= MAX_SOCKS_OCTETS
}

async function openSocks4(target: Place, through: Through, journey: Journey): Promise<Tunnel> {
  const { proxy, login } = through
  // This version knows no password, so none is sent.
  const user = Buffer.from(login?.userName ?? '', 'utf8')
  if (user.includes(0)) throw proxyRefused(proxy, 'The user name cannot be sent to it')
  const talk = await dialProxy(through, journey, (socket) => new Talk(socket, journey))
  using _limit = limitAnswer(proxy, journey)
  talk.say(encodeRequest4(target, user))
  const [zero, code = 0] = await take(talk, 8, proxy)
  if (zero !== 0) throw broken(proxy)
  if (whoIsAsking4.has(code)) throw proxyRefused(proxy, 'It cannot tell who is asking')
  if (code !== granted4) throw refused(proxy, refused4)
  return { socket: talk.socket, early: talk.end() }
}

function limitAnswer(proxy: Proxy, journey: Journey): Disposable {
  return journey.limit(PROXY_ANSWER_MS, () => noAnswer(proxy, PROXY_ANSWER_MS))
}

async function take(talk: Talk, count: number, proxy: Proxy): Promise<Uint8Array> {
  const bytes = await talk.take(count)
  if (bytes === undefined) throw closedByProxy(proxy)
  return bytes
}

function refused(proxy: Proxy, { symbol, reason, severity }: Refusal): FailureError {
  return notThrough(proxy, symbol, reason, severity === undefined ? {} : { severity })
}

function broken(proxy: Proxy): FailureError {
  return notThrough(proxy, 'BG_E_INVALID_SERVER_RESPONSE', 'its answer is not SOCKS')
}
