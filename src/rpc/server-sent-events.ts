/** Server-Sent Events, both ways (HTML Standard §9.2). */

import { LullError } from '../base/error.ts'

/** One event as it travels. */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
}

/** A comment line: keeps a silent connection alive and shows a dead one. */
export const keepAliveComment = ':\n\n'

/** Words one event; `data` is one line of JSON. */
export function formatEvent({ event, data }: ServerSentEvent): string {
  return `event: ${event}\ndata: ${data}\n\n`
}

/** Characters that one event may have before its end is seen. */
const EVENT_LIMIT = 4 * 1024 * 1024

/** Reads events from text that comes in any pieces. */
export class EventReader {
  #rest = ''

  /**
   * Takes a piece, gives the events that are whole with it.
   *
   * @throws {LullError} `ERR_RPC_EVENT_SIZE` when an event does not end within 4 MiB
   */
  push(piece: string): readonly ServerSentEvent[] {
    const blocks = (this.#rest + piece.replaceAll('\r\n', '\n')).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    if (this.#rest.length > EVENT_LIMIT) {
      throw new LullError('ERR_RPC_EVENT_SIZE', 'Cannot follow events: one of them does not end')
    }
    return blocks.flatMap((block) => readBlock(block) ?? [])
  }
}

function readBlock(block: string): ServerSentEvent | undefined {
  let event = 'message'
  const data: string[] = []
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const value = line.slice(colon + 1).replace(/^ /u, '')
    if (line.startsWith('event:')) event = value
    else if (line.startsWith('data:')) data.push(value)
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') }
}
