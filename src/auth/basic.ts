/** Basic: the name and the password themselves, in base64 (RFC 7617). */

import { encodeBase64 } from './base64.ts'
import type { Challenge } from './challenge.ts'
import type { PasswordCredentials } from './credentials.ts'
import type {
  Answer,
  AuthScheme,
  Handshake,
  Opening,
  RequestFacts,
  ResponseFacts,
  Send,
  Session,
  Unable,
  Verdict,
} from './scheme.ts'
import { encodeLatin1, hasControls, normalizeUtf8 } from './utf8.ts'

/** Basic, for servers and proxies. */
export const basicScheme: AuthScheme = {
  name: 'basic',
  token: 'Basic',
  binds: 'request',
  sendsSecret: true,
  accepts: ({ kind }) => kind === 'password',
  open(opening) {
    const { credentials } = opening
    if (credentials.kind !== 'password') return unable('Basic needs a user name and a password')
    // RFC 7617 §2: the first colon ends the user-id, so a name with one cannot be said (A200).
    if (credentials.userName.includes(':')) {
      return unable('Basic cannot send a user name with a colon')
    }
    if (
      hasControls(new TextEncoder().encode(credentials.userName)) ||
      credentials.password.use(hasControls)
    ) {
      return unable('Basic cannot send a name or password with control characters')
    }
    return new BasicSession(opening, credentials)
  },
}

function unable(reason: string): Unable {
  return { kind: 'unable', reason }
}

/** How many path prefixes are remembered; the oldest goes first. */
const maximumPrefixes = 1024

/** Remembers where proof was wanted: paths of a server, or the whole proxy. */
class BasicSession implements Session {
  readonly #opening: Opening
  readonly #credentials: PasswordCredentials
  /** Path prefixes that end in a slash, and whether their challenge said `charset="UTF-8"`. */
  readonly #prefixes = new Map<string, boolean>()

  constructor(opening: Opening, credentials: PasswordCredentials) {
    this.#opening = opening
    this.#credentials = credentials
  }

  begin(): Handshake {
    return new BasicHandshake(this)
  }

  close(): void {
    this.#prefixes.clear()
  }

  /**
   * Whether UTF-8 was asked for at or above the request's place (RFC 7617 §2.2, A202, A387); `undefined` where proof
   * was never wanted.
   */
  charset(request: RequestFacts): boolean | undefined {
    for (const prefix of prefixesOf(this.#space(request))) {
      const utf8 = this.#prefixes.get(prefix)
      if (utf8 !== undefined) return utf8
    }
    return undefined
  }

  /** Remembers that proof was taken here. */
  remember(request: RequestFacts, utf8: boolean): void {
    const space = this.#space(request)
    this.#prefixes.set(space.slice(0, space.lastIndexOf('/') + 1), utf8)
    const [oldest] = this.#prefixes.keys()
    if (this.#prefixes.size > maximumPrefixes && oldest !== undefined) this.#prefixes.delete(oldest)
  }

  /** Proof was refused here: nothing at or above this place is known any more. */
  forget(request: RequestFacts): void {
    for (const prefix of prefixesOf(this.#space(request))) this.#prefixes.delete(prefix)
  }

  /**
   * The header's value. It is made anew for every request, so that no string with the password in it lives longer
   * than its request.
   *
   * @param utf8 whether the challenge said `charset="UTF-8"`
   */
  header(utf8: boolean): string {
    const { userName, password } = this.#credentials
    const name = normalizeUtf8(new TextEncoder().encode(userName))
    return password.use((bytes) => {
      const word = normalizeUtf8(bytes)
      const pair = new Uint8Array([...name, 0x3a, ...word])
      const latin1 = this.#opening.world.settings.basicLegacyLatin1 && !utf8
      const header = `Basic ${encodeBase64((latin1 ? encodeLatin1(pair) : undefined) ?? pair)}`
      word.fill(0)
      pair.fill(0)
      return header
    })
  }

  /** A proxy is one space; it asks on behalf of itself, not of a path. */
  #space(request: RequestFacts): string {
    return this.#opening.target === 'proxy' ? '/' : request.url.pathname
  }
}

/** `/`, `/a/`, `/a/b/` for `/a/b/c`. */
function* prefixesOf(path: string): Iterable<string> {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    yield path.slice(0, slash + 1)
  }
}

class BasicHandshake implements Handshake {
  readonly #session: BasicSession
  #asked: { readonly request: RequestFacts; readonly utf8: boolean } | undefined
  #sent = false

  constructor(session: BasicSession) {
    this.#session = session
  }

  async prepare(request: RequestFacts, unasked = false): Promise<Send | undefined> {
    const utf8 = this.#asked?.utf8 ?? this.#session.charset(request)
    return utf8 === undefined && !unasked ? undefined : this.#send(utf8 ?? false)
  }

  async answer(challenge: Challenge, request: RequestFacts): Promise<Answer> {
    // The same octets would go out again, whatever realm is named now (A135).
    if (this.#sent) {
      this.#session.forget(request)
      return { kind: 'refused', reason: 'Basic: the name or the password is wrong' }
    }
    const utf8 = challenge.parameters.get('charset')?.toUpperCase() === 'UTF-8'
    this.#asked = { request, utf8 }
    return this.#send(utf8)
  }

  async accept({ status }: ResponseFacts): Promise<Verdict> {
    // A server in trouble has not said whether it wanted the proof.
    if (this.#asked !== undefined && status < 500) {
      this.#session.remember(this.#asked.request, this.#asked.utf8)
    }
    return { kind: 'done' }
  }

  close(): void {}

  #send(utf8: boolean): Send {
    this.#sent = true
    return { kind: 'send', header: this.#session.header(utf8), canSucceed: true }
  }
}
