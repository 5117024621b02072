/** NTLM over HTTP, as a scheme of its own (MS-NTHT, A230 to A233). */

import { MisuseError, ProtocolError } from '../../base/error.ts'
import type { Credentials } from '../credentials.ts'
import type { MechanismContext } from '../mechanism.ts'
import type { AuthScheme, Opening, RequestFacts } from '../scheme.ts'
import { NtlmContext } from './context.ts'
import { ContextSession, type ContextScheme } from './context-handshake.ts'
import { ntlmIdentity, NtlmInitiator } from './initiator.ts'
import { isNtlmMessage } from './message.ts'

/** NTLM, for servers and proxies: with a name and a password by ourselves, for who is logged on by the platform. */
export const ntlmScheme: AuthScheme = {
  name: 'ntlm',
  token: 'NTLM',
  binds: 'connection',
  sendsSecret: false,
  accepts: ({ kind }) => kind === 'password' || kind === 'implicit',
  open(opening) {
    const reason = ntlmUnavailable(opening)
    if (reason !== undefined) return { kind: 'unable', reason }
    return new ContextSession(new NtlmOverHttp(opening), opening.target)
  },
}

/** Why these credentials cannot be proved by NTLM on this machine; `undefined` when they can. */
export function ntlmUnavailable({
  credentials,
  world,
}: Pick<Opening, 'credentials' | 'world'>): string | undefined {
  if (credentials.kind === 'implicit') return world.mechanisms.unavailable('ntlm')
  if (credentials.kind !== 'password') {
    return 'NTLM needs a user name and a password, or who is logged on'
  }
  return world.hashes.has('md5') ? undefined : 'NTLM needs MD5, which this machine forbids'
}

/**
 * Opens an NTLM context.
 *
 * @param integrity whether messages will be signed afterwards (A285)
 * @param signal aborts when the context is not wanted any more
 * @throws {MechanismError} when the platform cannot prove who is logged on
 */
export async function openNtlm(
  { credentials, peer, world }: Opening,
  { channelBinding }: Pick<RequestFacts, 'channelBinding'>,
  integrity: boolean,
  signal?: AbortSignal,
): Promise<MechanismContext> {
  const binding = channelBinding === undefined ? {} : { channelBinding }
  if (credentials.kind === 'password') {
    const identity = ntlmIdentity(credentials, world.settings)
    const targetName = `HTTP/${serviceHost(peer)}`
    return new NtlmContext(
      new NtlmInitiator({ identity, targetName, integrity, ...binding }, world),
    )
  }
  return world.mechanisms.open({
    mechanism: 'ntlm',
    identity: implicitOnly(credentials),
    targetName: `HTTP@${serviceHost(peer)}`,
    mutual: false,
    integrity,
    ...binding,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** The host of a service principal name: as in the URL, never canonicalised, without port (A271, A272). */
export function serviceHost({ hostname }: URL): string {
  return hostname.replace(/\.$/, '')
}

function implicitOnly(credentials: Credentials): Credentials & { readonly kind: 'implicit' } {
  if (credentials.kind === 'implicit') return credentials
  throw new MisuseError('ERR_NTLM_CREDENTIALS', `Cannot use NTLM: ${credentials.kind} credentials`)
}

/** Raw messages in the header. */
class NtlmOverHttp implements ContextScheme {
  readonly token = 'NTLM'
  readonly #opening: Opening

  constructor(opening: Opening) {
    this.#opening = opening
  }

  async open(
    request: RequestFacts,
    hint: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<MechanismContext> {
    if (hint !== undefined) {
      throw new ProtocolError('ERR_NTLM_STATE', 'Cannot answer NTLM: CHALLENGE before NEGOTIATE')
    }
    return openNtlm(this.#opening, request, false, signal)
  }

  canSucceed(token: Uint8Array): boolean {
    return !isNtlmMessage(token, 'NEGOTIATE')
  }

  persists(): boolean {
    return true
  }
}
