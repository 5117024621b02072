/** Digest: proves that the password is known, without sending it (RFC 7616; RFC 2617 and 2069 servers). */

import { fieldValues, targetFields, type Field } from '../auth.ts'
import type { Challenge } from '../challenge.ts'
import type { PasswordCredentials } from '../credentials.ts'
import type { HashAlgorithm } from '../crypto.ts'
import { equalHex } from '../hex.ts'
import { parseParameters } from '../parameters.ts'
import type {
  Answer,
  AuthScheme,
  AuthWorld,
  Handshake,
  Opening,
  Refused,
  RequestFacts,
  ResponseFacts,
  Send,
  Session,
  Verdict,
} from '../scheme.ts'
import type { Secret } from '../secret.ts'
import { normalizeUtf8 } from '../utf8.ts'
import { readDigestChallenge, type DigestChallenge } from './digest-challenge.ts'
import { formatDigest } from './digest-header.ts'
import { DigestNonce, type DigestUse } from './nonce.ts'
import { digestResponse, userKey, type DigestInput, type Qop } from './response.ts'

/** Digest, for servers and proxies. */
export const digestScheme: AuthScheme = {
  name: 'digest',
  token: 'Digest',
  binds: 'request',
  sendsSecret: false,
  accepts: ({ kind }) => kind === 'password',
  pick: pickChallenge,
  open(opening) {
    const { credentials } = opening
    return credentials.kind === 'password'
      ? new DigestSession(opening, credentials)
      : { kind: 'unable', reason: 'Digest needs a user name and a password' }
  },
}

/** The first one that can be answered, but none with MD5 while there is one with SHA-2 (A182). */
function pickChallenge(
  challenges: readonly [Challenge, ...Challenge[]],
  { hashes }: AuthWorld,
): Challenge {
  const usable = challenges.flatMap((challenge) => {
    const read = readDigestChallenge(challenge, hashes)
    return read.kind === 'digest' ? [{ challenge, hash: read.algorithm.hash }] : []
  })
  const best = usable.find(({ hash }) => hash !== 'md5') ?? usable[0]
  return best?.challenge ?? challenges[0]
}

/** How many nonces of one peer are kept; the oldest goes first. More than anybody has connections to one peer. */
const maximumNonces = 64

class DigestSession implements Session {
  readonly #opening: Opening
  readonly #password: Secret
  readonly #user: Uint8Array
  /** H(user:realm:password) by hash and realm. */
  readonly #keys = new Map<string, Secret>()
  /** Newest first. */
  #nonces: readonly DigestNonce[] = []

  constructor(opening: Opening, { userName, password }: PasswordCredentials) {
    this.#opening = opening
    this.#password = password
    this.#user = normalizeUtf8(new TextEncoder().encode(userName))
  }

