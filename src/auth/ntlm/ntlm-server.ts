/** The other side of NTLM over HTTP (MS-NTHT). */

import type { Acceptor } from '../acceptor.ts'
import { NtlmAcceptor, type NtlmAcceptorOptions, type NtlmWorld } from './acceptor.ts'
import { NtlmContext } from './context.ts'
import { ContextAcceptor, type AcceptingContext } from './context-acceptor.ts'

/** Makes the side that asks, for one connection; the channel binding is that of each request. */
export function ntlmAcceptor(
  options: Omit<NtlmAcceptorOptions, 'channelBinding'>,
  world: NtlmWorld,
): Acceptor {
  return new ContextAcceptor({
    token: 'NTLM',
    persists: true,
    open: ({ channelBinding }) =>
      acceptNtlm(channelBinding === undefined ? options : { ...options, channelBinding }, world),
  })
}

/** One accepting context; the user is `DOMAIN\user`, or `user` without a domain. */
export function acceptNtlm(options: NtlmAcceptorOptions, world: NtlmWorld): AcceptingContext {
  const party = new NtlmAcceptor(options, world)
  return {
    context: new NtlmContext(party),
    user() {
      const { domain = '', user = '' } = party.peer ?? {}
      return domain === '' ? user : `${domain}\\${user}`
    },
  }
}
