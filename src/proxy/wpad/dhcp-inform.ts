/**
 * Asks the network's DHCP server itself, with DHCPINFORM (RFC 2131 §4.4.3). Answers come to port 68, which only the
 * administrator's programs may listen on: elsewhere this way is closed, and says nothing.
 */

import { createSocket } from 'node:dgram'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../base/clock.ts'
import { addressBytes } from '../address.ts'
import { routedAddresses } from '../pac/names.ts'
import { decodeReply, dhcpOptions, encodeInform, messageTypes } from './dhcp-message.ts'
import { parseScriptUrl } from './script-url.ts'
import type { ScriptFinder } from './source.ts'

/** Ports of DHCP (RFC 2131 §4.1); a test has others. */
export interface DhcpPorts {
  readonly client: number
  readonly server: number
}

/** One of this machine's addresses. */
export interface OwnAddress {
  readonly address: string
  readonly netmask: string
  /** Of the network card: `02:00:00:00:00:01`. */
  readonly mac: string
}

/** What differs in a test. */
export interface InformOptions {
  readonly clock: Pick<Clock, 'alarm'>
  readonly ports?: DhcpPorts
  readonly addresses?: () => Promise<readonly OwnAddress[]>
  /** Where questions go; the broadcast address of the network of an address unless it says. */
  readonly server?: string
}

/** When the question is asked again, and when that was all, in milliseconds from the first. */
const SCHEDULE_MS = { again: 1_000, end: 3_000 } as const

/** More networks than this are not asked. */
const MOST_NETWORKS = 4

/** Asks the servers of all networks that this machine is in; the first that names a script is believed. */
export function dhcpInform(options: InformOptions): ScriptFinder {
  const { addresses = ownAddresses } = options
  return {
    name: 'DHCPINFORM',
    async find(signal) {
      const asked = (await addresses()).slice(0, MOST_NETWORKS)
      const answers = await Promise.all(asked.map((each) => askNetwork(each, options, signal)))
      return answers.find((each) => each !== undefined)
    },
  }
}

/** @returns undefined when nobody answers, the answer names no script, or the port is not to be had. Never rejects */
async function askNetwork(
  own: OwnAddress,
  { clock, ports = { client: 68, server: 67 }, server = broadcastOf(own) }: InformOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hardwareAddress = Uint8Array.from(own.mac.split(':'), (each) => Number.parseInt(each, 16))
  const clientAddress = addressBytes(own.address)
  if (clientAddress === undefined || signal.aborted) return undefined
  const transaction = randomBytes(4).readUInt32BE()
  const question = encodeInform({
    transaction,
    clientAddress,
    hardwareAddress,
    wanted: [dhcpOptions.proxyScript],
  })
  // The machine's own client may have the port; our address in front of it makes the answer ours.
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const giveUp = (): void => resolve(undefined)
  socket.on('error', giveUp)
  socket.on('message', (bytes, { port }) => {
    const answer =
      port === ports.server ? readAnswer(bytes, transaction, hardwareAddress) : undefined
    if (answer !== undefined) resolve(answer.url)
  })
  let isOpen = true
  const ask = (): void => {
    if (isOpen) socket.send(question, ports.server, server)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  using _end = clock.alarm(SCHEDULE_MS.end, giveUp)
  using _again = clock.alarm(SCHEDULE_MS.again, ask)
  try {
    socket.bind(ports.client, own.address, () => {
      socket.setBroadcast(true)
      ask()
    })
    return await promise
  } finally {
    signal.removeEventListener('abort', giveUp)
    isOpen = false
    socket.close()
    await once(socket, 'close')
  }
}

/** @returns undefined for what is no answer to our question */
function readAnswer(
  bytes: Uint8Array,
  transaction: number,
  hardwareAddress: Uint8Array,
): { readonly url: string | undefined } | undefined {
  try {
    const reply = decodeReply(bytes)
    const isOurs =
      reply.transaction === transaction &&
      Buffer.compare(reply.hardwareAddress, hardwareAddress) === 0 &&
      reply.options.get(dhcpOptions.messageType)?.[0] === messageTypes.ack
    if (!isOurs) return undefined
    const value = reply.options.get(dhcpOptions.proxyScript)
    return { url: value && parseScriptUrl(new TextDecoder('latin1').decode(value)) }
  } catch {
    // Anybody can send us anything.
    return undefined
  }
}

/** The address of everybody in a network. */
function broadcastOf({ address, netmask }: OwnAddress): string {
  const bits = netmask.split('.').map(Number)
  return address
    .split('.')
    .map((byte, index) => Number(byte) | (~(bits[index] ?? 255) & 0xff))
    .join('.')
}

/**
 * The addresses that lead out of this machine. Bridges to guests and containers do not: whoever sits there has no say in
 * how this machine reaches others. Where nothing leads out, all networks are as good.
 */
async function ownAddresses(): Promise<readonly OwnAddress[]> {
  const all = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, internal, mac }) => {
      return family === 'IPv4' && !internal && mac !== '00:00:00:00:00:00'
    })
  const routed = await routedAddresses()
  const leading = all.filter(({ address }) => routed.includes(address))
  return leading.length > 0 ? leading : all
}