  get infoField(): string {
    return targetFields[this.#opening.target].info
  }

  get world(): AuthWorld {
    return this.#opening.world
  }

  begin(): Handshake {
    return new DigestHandshake(this)
  }

  close(): void {
    for (const key of this.#keys.values()) key.wipe()
    for (const nonce of this.#nonces) nonce.retire()
    this.#keys.clear()
    this.#nonces = []
  }

  /** A nonce that this request may use, if there is one (A224, A386). */
  find(request: RequestFacts, connection: object): DigestNonce | undefined {
    let free: DigestNonce | undefined
    for (const nonce of this.#nonces) {
      const isHeld = nonce.isHeldBy(connection)
      if ((!isHeld && (free !== undefined || !nonce.isFree)) || !nonce.covers(request)) continue
      if (isHeld) return nonce
      free = nonce
    }
    return free
  }

  /** Takes the nonce out of a challenge. */
  add(challenge: DigestChallenge): DigestNonce {
    const [userKey, space] = [this.#key(challenge), this.#space(challenge)]
    const nonce = new DigestNonce({ challenge, user: this.#user, userKey, space }, this.world)
    for (const old of this.#nonces.slice(maximumNonces - 1)) this.remove(old)
    this.#nonces = [nonce, ...this.#nonces]
    return nonce
  }

  /** Forgets a nonce that proves nothing any more. */
  remove(nonce: DigestNonce): void {
    this.#nonces = this.#nonces.filter((other) => other !== nonce)
    nonce.retire()
  }

  #key({ algorithm: { hash }, realm }: DigestChallenge): Secret {
    const name = `${hash} ${realm}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = this.#password.use((bytes) => {
      const password = normalizeUtf8(bytes)
      const key = userKey(this.world.hashes, hash, this.#user, realm, password)
      password.fill(0)
      return key
    })
    this.#keys.set(name, key)
    return key
  }

  /**
   * The URIs of `domain` that lie on this peer (RFC 7616 §3.3). It means nothing to a proxy (A224), and a list without
   * any URI of the peer is the list of a server that does not know what it is called outside.
   */
  #space({ domain }: DigestChallenge): readonly string[] | undefined {
    const { target, peer } = this.#opening
    if (domain === undefined || target === 'proxy') return undefined
    const uris = domain
      .split(/\s+/)
      .filter((uri) => uri !== '' && URL.canParse(uri, peer.origin))
      .map((uri) => new URL(uri, peer.origin))
      .filter(({ origin }) => origin === peer.origin)
    return uris.length === 0 ? undefined : uris.map(({ href }) => href)
  }
}

/** A request asks again at most this often because a nonce was too old (A135). */
const maximumStale = 3

/** A request tries at most this many realms (A385). */
const maximumRealms = 3

/** What went out for this request last. */
interface Attempt {
  readonly use: DigestUse
  readonly request: RequestFacts
  /** Whether it went out before anybody asked, with a nonce of an earlier request. */
  readonly isEarly: boolean
}

/** What the peer says of itself, by name. */
type Info = ReadonlyMap<string, string>

type BodyHash = DigestInput['bodyHash']

/** What a digest is made of besides the use of a nonce and the request-target. */
interface Message extends Pick<DigestInput, 'method' | 'bodyHash'> {
  readonly qop: Qop | undefined
}

class DigestHandshake implements Handshake {
  readonly #session: DigestSession
  #realms: readonly string[] = []
  #attempt: Attempt | undefined
  #stale = 0
  /** What the peer says of itself and can only be verified behind the body, and which hash of the body that takes. */
  #late:
    | { readonly values: readonly string[]; readonly hash: HashAlgorithm | undefined }
    | undefined

  constructor(session: DigestSession) {
    this.#session = session
  }

  prepare(request: RequestFacts): Send | undefined {
    const before = this.#attempt
    before?.use.release()
    this.#attempt = undefined
    const connection = request.connection ?? this
    const nonce = this.#session.find(request, connection)
    if (nonce === undefined) return undefined
    return this.#send(nonce, request, connection, before?.isEarly ?? true)
  }

  async answer(challenge: Challenge, request: RequestFacts): Promise<Answer> {
    const read = readDigestChallenge(challenge, this.#session.world.hashes)
    if (read.kind === 'unable') return read
    const attempt = this.#attempt
    if (attempt !== undefined) {
      const { use } = attempt
      if (use.nonce.challenge.realm === read.realm) this.#session.remove(use.nonce)
      use.release()
      const refusal = this.#judge(attempt, read)
      if (refusal !== undefined) return refusal
    }
    return this.#send(this.#session.add(read), request, request.connection ?? this, false)
  }

  accept(response: ResponseFacts): Verdict {
    const attempt = this.#attempt
    if (attempt === undefined) return { kind: 'done' }
    const values = fieldValues(response.fields, this.#session.infoField)
    const info = parseParameters(values)
    const { bodyHash } = response
    const isInTrailer = values.length === 0 && announces(response.fields, this.#session.infoField)
    const needsBody = info.has('rspauth') && bodyHash === undefined && coversBody(attempt, info)
    if (!isInTrailer && !needsBody) return this.#conclude(attempt, info, bodyHash)
    // The nonce stays in hand until it is known whether there is another.
    this.#late = {
      values,
      hash: isInTrailer ? undefined : attempt.use.nonce.challenge.algorithm.hash,
    }
    return { kind: 'done' }
  }

  get awaitsBody(): HashAlgorithm | undefined {
    return this.#late?.hash
  }

  finish(trailers: readonly Field[], hash?: Uint8Array): Verdict {
    const [attempt, late] = [this.#attempt, this.#late]
    if (attempt === undefined || late === undefined) return { kind: 'done' }
    this.#late = undefined
    const values = [...late.values, ...fieldValues(trailers, this.#session.infoField)]
    return this.#conclude(attempt, parseParameters(values), hash && (() => hash))
  }

  /** Verifies what the peer says of itself, and learns the next nonce (A222). */
  #conclude(attempt: Attempt, info: Info, bodyHash: BodyHash): Verdict {
    const { use } = attempt
    const isGenuine = this.#isGenuine(attempt, info, bodyHash)
    if (!isGenuine) this.#session.remove(use.nonce)
    use.release()
    if (!isGenuine) {
      return {
        kind: 'refused',
        reason: 'Digest: the server does not prove that it knows the password',
      }
    }
    const next = info.get('nextnonce')
    if (next !== undefined) use.nonce.advance(next)
    return { kind: 'done' }
  }

  close(): void {
    this.#attempt?.use.release()
  }

  /** Why a challenge that came back after an attempt is the end; `undefined` when it deserves another attempt. */
  #judge({ use, isEarly }: Attempt, challenge: DigestChallenge): Refused | undefined {
    if (challenge.isStale) {
      return ++this.#stale > maximumStale ? refused('every nonce is called stale') : undefined
    }
    const { realm } = use.nonce.challenge
    if (challenge.realm !== realm) {
      const isNew = !this.#realms.includes(challenge.realm) && this.#realms.length < maximumRealms
      return isNew ? undefined : refused('too many realms')
    }
    // What an earlier request had learned may have expired without a word of it (A133); what this one learned has not.
    if (isEarly && challenge.nonce !== use.value) return undefined
    return refused('the name or the password is wrong')
  }

  #send(nonce: DigestNonce, request: RequestFacts, connection: object, isEarly: boolean): Send {
    const use = nonce.use(connection)
    this.#late = undefined
    const attempt = { use, request, isEarly }
    this.#attempt = attempt
    const { realm, qop } = nonce.challenge
    if (!isEarly) this.#realms = [...this.#realms, realm]
    const { method, requestTarget: uri, bodyHash } = request
    const response = this.#digest(attempt, { method, qop, bodyHash })
    const { value, nc } = use
    const header = formatDigest(nonce.words, { uri, nonce: value, nc, response })
    return { kind: 'send', header, canSucceed: true }
  }

  /** Whether `rspauth`, when there is one, was made by somebody who knows the password (A222). */
  #isGenuine(attempt: Attempt, info: Info, bodyHash: BodyHash): boolean {
    const rspauth = info.get('rspauth')
    if (rspauth === undefined) return true
    const isIntegrity = coversBody(attempt, info)
    // The body has not been seen: nothing can be said, for or against.
    if (isIntegrity && bodyHash === undefined) return true
    const isQualified = attempt.use.nonce.challenge.qop !== undefined
    const qop = isIntegrity ? 'auth-int' : 'auth'
    const message = { method: '', qop: isQualified ? qop : undefined, bodyHash } as const
    return equalHex(this.#digest(attempt, message), rspauth)
  }

  /** The digest of a message of an attempt: of the request, or of its response, whose method is empty. */
  #digest({ use, request }: Attempt, { method, qop, bodyHash }: Message): string {
    const { challenge, cnonce, key } = use.nonce
    const { algorithm } = challenge
    const quality = qop === undefined ? undefined : { qop, nc: use.nc, cnonce }
    const { value: nonce } = use
    const { requestTarget: uri } = request
    const input = { algorithm, nonce, quality, method, uri, bodyHash }
    return digestResponse(this.#session.world.hashes, key, input)
  }
}

/** Whether the peer proves the body of its response, too. */
function coversBody({ use }: Attempt, info: Info): boolean {
  return (info.get('qop') ?? use.nonce.challenge.qop) === 'auth-int'
}

/** Whether a field is promised behind the body (RFC 9110 §6.6.2). */
function announces(fields: Iterable<Field>, name: string): boolean {
  return fieldValues(fields, 'trailer').some((value) =>
    value.split(',').some((each) => each.trim().toLowerCase() === name.toLowerCase()),
  )
}

function refused(why: string): Refused {
  return { kind: 'refused', reason: `Digest: ${why}` }
}
