/** Unknown JSON becomes a known type, once, at the boundary. */

import { LullError } from '../base/error.ts'

/** Parameters that do not fit the contract. The message names the place and what was found there. */
export class DecodeError extends LullError {
  readonly path: string
  readonly expected: string
  readonly #found: unknown

  /** @param found shown when it is a text or a number; of lists and objects only that they are */
  constructor(path: string, expected: string, found: unknown) {
    super('ERR_RPC_PARAMS', `Cannot read ${path}: expected ${expected}, found ${seen(found)}`)
    this.path = path
    this.expected = expected
    this.#found = found
  }

  /** The same of what stands within something at `path`. */
  within(path: string): DecodeError {
    return new DecodeError(`${path}${this.path}`, this.expected, this.#found)
  }
}

/** What stands in the place of something that is not shown. */
const hidden = Symbol('something else')

function seen(found: unknown): string {
  if (found === undefined) return 'nothing'
  if (found === hidden) return hidden.description ?? ''
  // There may be a secret in it.
  if (typeof found === 'object' && found !== null)
    return Array.isArray(found) ? 'a list' : 'an object'
  return abbreviate(JSON.stringify(found) ?? typeof found)
}

/**
 * Reads a value that stands at `path`. What stands within another value is read at no path, and where it stands is put
 * into words only when something is wrong with it: a list may have thousands of items.
 *
 * @throws {DecodeError} when it is something else
 */
export type Decoder<T> = (value: unknown, path: string) => T

/** A decoder for each field of a type; a field that may be absent has one made by {@link optional}. */
export type Fields<T> = { readonly [Key in keyof Required<T>]: Decoder<T[Key]> }

/** Characters of a found value that an error shows. */
const SHOWN = 80

function abbreviate(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}

/** A string of at most `limit` UTF-16 code units. */
export function text(limit = 65_536): Decoder<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw new DecodeError(path, 'a string', value)
    if (value.length > limit) throw new DecodeError(path, `at most ${limit} characters`, value)
    return value
  }
}

/** The same for what is written down: half a surrogate pair would become another character, and a file of another name. */
export function wellFormed(inner: Decoder<string>): Decoder<string> {
  return (value, path) => {
    const found = inner(value, path)
    if (found.isWellFormed()) return found
    throw new DecodeError(path, 'a text without half a surrogate pair', found)
  }
}

/** The same for what may be a secret: an error says where it stands and what was expected, not what was found. */
export function secretly<T>(inner: Decoder<T>): Decoder<T> {
  return (value, path) => {
    try {
      return inner(value, path)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new DecodeError(error.path, error.expected, hidden)
    }
  }
}

/** What `inner` reads, turned into something else. */
export function mapped<From, To>(
  inner: Decoder<From>,
  map: (value: From, path: string) => To,
): Decoder<To> {
  return (value, path) => map(inner(value, path), path)
}

/** The same, or `null`. */
export function nullable<T>(inner: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === null ? null : inner(value, path))
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (value, path) => {
    if (
      typeof value !== 'number' ||
      !Number.isSafeInteger(value) ||
      value < least ||
      value > most
    ) {
      throw new DecodeError(path, `a whole number from ${least} to ${most}`, value)
    }
    return value
  }
}

/** A number of at least `least`, fractions allowed. */
export function amount(least: number): Decoder<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !(value >= least) || value > Number.MAX_SAFE_INTEGER) {
      throw new DecodeError(path, `a number of at least ${least}`, value)
    }
    return value
  }
}

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new DecodeError(path, 'true or false', value)
  return value
}

/** One of these words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Decoder<Word> {
  return (value, path) => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw new DecodeError(path, `one of ${words.join(', ')}`, value)
    return found
  }
}

/** A list of at most `limit` items. */
export function list<T>(item: Decoder<T>, limit = 1_000_000): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, 'a list', value)
    if (value.length > limit) throw new DecodeError(path, `at most ${limit} items`, value.length)
    return value.map((each: unknown, index) => {
      try {
        return item(each, '')
      } catch (error) {
        throw placed(error, `${path}[${index}]`)
      }
    })
  }
}

/** A pair. */
export function pair<A, B>(first: Decoder<A>, second: Decoder<B>): Decoder<readonly [A, B]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length !== 2) throw new DecodeError(path, 'a pair', value)
    const [a, b]: unknown[] = value
    return [first(a, `${path}[0]`), second(b, `${path}[1]`)]
  }
}

/** The same, or absent; {@link record} leaves absent fields out of its result. */
export function optional<T>(inner: Decoder<T>): Decoder<T> {
  const decoder: Decoder<T> = (value, path) => inner(value, path)
  optionals.add(decoder)
  return decoder
}

const optionals = new WeakSet<object>()

/** An object with these fields and no others: a name nobody knows is a mistake somewhere. */
export function record<T>(fields: Fields<T>): Decoder<T> {
  const decoders = Object.entries<Decoder<unknown>>(fields).map(([name, decoder]) => {
    return { name, decoder, isOptional: optionals.has(decoder) }
  })
  const known = new Set(decoders.map(({ name }) => name))
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new DecodeError(path, 'an object', value)
    }
    for (const name in value) {
      if (known.has(name)) continue
      const names = known.size === 0 ? 'no name at all' : `one of ${[...known].join(', ')}`
      throw new DecodeError(`${path}.${name}`, names, name)
    }
    // Of these names no object has one that was not given.
    const given = value as Readonly<Record<string, unknown>>
    const result: Record<string, unknown> = {}
    for (const { name, decoder, isOptional } of decoders) {
      const found = given[name]
      if (found === undefined && isOptional) continue
      try {
        result[name] = decoder(found, '')
      } catch (error) {
        throw placed(error, `${path}.${name}`)
      }
    }
    // The fields are those of T, each read by its own decoder.
    return result as T
  }
}

/** What was thrown by the reader of something that stands at `path`. */
function placed(error: unknown, path: string): unknown {
  return error instanceof DecodeError ? error.within(path) : error
}
