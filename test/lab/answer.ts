/** What an origin server without faults answers (RFC 9110 §13.1.5, §14, §15.3.7). */

import type { Content } from './content.ts'
import type { Exchange, LabRequest } from './exchange.ts'

/** A file as the server has it at one moment. */
export interface LabFile {
  readonly content: Content
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly date: string | undefined
}

/** A header field. */
export type LabField = readonly [name: string, value: string]

/** An answer that brings `content` from `start` to `end`. */
export interface Answer {
  readonly status: number
  readonly fields: readonly LabField[]
  readonly content: Content
  readonly start: number
  readonly end: number
}

/** What becomes of a request for this file. */
export function answerTo(request: LabRequest, file: LabFile): Answer {
  const { content } = file
  const fields = versionFields(file)
  const whole = {
    status: 200,
    fields: [...fields, ['Accept-Ranges', 'bytes'], length(content.size)] as const,
    content,
    start: 0,
    end: content.size,
  }
  const range = request.headers.get('range')
  if (range === undefined || !isSameVersion(request, file)) return whole
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/u.exec(range) ?? []
  if (first === '' && last === '') return whole
  const start = first === '' ? Math.max(0, content.size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? content.size : Math.min(content.size, Number(last) + 1)
  if (start >= content.size || end <= start) {
    const missed: LabField = ['Content-Range', `bytes */${content.size}`]
    return { status: 416, fields: [...fields, missed, length(0)], content, start: 0, end: 0 }
  }
  const part: LabField = ['Content-Range', `bytes ${start}-${end - 1}/${content.size}`]
  return { status: 206, fields: [...fields, part, length(end - start)], content, start, end }
}

function isSameVersion({ headers }: LabRequest, { etag, lastModified }: LabFile): boolean {
  const condition = headers.get('if-range')
  if (condition === undefined) return true
  if (condition.startsWith('"')) return condition === etag
  return condition === lastModified
}

/** The fields that say which version this is. */
export function versionFields({ etag, lastModified, date }: LabFile): readonly LabField[] {
  return [
    ...(date === undefined ? [] : ([['Date', date]] as const)),
    ...(etag === undefined ? [] : ([['ETag', etag]] as const)),
    ...(lastModified === undefined ? [] : ([['Last-Modified', lastModified]] as const)),
  ]
}

/** A Content-Length. */
export function length(bytes: number): LabField {
  return ['Content-Length', String(bytes)]
}

/** The answer with fields replaced or added; `undefined` leaves one out. */
export function withFields(
  answer: Answer,
  changes: Readonly<Record<string, string | undefined>>,
): Answer {
  const names = new Set(Object.keys(changes).map((name) => name.toLowerCase()))
  const kept = answer.fields.filter(([name]) => !names.has(name.toLowerCase()))
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return { ...answer, fields: [...kept, ...added] }
}

/** Sends an answer as it stands. */
export async function give(exchange: Exchange, answer: Answer): Promise<void> {
  await exchange.head(answer.status, answer.fields)
  if (exchange.request.method !== 'HEAD') {
    await exchange.send(answer.content, answer.start, answer.end)
  }
}
