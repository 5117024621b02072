/** The other side of Negotiate over HTTP (RFC 4559). */

import type { Acceptor, AcceptorRequest } from '../acceptor.ts'
import { ContextAcceptor, type ContextAcceptorOptions } from '../ntlm/context-acceptor.ts'
import { SpnegoAcceptor } from './acceptor.ts'
import type { NegotiableContext } from './negotiable.ts'
import { encodeNegTokenInit } from './tokens.ts'

/** A mechanism of the accepting side. */
export interface AcceptingMechanism {
  /** Its object identifier, dotted. */
  readonly id: string
  /** Opens a context for one exchange. */
  open(request: AcceptorRequest): {
    readonly context: NegotiableContext
    /** Who was let in, once the context is complete. */
    user(): string
  }
}

/** How the acceptor behaves. */
export interface NegotiateAcceptorOptions extends Pick<
  ContextAcceptorOptions,
  'persists' | 'saysPersistence'
> {
  readonly mechanisms: readonly AcceptingMechanism[]
  /** Whether the first challenge names the mechanisms, as Windows can (A281). */
  readonly hasHint?: boolean
}

/** What Windows puts where a name could stand. */
const hintName = 'not_defined_in_RFC4178@please_ignore'

/** Makes the side that asks, for one connection. */
export function negotiateAcceptor(options: NegotiateAcceptorOptions): Acceptor {
  const { mechanisms, hasHint = false, ...behaviour } = options
  const mechTypes = mechanisms.map(({ id }) => id)
  return new ContextAcceptor({
    token: 'Negotiate',
    ...behaviour,
    ...(hasHint ? { hint: encodeNegTokenInit({ mechTypes, negHints: { hintName } }) } : {}),
    open(request) {
      let opened: ReturnType<AcceptingMechanism['open']> | undefined
      const context = new SpnegoAcceptor(
        mechanisms.map((mechanism) => ({
          id: mechanism.id,
          async open() {
            opened = mechanism.open(request)
            return opened.context
          },
        })),
      )
      return { context, user: () => opened?.user() ?? '' }
    },
  })
}
