/**
 * What the kernel of Linux tells about links, addresses and routes: messages of NETLINK_ROUTE, as far as somebody wants
 * to know whether there is a network (netlink(7), rtnetlink(7)). All numbers are in the machine's own byte order.
 */

import { endianness } from 'node:os'

/** One thing that the kernel told. */
export type RouteNews =
  /** A request was understood: the socket speaks and hears. */
  | { readonly kind: 'acknowledged' }
  /** A link came, went or changed, or an address did: which, the system's own list says better. */
  | { readonly kind: 'addresses' }
  /** A way to everywhere came or went. */
  | {
      readonly kind: 'defaultRoute'
      readonly isThere: boolean
      /** The same for the same way: family, table, gateway, interface and metric. */
      readonly way: string
    }

/** `struct nlmsghdr`: length 4, type 2, flags 2, sequence 4, port 4. */
const HEADER_BYTES = 16
/** `struct rtmsg`: eight fields of 1 byte, flags 4. */
const ROUTE_BYTES = 12
/** `struct rtattr`: length 2, type 2. */
const ATTRIBUTE_BYTES = 4
/** Messages and attributes begin at multiples of it. */
const ALIGNMENT = 4

// Types of messages.
const NLMSG_NOOP = 1
const NLMSG_ERROR = 2
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25

/** Flags of a request that is to be answered. */
const NLM_F_REQUEST_ACK = 0x1 | 0x4

/** `rtm_type` of a route that leads somewhere; others drop, refuse or are the machine's own. */
const RTN_UNICAST = 1
/** `rtm_flags`: a copy of a route that the kernel made for itself. */
const RTM_F_CLONED = 0x200

/** The attributes that tell one way from another: interface, gateway, metric, several gateways, table, gateway of the other family. */
const telling: ReadonlySet<number> = new Set([4, 5, 6, 9, 15, 18])

const isLittle = endianness() === 'LE'

/** A request that asks for nothing but an acknowledgement; a new array. */
export function encodeNoop(): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(HEADER_BYTES)
  const view = new DataView(message.buffer)
  view.setUint32(0, HEADER_BYTES, isLittle)
  view.setUint16(4, NLMSG_NOOP, isLittle)
  view.setUint16(6, NLM_F_REQUEST_ACK, isLittle)
  return message
}

/**
 * Reads what came in one piece: whole messages, one behind the other.
 *
 * @param bytes not kept
 * @returns what matters, in order; a message that is cut off or of no concern is left out
 */
export function decodeRouteNews(bytes: Uint8Array): readonly RouteNews[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const news: RouteNews[] = []
  let at = 0
  while (at + HEADER_BYTES <= view.byteLength) {
    const length = view.getUint32(at, isLittle)
    if (length < HEADER_BYTES || at + length > view.byteLength) break
    const type = view.getUint16(at + 4, isLittle)
    const body = new DataView(
      view.buffer,
      view.byteOffset + at + HEADER_BYTES,
      length - HEADER_BYTES,
    )
    const one = decodeMessage(type, body)
    if (one !== undefined) news.push(one)
    at += aligned(length)
  }
  return news
}

function decodeMessage(type: number, body: DataView): RouteNews | undefined {
  switch (type) {
    case NLMSG_ERROR:
      // The answer to a request that succeeded has the error number 0.
      return body.byteLength >= 4 && body.getInt32(0, isLittle) === 0
        ? { kind: 'acknowledged' }
        : undefined
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return { kind: 'addresses' }
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return decodeRoute(type === RTM_NEWROUTE, body)
    default:
      return undefined
  }
}

function decodeRoute(isThere: boolean, body: DataView): RouteNews | undefined {
  if (body.byteLength < ROUTE_BYTES) return undefined
  const [family, destinationBits, type] = [0, 1, 7].map((at) => body.getUint8(at))
  const isCopy = (body.getUint32(8, isLittle) & RTM_F_CLONED) !== 0
  if (destinationBits !== 0 || type !== RTN_UNICAST || isCopy) return undefined
  const parts = [...attributes(body)].sort()
  return { kind: 'defaultRoute', isThere, way: [family, ...parts].join(' ') }
}

/** What tells one route from another, as text. */
function* attributes(body: DataView): Generator<string> {
  let at = ROUTE_BYTES
  while (at + ATTRIBUTE_BYTES <= body.byteLength) {
    const length = body.getUint16(at, isLittle)
    if (length < ATTRIBUTE_BYTES || at + length > body.byteLength) return
    const type = body.getUint16(at + 2, isLittle)
    if (telling.has(type)) {
      const value = new Uint8Array(
        body.buffer,
        body.byteOffset + at + ATTRIBUTE_BYTES,
        length - ATTRIBUTE_BYTES,
      )
      yield `${type}=${Buffer.from(value).toString('hex')}`
    }
    at += aligned(length)
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT
}
