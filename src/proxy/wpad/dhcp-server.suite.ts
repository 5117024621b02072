/** The other side of DHCP, as far as tests need it. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** What a server answers. */
export interface Reply {
  readonly transaction: number
  readonly hardwareAddress: Uint8Array
  readonly options: ReadonlyMap<number, Uint8Array>
}

/** Writes an answer; values that are longer than an option can be are several of them (RFC 3396). */
export function encodeReply({
  transaction,
  hardwareAddress,
  options,
}: Reply): Uint8Array<ArrayBuffer> {
  const parts: number[] = []
  for (const [code, value] of options) {
    for (let at = 0; at === 0 || at < value.length; at += 255) {
      const part = value.subarray(at, at + 255)
      parts.push(code, part.length, ...part)
    }
  }
  const bytes = new Uint8Array(Math.max(300, 240 + parts.length + 1))
  const view = new DataView(bytes.buffer)
  bytes.set([2, 1, hardwareAddress.length], 0)
  view.setUint32(4, transaction)
  bytes.set(hardwareAddress, 28)
  view.setUint32(236, 0x63825363)
  bytes.set([...parts, 255], 240)
  return bytes
}

/** A server on loopback. */
export interface DhcpServer extends AsyncDisposable {
  readonly port: number
  /** How many questions came. */
  readonly questions: () => number
}

/** Starts a server that answers every question with the messages that `answer` makes of it. */
export async function startDhcpServer(
  answer: (question: Buffer) => readonly Uint8Array[],
): Promise<DhcpServer> {
  const socket = createSocket('udp4')
  let questions = 0
  socket.on('message', (question, { port, address }) => {
    questions++
    for (const each of answer(question)) socket.send(each, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    questions: () => questions,
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
}
