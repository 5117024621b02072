/** What a fault of the lab works on: one request, and what a server without faults would answer. */

import { formatHttpDate } from '../../src/wire/http-date.ts'
import type { Answer, LabFile } from './answer.ts'
import { Content } from './content.ts'
import type { Exchange } from './exchange.ts'

/** One request for a faulty resource. */
export interface Situation {
  readonly exchange: Exchange
  readonly answer: Answer
  readonly file: LabFile
  /** Which request for this resource it is, from 1. */
  readonly count: number
  readonly options: Options
}

/** What a server does instead of answering well. Ends the connection itself where that belongs to it. */
export type Fault = (situation: Situation) => Promise<void>

/** What the query of a URL says about the resource. */
export class Options {
  readonly #query: URLSearchParams

  constructor(query: URLSearchParams) {
    this.#query = query
  }

  text(name: string, fallback: string): string {
    return this.#query.get(name) ?? fallback
  }

  number(name: string, fallback: number): number {
    const text = this.#query.get(name)
    return text === null ? fallback : Number(text)
  }
}

/**
 * What may stand in the query of any resource:
 *
 * - `size`, `seed`: the content
 * - `etag`: `strong`, `weak`, `edge` (another strong one with every answer), `bare` (no quotes), `none`
 * - `modified`: `old` (a strong validator), `fresh` (as old as the first answer: weak), `none`
 * - `date`: `yes`, `no`
 * - `changes`: how many times the content changes, once after each answer
 * - `tells`: what tells of a change: `all`, `etag`, `modified`, `none`
 * - `ignores`: `ranges` (whole files only), `conditions` (parts of whatever there is, in spite of If-Range)
 * - `rate`: bytes per second
 * - `cut`, `cuts`: the first answer (the first `cuts` of them) breaks off after so many bytes, whatever the fault is
 * - `times`, `from`: the fault happens to so many requests, from that one on; the others are answered well
 */
export interface ResourceOptions {
  readonly size?: number
  readonly seed?: number
  readonly etag?: 'strong' | 'weak' | 'edge' | 'bare' | 'none'
  readonly modified?: 'old' | 'fresh' | 'none'
  readonly date?: 'yes' | 'no'
  readonly changes?: number
  readonly tells?: 'all' | 'etag' | 'modified' | 'none'
  readonly ignores?: 'ranges' | 'conditions'
  readonly rate?: number
  readonly cut?: number
  readonly cuts?: number
  readonly times?: number
  readonly from?: number
  /** What a fault reads besides. */
  readonly [more: string]: string | number | undefined
}

/** How much older each version is than the next. */
const VERSION_AGE_MS = 3_600_000
const OLD_MS = 30 * 24 * VERSION_AGE_MS

/** One URL of the server, with what has happened to it. */
export class Resource {
  readonly options: Options
  /** The moment of the first answer, in whole seconds. */
  readonly #born: number
  #count = 0
  #steps = 0
  #rate: number

  constructor(query: URLSearchParams, now: number) {
    this.options = new Options(query)
    this.#born = Math.floor(now / 1000) * 1000
    this.#rate = this.options.number('rate', Infinity)
  }

  /** Bytes per second at which bodies are sent; may change while one is. */
  get rate(): number {
    return this.#rate
  }

  set rate(bytesPerSecond: number) {
    this.#rate = bytesPerSecond
  }

  /** How many requests came. */
  get count(): number {
    return this.#count
  }

  /** Every content that was ever served. */
  get versions(): readonly Content[] {
    return Array.from({ length: this.#version + 1 }, (_, version) => this.#content(version))
  }

  /** What is served now. */
  get content(): Content {
    return this.#content(this.#version)
  }

  /** Replaces the content by another one. */
  change(): void {
    this.#steps++
  }

  /** Counts a request. @returns its number, from 1 */
  visit(): number {
    return ++this.#count
  }

  /** The file as the present request finds it. */
  file(now: number): LabFile {
    const { options } = this
    const version = this.#version
    const hasDate = options.text('date', 'yes') === 'yes'
    const at = this.#count === 1 ? this.#born : now
    return {
      content: this.#content(version),
      etag: this.#etag(version),
      lastModified: this.#lastModified(version),
      date: hasDate ? formatHttpDate(at) : undefined,
    }
  }

  get #version(): number {
    return Math.min(Math.max(0, this.#count - 1), this.options.number('changes', 0)) + this.#steps
  }

  #content(version: number): Content {
    const { options } = this
    return new Content(options.number('seed', 1) * 1_000 + version, options.number('size', 100_000))
  }

  #tells(what: 'etag' | 'modified'): boolean {
    return ['all', what].includes(this.options.text('tells', 'all'))
  }

  #etag(version: number): string | undefined {
    const tag = `${this.options.number('seed', 1)}-${this.#tells('etag') ? version : 0}`
    switch (this.options.text('etag', 'strong')) {
      case 'weak':
        return `W/"${tag}"`
      case 'edge':
        return `"${tag}-node${this.#count}"`
      case 'bare':
        return tag
      case 'none':
        return undefined
      default:
        return `"${tag}"`
    }
  }

  #lastModified(version: number): string | undefined {
    const step = this.#tells('modified') ? version * VERSION_AGE_MS : 0
    switch (this.options.text('modified', 'old')) {
      case 'fresh':
        return formatHttpDate(this.#born + step)
      case 'none':
        return undefined
      default:
        return formatHttpDate(this.#born - OLD_MS + step)
    }
  }
}
