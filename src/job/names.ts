/** What a remote and a local name may be (bits-jobs.md §6.2). */

import { JobError } from './failure.ts'
import type { Login } from './given-credentials.ts'

/** Characters of a remote name (bits-jobs.md §26). */
export const REMOTE_NAME_LIMIT = 2_200

/** Characters of a display name and a description (bits-jobs.md §26). */
export const DISPLAY_NAME_LIMIT = 256
export const DESCRIPTION_LIMIT = 1_024

/** Bytes of a full path where the platform has no smaller limit of its own (PATH_MAX). */
const LOCAL_NAME_LIMIT = 4_096

/** How the platform writes full paths. */
export type PathStyle = 'posix' | 'win32'

/** Space, controls and the characters that RFC 3986 allows nowhere in a URL. */
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const notInUrl = /[\u0000-\u0020\u007f"<>\\^`{|}]/u

/** A remote name and the user information that stood in it. */
export interface RemoteName {
  /** Without user information. */
  readonly remoteName: string
  /** Percent-decoded (A44); secret. */
  readonly login?: Login
}

/**
 * Takes a remote name apart.
 *
 * @throws {JobError} `E_INVALIDARG` as {@link checkRemoteName}
 */
export function readRemoteName(name: string): RemoteName {
  checkRemoteName(name)
  // Most names, of which there may be very many.
  if (!name.includes('@')) return { remoteName: name }
  const remoteName = withoutUserInformation(name)
  const userInformation = beforeHost.exec(name)?.[2] ?? ''
  if (userInformation === '') return { remoteName }
  const colon = userInformation.indexOf(':')
  const end = colon < 0 ? userInformation.length : colon
  return {
    remoteName,
    login: {
      userName: percentDecode(userInformation.slice(0, end)),
      password: percentDecode(userInformation.slice(end + 1)),
    },
  }
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new JobError(
      'E_INVALIDARG',
      'Cannot add a URL: the name or password in it is not percent-encoded UTF-8',
      { context: 'REMOTE_FILE' },
    )
  }
}

/**
 * Checks a remote name; it may carry a user name and a password (A40).
 *
 * @throws {JobError} `E_INVALIDARG` when it is too long, no URL, or of another scheme than http or https
 */
export function checkRemoteName(name: string): void {
  const refuse = (why: string) =>
    new JobError('E_INVALIDARG', `Cannot add ${withoutUserInformation(name)}: ${why}`, {
      context: 'REMOTE_FILE',
    })
  if (name.length > REMOTE_NAME_LIMIT) {
    throw refuse(`the URL has ${name.length} characters, ${REMOTE_NAME_LIMIT} is the most`)
  }
  if (notInUrl.test(name)) throw refuse('the URL has characters that must be percent-encoded')
  if (!URL.canParse(name)) throw refuse('this is not a URL with scheme and host')
  if (!fetchable.test(name)) {
    const { protocol } = new URL(name)
    throw refuse(`the scheme is ${protocol.slice(0, -1)}, only http and https can be fetched`)
  }
}

/** How a URL that can be fetched begins. */
const fetchable = /^https?:/iu

/** The scheme of a URL, and whatever stands before the last `@` in its authority. */
const beforeHost = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/iu

/** A URL as it may be shown: without user information. */
export function withoutUserInformation(url: string): string {
  return url.replace(beforeHost, '$1')
}

/**
 * Checks a local name.
 *
 * @throws {JobError} `E_INVALIDARG` when it is no full path of this platform or too long
 */
export function checkLocalName(name: string, style: PathStyle): void {
  const refuse = (why: string) =>
    new JobError('E_INVALIDARG', `Cannot save to ${JSON.stringify(name)}: ${why}`, {
      context: 'LOCAL_FILE',
    })
  if (name.includes('\0')) throw refuse('the path holds a NUL character')
  if (isLongerThan(LOCAL_NAME_LIMIT, name)) {
    throw refuse(`the path is longer than ${LOCAL_NAME_LIMIT} bytes`)
  }
  const isFull =
    style === 'posix' ? name.startsWith('/') : /^(?:[a-z]:[\\/]|\\\\[^\\?])/iu.test(name)
  if (!isFull) throw refuse('this is not a full path')
  if (name.endsWith('/') || (style === 'win32' && name.endsWith('\\'))) {
    throw refuse('this names a folder')
  }
}

const utf8 = new TextEncoder()

/** Whether a text has more bytes in UTF-8 than these. */
function isLongerThan(bytes: number, text: string): boolean {
  // A code unit has three bytes at most.
  return text.length * 3 > bytes && utf8.encode(text).length > bytes
}

/**
 * Checks a header that a person or a program gave.
 *
 * @throws {JobError} `E_INVALIDARG` when name or value could not be sent, or when the transfer itself must decide it
 */
export function checkHeader(name: string, value: string): void {
  const refuse = (why: string) =>
    new JobError('E_INVALIDARG', `Cannot send the header ${JSON.stringify(name)}: ${why}`)
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/iu.test(name)) throw refuse('this is not a header name')
  // oxlint-disable-next-line no-control-regex -- controls are what is looked for
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/u.test(value)) {
    throw refuse('its value has characters that HTTP cannot carry')
  }
  if (ownHeaders.has(name.toLowerCase())) throw refuse('the transfer decides it')
}

/** What frames a message or chooses bytes: never for others to say. */
const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'range',
  'if-range',
  'accept-encoding',
])

/** Characters that all custom headers of a job may have together, as `Name: value CR LF` (bits-jobs.md §26). */
export const HEADERS_LIMIT = 16_384
