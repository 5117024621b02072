/** Calls to the service, with what they fail with as the SDK's error. */

import type { RpcClient } from '../rpc/client.ts'
import type { JobEventView, MethodName, Methods } from '../rpc/contract.ts'
import { translate } from './errors.ts'

/** Makes one call. @throws {BackgroundCopyError} what the service refuses it with, or why it cannot be asked */
export async function call<Name extends MethodName>(
  client: RpcClient,
  method: Name,
  params: Methods[Name]['params'],
): Promise<Methods[Name]['result']> {
  try {
    return await client.call(method, params)
  } catch (error) {
    throw translate(error)
  }
}

/** The same events; what ends them early is the SDK's error. */
export async function* translated(
  events: AsyncIterable<JobEventView>,
): AsyncGenerator<JobEventView, void> {
  try {
    yield* events
  } catch (error) {
    throw translate(error)
  }
}
