/** Carries the bytes of connections to a server, and cuts them where it is told: an enemy on the way. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A relay on a port of its own, on the loopback. */
export class Relay implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #to: number
  readonly #after: number

  private constructor(to: number, after: number) {
    this.#to = to
    this.#after = after
    this.#server = createServer((client) => this.#relay(client))
  }

  /**
   * @param to the server's port
   * @param after so many bytes of the server are let through on each connection; then it ends, as if all had been said
   */
  static async start(to: number, after: number): Promise<Relay> {
    const relay = new Relay(to, after)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    // Never a path: the relay listens on a port.
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #relay(client: Socket): void {
    const server = connect(this.#to, '127.0.0.1')
    let left = this.#after
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    client.pipe(server)
    server.on('data', (bytes) => {
      client.write(bytes.subarray(0, left))
      left -= Math.min(left, bytes.length)
      if (left > 0) return
      client.end()
      server.destroy()
    })
    server.on('end', () => client.end())
    client.once('close', () => server.destroy())
  }
}
