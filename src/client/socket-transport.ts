/** Carries messages over the local socket: HTTP, so that `curl --unix-socket` can do it too. */

import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { LullError } from '../base/error.ts'
import { refusalIn, type Transport } from '../rpc/client.ts'
import { request } from './node-http.ts'
import { HungError, UnreachableError } from './unreachable.ts'

/** How patient a transport is. */
export interface Patience {
  /**
   * Milliseconds that the service may say nothing; without it a call waits for ever, because giving names to thousands
   * of files takes its time.
   */
  readonly answerLimitMs?: number
  /** Milliseconds for which a call that a service was too late to take looks for the next one: it may begin anew. */
  readonly awayLimitMs?: number
}

/** How often a service that is away is looked for. */
const LOOK_EVERY_MS = 50

/** The transport of one socket path or pipe name. */
export function socketTransport(
  socketPath: string,
  { answerLimitMs = 0, awayLimitMs = 0 }: Patience = {},
): Transport {
  return {
    async post(message) {
      let hasEnded = false
      for (let waited = 0; ; waited += LOOK_EVERY_MS) {
        try {
          return await post(socketPath, message, answerLimitMs)
        } catch (error) {
          hasEnded ||= error instanceof EndingError
          if (waited >= awayLimitMs || !hasEnded || !isAway(error)) throw error
          await delay(LOOK_EVERY_MS)
        }
      }
    },
    events: (jobs, { signal }) => events(socketPath, jobs, signal),
  }
}

/** The status of a service that ends: nothing was done (RFC 9110 §15.6.4). */
const ENDING = 503

/** A service was there, and said that it ends. */
class EndingError extends UnreachableError {
  constructor(socketPath: string) {
    super(socketPath, new Error('it ends'))
  }
}

/** Whether nobody was there to take what was to be sent: then nothing has been done. */
export function isAway(error: unknown): boolean {
  if (error instanceof EndingError) return true
  if (!(error instanceof UnreachableError) || !(error.cause instanceof Error)) return false
  const { code } = error.cause as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ECONNREFUSED'
}

/**
 * Each message has a connection of its own. No server is named, as for TLS: of one that is not said to have no name, Node
 * first finds out whether it is an IPv6 address, which takes it 5 ms the first time.
 */
const connection = { agent: false, servername: '' } as const

async function post(socketPath: string, message: string, limitMs: number): Promise<string> {
  const body = Buffer.from(message)
  const call = request({
    ...connection,
    socketPath,
    method: 'POST',
    path: '/rpc',
    headers: { 'content-type': 'application/json', 'content-length': body.length, host: 'lull' },
  })
  if (limitMs > 0) call.setTimeout(limitMs, () => call.destroy(new HungError(socketPath, limitMs)))
  call.end(body)
  // Sent, or never: what is secret in it lives no longer than it must.
  const response = await responseTo(call, socketPath).finally(() => body.fill(0))
  // A long answer becomes one text at once: grown piece by piece it would be copied again.
  const pieces: Buffer[] = []
  try {
    for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece)
  } catch (error) {
    throw new UnreachableError(socketPath, error)
  }
  const text = Buffer.concat(pieces).toString('utf8')
  if (response.statusCode === ENDING) throw new EndingError(socketPath)
  if (response.statusCode !== 200) {
    throw new LullError(
      'ERR_RPC_RESPONSE',
      `Cannot call the service: ${text.trim() || response.statusCode}`,
    )
  }
  return text
}

async function* events(
  socketPath: string,
  jobs: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  signal.throwIfAborted()
  const query = (jobs ?? []).map((id) => `job=${encodeURIComponent(id)}`).join('&')
  const call = request({
    ...connection,
    socketPath,
    path: `/events?${query}`,
    headers: { accept: 'text/event-stream', host: 'lull' },
    signal,
  })
  call.end()
  const response = await responseTo(call, socketPath)
  response.setEncoding('utf8')
  if (response.statusCode === ENDING) {
    response.resume()
    throw new EndingError(socketPath)
  }
  if (response.statusCode !== 200) throw await refusalOf(response)
  try {
    for await (const piece of response) yield String(piece)
  } catch (error) {
    signal.throwIfAborted()
    throw new UnreachableError(socketPath, error)
  }
}

/** What the service says instead of events: an error as in the answer to a call, or a sentence. */
async function refusalOf(response: IncomingMessage): Promise<Error> {
  let text = ''
  for await (const piece of response) text += String(piece)
  return (
    refusalIn(text) ??
    new LullError(
      'ERR_RPC_RESPONSE',
      `Cannot follow jobs: ${text.trim() || `the service answered ${response.statusCode}`}`,
    )
  )
}

function responseTo(call: ClientRequest, socketPath: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve)
    call.once('error', (error) => reject(new UnreachableError(socketPath, error)))
  })
}
