/** A request on the side, without which a proof cannot go on: to a sign-in server, to a token endpoint. */

import type { Detour, DetourResponse } from '../auth/scheme.ts'
import { certificateFlags } from '../job/security-flags.ts'
import type { BodySink, ExchangeResult, HttpRequest, HttpResponse } from './http.ts'
import { isSameOrigin, parseTarget } from './target.ts'

/** Makes an exchange. */
export type Run = (request: HttpRequest, sink: BodySink) => Promise<ExchangeResult>

/** What is kept of the body; the rest is cut off. */
const BODY_BYTES = 64 * 1024

/**
 * Makes a detour over a way of its own (A124), with nothing of the job's but what the detour says.
 *
 * @param request the request it is made for
 * @throws {FailureError} when no answer comes
 */
export async function makeDetour(
  run: Run,
  request: HttpRequest,
  { method, url, fields, body }: Detour,
): Promise<DetourResponse> {
  const sink = new Collected()
  const { routes, caFile, identity } = request
  try {
    const { response } = await run(
      {
        method,
        url,
        headers: fields,
        redirects: { follow: 'disallow', allowHttpsToHttp: false },
        keepsRedirects: true,
        stallTimeoutMs: request.stallTimeoutMs,
        signal: request.signal,
        party: `${request.party} detour`,
        ...(identity === undefined ? {} : { identity: identity.forProxies() }),
        ...(routes === undefined ? {} : { routes }),
        ...(caFile === undefined ? {} : { caFile }),
        ...checksOf(request, url),
        ...(body === undefined ? {} : { body: bodyOf(body) }),
      },
      sink,
    )
    const { status } = response
    return { url, status, fields: [...response.fields], body: sink.bytes() }
  } finally {
    body?.fill(0)
  }
}

/**
 * How a server is checked before it hears a secret. What is added holds for everybody: revocation, and a program that
 * judges (A84). What is left out was meant for the server of the file. Pins are for that server alone: others have other
 * keys.
 */
function checksOf(
  { url: asked, securityFlags = 0, accepted, pinnedKeys }: HttpRequest,
  url: string,
): Pick<HttpRequest, 'securityFlags' | 'accepted' | 'pinnedKeys'> {
  const added = securityFlags & certificateFlags.checkRevocation
  const isOwn = isSameOrigin(parseTarget(url), parseTarget(asked))
  return {
    ...(added === 0 ? {} : { securityFlags: added }),
    ...(accepted === undefined ? {} : { accepted }),
    ...(pinnedKeys === undefined || !isOwn ? {} : { pinnedKeys }),
  }
}

function bodyOf(bytes: Uint8Array): NonNullable<HttpRequest['body']> {
  return {
    length: bytes.length,
    async *read() {
      yield bytes
    },
  }
}

/** Collects a body up to {@link BODY_BYTES}. */
class Collected implements BodySink {
  readonly #pieces: Uint8Array[] = []
  #length = 0

  head(_response: HttpResponse): 'take' {
    return 'take'
  }

  write(bytes: Uint8Array): void {
    const room = BODY_BYTES - this.#length
    if (room <= 0) return
    const piece = bytes.slice(0, room)
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  flush(): void {
    // Everything was copied when it came.
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }
}
