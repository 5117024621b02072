/** A socket to a host, in clear text or with TLS from its first byte. */

import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { findAddresses } from './addresses.ts'
import type { Journey } from './journey.ts'
import { race } from './race.ts'
import { beginTls, secured, type ConnectionTls } from './tls.ts'

/** Where a socket leads. */
export interface Place {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * Connects. The socket reads through the inlet of the journey from its first byte on: TLS sockets take memory of our
 * choice only when they are made with the connection, so each attempt is one from the start.
 *
 * @returns a socket that is connected and, with TLS, whose peer has proved itself
 * @throws what the resolver, the sockets or TLS say, or the reason of a journey broken off
 */
export async function dial(
  { host, port }: Place,
  tls: ConnectionTls | undefined,
  journey: Journey,
): Promise<Socket> {
  const found = findAddresses(host, journey.signal)
  const addresses = found instanceof Promise ? await found : found
  const begin = (address: string): Socket => {
    const options = { host: address, port, noDelay: true, onread: journey.inlet.onread }
    return tls === undefined ? connect(options) : beginTls(host, tls, options)
  }
  const socket = await race(addresses, begin, journey)
  journey.progressed()
  if (tls !== undefined && socket instanceof TLSSocket)
    await secured(socket, { host, port }, tls, journey)
  return socket
}
