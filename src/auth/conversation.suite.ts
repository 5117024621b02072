/** A handshake and an acceptor that talk to each other in memory. */

import assert from 'node:assert/strict'

import type { Acceptor } from './acceptor.ts'
import { targetFields, type AuthTarget, type Field } from './auth.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import type {
  Answer,
  AuthScheme,
  Detour,
  DetourResponse,
  Handshake,
  Opening,
  RequestFacts,
  Send,
  Session,
} from './scheme.ts'
import { testWorld } from './world.suite.ts'

/** No scheme needs more legs than this for one request (A135). */
export const maximumLegs = 12

/** How a conversation about one request ended. */
export interface Outcome {
  readonly kind: 'granted' | 'refused' | 'unable' | 'unanswered'
  /** Who was let in, or why not. */
  readonly text: string
  /** What was sent, leg by leg; `undefined` for a request without proof. */
  readonly sent: readonly (string | undefined)[]
}

/** Who takes part in a conversation besides the two. */
export interface ConversationOptions {
  readonly unasked?: boolean
  readonly target?: AuthTarget
  /** The places that detours go to. */
  readonly elsewhere?: (detour: Detour) => Promise<DetourResponse>
  /** The scheme whose challenges are answered; all challenges when absent. */
  readonly scheme?: string
}

/** Makes the facts of a request. */
export function request(
  method: string,
  url: string,
  facts: Partial<RequestFacts> = {},
): RequestFacts {
  const parsed = new URL(url)
  return { method, url: parsed, requestTarget: parsed.pathname + parsed.search, ...facts }
}

/** Opens a session that has to open. */
export function openSession(
  scheme: AuthScheme,
  opening: Partial<Opening> & Pick<Opening, 'credentials'>,
): Session {
  const session = scheme.open({
    target: 'server',
    peer: new URL('http://server.example/'),
    world: opening.world ?? testWorld(),
    ...opening,
  })
  if ('kind' in session) assert.fail(`does not open: ${session.reason}`)
  return session
}

/** Sends one request until it is let in or somebody gives up. */
export async function converse(
  handshake: Handshake,
  acceptor: Acceptor,
  facts: RequestFacts,
  options: ConversationOptions = {},
): Promise<Outcome> {
  const sent: (string | undefined)[] = []
  let send: Send | undefined = await handshake.prepare(facts, options.unasked)
  while (sent.length < maximumLegs) {
    sent.push(send?.header)
    const reception = await acceptor.receive(send?.header, facts)
    if (reception.kind === 'granted') {
      const verdict = await handshake.accept({
        status: 200,
        fields: named(reception.fields, options.target),
      })
      return verdict.kind === 'done'
        ? { kind: 'granted', text: reception.user, sent }
        : { kind: 'refused', text: verdict.reason, sent }
    }
    const challenge = chosen(parseChallenges(reception.challenges), options.scheme)
    if (challenge === undefined) return { kind: 'unanswered', text: 'no such challenge', sent }
    const answer = await detour(handshake, await handshake.answer(challenge, facts), facts, options)
    if (answer.kind !== 'send') return { kind: answer.kind, text: answer.reason, sent }
    send = answer
  }
  return assert.fail(`more than ${maximumLegs} legs: ${sent.join(' | ')}`)
}

/** Makes detours until the handshake has an answer. */
async function detour(
  handshake: Handshake,
  answer: Answer,
  facts: RequestFacts,
  { elsewhere }: ConversationOptions,
): Promise<Exclude<Answer, Detour>> {
  let current = answer
  for (let detours = 0; current.kind === 'detour'; detours++) {
    assert.ok(detours < maximumLegs, 'a handshake makes few detours')
    assert.ok(elsewhere !== undefined, 'nobody is elsewhere')
    assert.ok(handshake.detoured !== undefined, 'who sends somebody away hears what came of it')
    current = await handshake.detoured(await elsewhere(current), facts)
  }
  return current
}

function chosen(
  challenges: readonly Challenge[],
  scheme: string | undefined,
): Challenge | undefined {
  return challenges.find((challenge) => scheme === undefined || challenge.scheme === scheme)
}

/** Acceptors name their fields for a server; a proxy puts `Proxy-` in front. */
function named(fields: readonly Field[], target: AuthTarget = 'server'): readonly Field[] {
  const { info } = targetFields[target]
  return fields.map(([name, value]) => [
    name.toLowerCase() === targetFields.server.info ? info : name,
    value,
  ])
}
