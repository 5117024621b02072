/** Gets scripts from where they are (N60). */

import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import { ScriptError, type ScriptSource } from '../ports.ts'
import { scriptText } from './script-text.ts'
import { untilAborted } from './until-aborted.ts'

/** What a download may take, and whom it may trust. */
export interface FetchTerms {
  /** Bytes of the body as it comes over the network; what is longer is an error. */
  readonly maxBytes: number
  /** Ends it. */
  readonly signal: AbortSignal
  /** As in `ScriptSource`. */
  readonly caFile?: string | undefined
}

/** What a server answered. */
export interface FetchedScript {
  readonly status: number
  /** The value of Location. */
  readonly location?: string | undefined
  /** The value of Content-Type. */
  readonly contentType?: string | undefined
  /** The value of Content-Encoding. */
  readonly contentEncoding?: string | undefined
  /** The body, chunks joined and not decoded; may be empty where the status is not 200. Kept by the caller. */
  readonly bytes: Uint8Array
}

/**
 * Makes one GET request straight to a server and through no proxy, without credentials of any job and without a client
 * certificate (N60); follows no redirect.
 *
 * @param url `http:` or `https:`, without user information
 * @throws whatever keeps it from having an answer
 */
export type FetchScript = (url: URL, terms: FetchTerms) => Promise<FetchedScript>

/** No script is longer, in bytes (N60). */
export const LONGEST_SCRIPT = 1024 * 1024

/** How long all of a download may take, redirects included (N60). */
export const DOWNLOAD_LIMIT_MS = 30_000

/** As many as Chromium follows. */
const MOST_REDIRECTS = 20

const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** How bodies are unpacked (RFC 9110 §8.4.1). */
const decoders: Readonly<
  Record<string, (bytes: Uint8Array, options: object) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/** What a download is made with. */
export interface DownloadOptions {
  readonly fetchScript: FetchScript
  readonly clock: Pick<Clock, 'alarm'>
  /** Ends it early. */
  readonly signal: AbortSignal
}

/**
 * Gets the text of a script.
 *
 * @throws {ScriptError} `ERR_PAC_UNREACHABLE` whatever the reason; its message names the place without user information
 */
export async function downloadScript(
  source: ScriptSource,
  options: DownloadOptions,
): Promise<string> {
  const place = describePlace(source.url)
  const controller = new AbortController()
  using _alarm = options.clock.alarm(DOWNLOAD_LIMIT_MS, () => {
    controller.abort(new Error(`it took longer than ${DOWNLOAD_LIMIT_MS / 1_000} seconds`))
  })
  const signal = AbortSignal.any([options.signal, controller.signal])
  try {
    return await untilAborted(read(source, options.fetchScript, signal), signal)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ScriptError(
      'ERR_PAC_UNREACHABLE',
      `Cannot load the proxy script ${place}: ${reason}`,
      {
        cause,
      },
    )
  }
}

/** A URL as people may see it: no user information, and of what is not fetched nothing but what it is. */
export function describePlace(text: string): string {
  if (!URL.canParse(text)) return 'at an address that is none'
  const url = new URL(text)
  if (url.protocol === 'data:') return 'data:'
  return `${url.protocol}//${url.host}${url.pathname}`
}

async function read(
  { url: text, isDiscovered, caFile }: ScriptSource,
  fetchScript: FetchScript,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:')
    return readHttp(url, fetchScript, { maxBytes: LONGEST_SCRIPT, signal, caFile })
  // The network may say where a script is, but not which file of this machine is one.
  if (isDiscovered) throw new Error(`the network may not name ${url.protocol} addresses`)
  if (url.protocol === 'file:') return readFile(url)
  if (url.protocol === 'data:') return readData(url)
  throw new Error(`scripts are not fetched from ${url.protocol} addresses`)
}

async function readHttp(first: URL, fetchScript: FetchScript, terms: FetchTerms): Promise<string> {
  let url = first
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    url.username = ''
    url.password = ''
    url.hash = ''
    const answer = await fetchScript(url, terms)
    if (!redirectStatuses.has(answer.status)) return textOf(answer)
    url = nextPlace(url, answer)
  }
  throw new Error(`it was redirected more than ${MOST_REDIRECTS} times`)
}

function nextPlace(from: URL, { status, location }: FetchedScript): URL {
  if (location === undefined) throw new Error(`the server answered ${status} without a location`)
  if (!URL.canParse(location, from.href))
    throw new Error(`the server answered ${status} to nowhere`)
  const url = new URL(location, from)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`it was redirected to a ${url.protocol} address`)
  }
  // A script decides where everything goes: what was asked for under TLS is not taken from anybody on the way.
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new Error('it was redirected from https to http')
  }
  return url
}

async function textOf({
  status,
  bytes,
  contentType,
  contentEncoding,
}: FetchedScript): Promise<string> {
  if (status !== 200) throw new Error(`the server answered ${status}`)
  let body = within(bytes)
  const encodings = (contentEncoding ?? '').toLowerCase().split(',')
  for (const each of encodings.toReversed()) {
    const encoding = each.trim()
    if (encoding === '' || encoding === 'identity') continue
    const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
    if (decode === undefined)
      throw new Error(`its content encoding is unknown: ${encoding.slice(0, 40)}`)
    body = await decode(body, { maxOutputLength: LONGEST_SCRIPT })
  }
  return scriptText(body, contentType)
}

/** A regular file of this machine: a device or a pipe could go on for ever. */
async function readFile(url: URL): Promise<string> {
  if (url.host !== '') throw new Error('the file is on another machine')
  const file = await open(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is no regular file')
    const bytes = new Uint8Array(LONGEST_SCRIPT + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) break
    }
    return scriptText(within(bytes.subarray(0, length)))
  } finally {
    await file.close()
  }
}

/** The script itself in the address (RFC 2397). */
function readData({ href }: URL): string {
  const [, type = '', base64, data = ''] = /^data:([^,]*?)(;\s*base64)?,(.*)$/isu.exec(href) ?? []
  const unescaped = unescape(data)
  const bytes =
    base64 === undefined ? Buffer.from(unescaped, 'latin1') : Buffer.from(unescaped, 'base64')
  return scriptText(within(bytes), type)
}

/** Percent-encoding as bytes, one a character; what is none stands for itself. */
function unescape(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/giu, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  )
}

function within<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  if (bytes.length > LONGEST_SCRIPT) throw new Error(`it is longer than ${LONGEST_SCRIPT} bytes`)
  return bytes
}
