/** Starts the service of a home when none answers there. */

import { setTimeout as delay } from 'node:timers/promises'
import { LullError } from '../base/error.ts'
import { RpcClient } from '../rpc/client.ts'
import type { ServiceStatus } from '../rpc/contract.ts'
import { version } from '../version.ts'
import { whenThere } from './coming.ts'
import type { Home } from './home.ts'
import { isAway, socketTransport } from './socket-transport.ts'
import { HungError, UnreachableError } from './unreachable.ts'

/** How long a service that somebody else is starting may take to answer, and how often it is asked. */
const OTHERS_START_MS = 10_000
const ASK_EVERY_MS = 50

/** How long a service that began anew when a call was made may be away. */
const AWAY_LIMIT_MS = 3_000

/** How long a service that runs may take to answer before it counts as hung. */
const ANSWER_LIMIT_MS = 30_000

/**
 * A client of the service of this home; the service is started when none answers and `start` allows it.
 *
 * @throws {UnreachableError} when none answers and none may be started
 * @throws {LullError} `ERR_SERVICE_START` when it could not be started; the message says why
 */
export async function connect(
  home: Home,
  { start, env, tell }: ConnectOptions,
): Promise<RpcClient> {
  const transport = socketTransport(home.socket, { awayLimitMs: AWAY_LIMIT_MS })
  const client = new RpcClient({
    ...transport,
    post: (message) => whenThere(home, () => transport.post(message), isAway),
  })
  const probe = new RpcClient(socketTransport(home.socket, { answerLimitMs: ANSWER_LIMIT_MS }))
  const found = await statusOrNext(probe, home)
  if (!(found instanceof UnreachableError)) {
    const sentence = mismatch(found)
    if (sentence !== undefined) tell?.(sentence)
    return client
  }
  if (!start) throw new UnreachableError(home.socket, new Error(reasonOf(found)))
  // Nearly always one runs.
  const { spawnService } = await import('./spawn-service.ts')
  const problem = await spawnService(home, env)
  if (problem === undefined) return client
  // Another process may have won the race to start it.
  for (let waited = 0; waited < OTHERS_START_MS; waited += ASK_EVERY_MS) {
    if (!((await statusOf(() => askStatus(probe))) instanceof UnreachableError)) return client
    if (problem.code !== 'ERR_SERVICE_LOCKED') break
    await delay(ASK_EVERY_MS)
  }
  throw new LullError('ERR_SERVICE_START', problem.message)
}

/** How to connect. */
export interface ConnectOptions {
  /** Whether a service may be started. */
  readonly start: boolean
  /** Variables that a started service gets on top of this process's own. */
  readonly env?: Readonly<Record<string, string>>
  /** Is told in a sentence when the service is of another version. */
  readonly tell?: (sentence: string) => void
}

/** A status of any version. */
type AnyStatus = Pick<ServiceStatus, 'version' | 'started'> & Partial<ServiceStatus>

/**
 * What the service says of itself; one that comes when none is there, or the next one when the one that answered begins
 * anew.
 */
async function statusOrNext(probe: RpcClient, home: Home): Promise<AnyStatus | UnreachableError> {
  // To ask harms nobody, also twice.
  const found = await statusOf(() => whenThere(home, () => askStatus(probe), isUnreachable))
  if (found instanceof UnreachableError || found.code?.isRestarting !== true) return found
  return nextStatus(probe, found)
}

/** What the next service says of itself, after one that has said that it begins anew; or why none answers. */
export async function nextStatus(
  client: RpcClient,
  { started }: Pick<ServiceStatus, 'started'>,
): Promise<AnyStatus | UnreachableError> {
  for (let waited = 0; waited < OTHERS_START_MS; waited += ASK_EVERY_MS) {
    await delay(ASK_EVERY_MS)
    const next = await statusOf(() => askStatus(client))
    if (!(next instanceof UnreachableError) && next.started !== started) return next
  }
  return statusOf(() => askStatus(client))
}

/** What a person has to know of a service that is not of this version. */
function mismatch({ version: theirs, code }: AnyStatus): string | undefined {
  if (theirs === version) return undefined
  const which = `The service is of version ${theirs}, this is version ${version}`
  return code?.state === 'replaced'
    ? `${which}: the service begins anew once nothing is transferred`
    : `${which}: where they do not understand each other, lull stop ends it, and the next command starts its own`
}

/**
 * What the service says of itself, or why none answers.
 *
 * @throws {HungError} when one is there and says nothing: another would not mend that
 */
async function statusOf(ask: () => Promise<AnyStatus>): Promise<AnyStatus | UnreachableError> {
  try {
    return await ask()
  } catch (error) {
    if (isUnreachable(error)) return error
    throw error instanceof UnreachableError ? error.cause : error
  }
}

function askStatus(probe: RpcClient): Promise<AnyStatus> {
  return probe.call('service.status', {})
}

/** Whether nobody is there; one that is there and hung is another matter. */
function isUnreachable(error: unknown): error is UnreachableError {
  return error instanceof UnreachableError && !(error.cause instanceof HungError)
}

function reasonOf({ cause }: UnreachableError): string {
  const { code } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {}
  return code === 'EACCES'
    ? 'permission denied, it is the service of another user'
    : 'no service answers; `lull serve` starts one'
}
