/**
 * The kernel of Linux tells about its network through a socket of a family that Node does not know. This hands that
 * socket to Node's own event loop, so that nobody polls and no thread waits.
 *
 * The way: `net.Socket` takes the descriptor of a pipe and begins to watch it when the event loop comes round, not
 * before. Until then dup3(2) puts the netlink socket in the pipe's place, under the same number; from there on it is a
 * stream of bytes that becomes readable like any other, and each read is one message of the kernel. Whether it works
 * does not have to be believed: the socket asks for an acknowledgement, and one that does not come is a failure. The
 * alternatives stand in docs/decisions.
 */

import { Socket } from 'node:net'
import { available, type Capability } from '../capability.ts'
import { declare } from '../library.ts'
import type { ArgumentType, ForeignFunction, ForeignLibrary } from '../library.ts'
import { SystemError } from '../system-error.ts'
import { decodeRouteNews, encodeNoop, type RouteNews } from './route-message.ts'

/** Hears what the kernel tells. */
export interface RouteListener {
  /** In the order of the kernel. */
  readonly news: (news: RouteNews) => void
  /** Nothing more will come, and something may have been missed; called once, never after the disposal. */
  readonly failed: (reason: Error) => void
}

/**
 * Begins to listen; disposing ends it. It keeps no process alive.
 *
 * @throws {SystemError} when the kernel refuses
 */
export type ListenToRoutes = (listener: RouteListener) => Disposable

// The numbers of linux/socket.h and asm-generic/fcntl.h, which every architecture koffi is built for follows.
const AF_NETLINK = 16
const SOCK_RAW = 3
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2_000_000
const NETLINK_ROUTE = 0

/** linux/rtnetlink.h: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE. */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

/** `struct sockaddr_nl`: family 2, padding 2, port 4, groups 4. */
const ADDRESS_BYTES = 12

/** How long the kernel may take to acknowledge; it does so at once, but the event loop may be busy. */
const ACKNOWLEDGED_WITHIN_MS = 5_000

/** The calls behind it. Of what `send` returns the low 32 bits say enough: a message has a few bytes. */
const signatures = {
  socket: ['int', 'int', 'int'],
  bind: ['int', 'void *', 'uint'],
  send: ['int', 'void *', 'int64_t', 'int'],
  pipe2: ['void *', 'int'],
  dup3: ['int', 'int', 'int'],
  close: ['int'],
} as const satisfies Readonly<Record<string, readonly ArgumentType[]>>

type Calls = Readonly<Record<keyof typeof signatures, ForeignFunction>>

/** @param library the C library of Linux, or why there is none */
export function openRouteListener(library: Capability<ForeignLibrary>): Capability<ListenToRoutes> {
  const found: Partial<Record<keyof Calls, ForeignFunction>> = {}
  for (const [name, types] of Object.entries(signatures)) {
    const declared = declare(library, [name], types)
    if (declared.kind === 'missing') return declared
    found[name as keyof Calls] = declared.value
  }
  // Every name of the table is there now.
  const calls = found as Calls
  return available((listener) => listen(calls, listener))
}

function listen(calls: Calls, { news, failed }: RouteListener): Disposable {
  const { stream, descriptor } = openStream(calls)
  let isOver = false
  const fail = (reason: Error): void => {
    if (isOver) return
    end()
    failed(reason)
  }
  const patience = setTimeout(
    () => fail(new Error('Cannot hear the kernel: it acknowledged nothing')),
    ACKNOWLEDGED_WITHIN_MS,
  )
  patience.unref()
  const end = (): void => {
    isOver = true
    clearTimeout(patience)
    stream.destroy()
  }
  stream.on('data', (bytes: Buffer) => {
    for (const one of decodeRouteNews(bytes)) {
      if (one.kind === 'acknowledged') clearTimeout(patience)
      if (!isOver) news(one)
    }
  })
  // ENOBUFS, when more came than was read: what was missed shows when everything is looked at again.
  stream.on('error', fail)
  stream.on('close', () => fail(new Error('Cannot hear the kernel: the socket was closed')))
  stream.unref()
  const noop = encodeNoop()
  const sent = calls.send.call(descriptor, noop, noop.byteLength, 0)
  if (sent < 0) {
    end()
    throw refused('send', sent)
  }
  return { [Symbol.dispose]: end }
}

/** A stream of what the kernel tells; the descriptor belongs to it. */
function openStream(calls: Calls): { readonly stream: Socket; readonly descriptor: number } {
  const netlink = openNetlink(calls)
  try {
    const ends = new Uint32Array(2)
    const piped = calls.pipe2.call(ends, O_NONBLOCK | O_CLOEXEC)
    if (piped < 0) throw refused('pipe2', piped)
    const [descriptor = -1, writing = -1] = ends
    calls.close.call(writing)
    const stream = new Socket({ fd: descriptor, readable: true, writable: false })
    // Before the event loop comes round: it must never see the pipe, which has ended already.
    const replaced = calls.dup3.call(netlink, descriptor, O_CLOEXEC)
    if (replaced >= 0) return { stream, descriptor }
    stream.destroy()
    throw refused('dup3', replaced)
  } finally {
    calls.close.call(netlink)
  }
}

function openNetlink(calls: Calls): number {
  const flags = SOCK_RAW | O_NONBLOCK | O_CLOEXEC
  const netlink = calls.socket.call(AF_NETLINK, flags, NETLINK_ROUTE)
  if (netlink < 0) throw refused('socket', netlink)
  const address = new Uint8Array(ADDRESS_BYTES)
  new Uint16Array(address.buffer)[0] = AF_NETLINK
  new Uint32Array(address.buffer)[2] = GROUPS
  const bound = calls.bind.call(netlink, address, ADDRESS_BYTES)
  if (bound >= 0) return netlink
  calls.close.call(netlink)
  throw refused('bind', bound)
}

function refused(syscall: string, result: number): SystemError {
  return new SystemError('listen to the kernel about its network', syscall, result)
}
