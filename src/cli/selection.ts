/** Jobs meant by what they are instead of by their ids: `--state error --name 'nightly*'`. */

import { bitsStates, isFinal, type BitsState, type JobStateKind } from '../job/moves.ts'
import type { RpcClient } from '../rpc/client.ts'
import type { JobView, ListParams } from '../rpc/contract.ts'
import { usageError } from './cli-error.ts'
import type { Arguments } from './parse.ts'
import { stateWord } from './words.ts'

/** Jobs of one page. */
const PAGE = 1_000

/** Which jobs are meant. */
export interface Selection {
  /** Those in one of these states; all that are not final when absent. */
  readonly states?: readonly BitsState[]
  /** Those whose name fits. */
  readonly fits: (displayName: string) => boolean
}

/** Reads `--state` and `--name`; `undefined` when neither is given. @throws {CliError} exit status 2 */
export function selectionOf(args: Arguments): Selection | undefined {
  const states = args.values('state').flatMap((text) => text.split(',').map(state))
  const pattern = args.value('name')
  if (states.length === 0 && pattern === undefined) return undefined
  return { ...(states.length > 0 && { states }), fits: fitting(pattern ?? '*') }
}

/** The jobs that are meant, in the order of their creation, page by page. */
export async function* selected(
  client: RpcClient,
  { states, fits }: Selection,
  params: Pick<ListParams, 'allUsers' | 'limit'> = {},
): AsyncGenerator<JobView, void> {
  for (let after: number | null = 0; after !== null;) {
    const page: { jobs: readonly JobView[]; next: number | null } = await client.call('job.list', {
      limit: PAGE,
      ...params,
      ...(states && { states }),
      after,
    })
    yield* page.jobs.filter(({ displayName }) => fits(displayName))
    after = page.next
  }
}

function state(text: string): BitsState {
  const word = stateWord(text.trim())
  const found = Object.values(bitsStates).find(({ name }) => stateWord(name) === word)
  if (found !== undefined) return found.name
  const all = Object.values(bitsStates).map(({ name }) => stateWord(name))
  throw usageError(`Cannot understand --state ${JSON.stringify(text)}: there are ${all.join(', ')}`)
}

/** Refuses states that nothing leads out of. @throws {CliError} exit status 2 */
export function checkNotFinal({ states = [] }: Selection, verb: string): void {
  const final = states.find((name) =>
    Object.entries(bitsStates).some(
      // The keys of the table are the kinds.
      ([kind, each]) => each.name === name && isFinal(kind as JobStateKind),
    ),
  )
  if (final === undefined) return
  throw usageError(`Cannot ${verb} jobs that are ${stateWord(final)}: they have ended`)
}

/** A test for names: `*` stands for any characters, `?` for one, and case does not matter. */
function fitting(pattern: string): (name: string) => boolean {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|/]/gu, String.raw`\$&`)
    .replaceAll(/\*+/gu, '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`, 'isu')
  return (name) => expression.test(name)
}
