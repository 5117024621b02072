/**
 * The way to a server:
 *
 * ```
 *  direct           TCP ─────────────────────────── (TLS) ─ server
 *  http  + http     TCP ─ proxy                                      asked for whole URLs
 *  https + http     TCP ─ TLS ─ proxy                                likewise
 *  http  + https    TCP ─ proxy ─ CONNECT ───────── TLS ─── server
 *  https + https    TCP ─ TLS ─ proxy ─ CONNECT ─── TLS ─── server
 *  socks            TCP ─ proxy ─ SOCKS ─────────── (TLS) ─ server
 * ```
 */

import { failure, FailureError } from '../../job/failure.ts'
import { openTunnel, type Tunnel } from './connect.ts'
import { dial, type Place } from './dial.ts'
import type { Journey } from './journey.ts'
import { dialProxy } from './proxy-dial.ts'
import { openSocksTunnel } from './socks-tunnel.ts'
import type { Through } from './through.ts'
import { secureInside, type ConnectionTls } from './tls.ts'

/** The end of a journey. */
export interface Reached extends Tunnel {
  /** Whether the socket reads through the inlet; otherwise its `data` is to be listened to. */
  readonly readsInlet: boolean
}

const nothing = new Uint8Array()

/**
 * Makes a connection to a server, or to the proxy that is asked for its URLs.
 *
 * @param tls to the server; absent: clear text
 * @param through the proxy; absent: straight
 * @throws {FailureError} what is the proxy's fault; whatever else the sockets say is about the server
 */
export async function reach(
  target: Place,
  tls: ConnectionTls | undefined,
  through: Through | undefined,
  journey: Journey,
): Promise<Reached> {
  if (through === undefined) {
    return { socket: await dial(target, tls, journey), early: nothing, readsInlet: true }
  }
  journey.isLimited = true
  const tunnel = await pass(target, tls, through, journey)
  journey.isLimited = false
  journey.progressed()
  return tls === undefined ? { ...tunnel, readsInlet: true } : secure(tunnel, target, tls, journey)
}

function pass(
  target: Place,
  tls: ConnectionTls | undefined,
  through: Through,
  journey: Journey,
): Promise<Tunnel> {
  const { scheme } = through.proxy
  if (scheme === 'socks4' || scheme === 'socks5') return openSocksTunnel(target, through, journey)
  if (tls !== undefined) return openTunnel(target, through, journey)
  return dialProxy(through, journey, (socket) => ({ socket, early: nothing }))
}

async function secure(
  { socket, early }: Tunnel,
  place: Place,
  tls: ConnectionTls,
  journey: Journey,
): Promise<Reached> {
  if (early.length > 0) {
    // RFC 8446 §2: the client speaks first.
    const sentence = `Cannot connect to ${place.host} securely: something answers in its place, perhaps a page to sign in`
    throw new FailureError(
      failure('ERROR_WINHTTP_SECURE_CHANNEL_ERROR', 'GENERAL_TRANSPORT', sentence),
    )
  }
  const inner = await secureInside(socket, place, tls, journey)
  return { socket: inner, early: nothing, readsInlet: false }
}
