/** How the progress of a job is shown: on a terminal, as plain lines, as JSON lines, or not at all. */

import { stderr, stdout } from 'node:process'
import type { JobEventView, JobView } from '../rpc/contract.ts'
import { formatBytes, formatDuration } from './quantity.ts'
import { Rate } from './rate.ts'

/** Shows a job as it changes. */
export interface Display {
  show(event: Exclude<JobEventView, { kind: 'gone' }>): void
  /** Says something besides, for people. */
  say(sentence: string): void
  /** Leaves the screen as a person wants to find it. */
  end(): void
}

/** Which display the options and the terminal ask for. */
export function chooseDisplay({
  json,
  quiet,
}: {
  readonly json: boolean
  readonly quiet: boolean
}): Display {
  if (json) return new JsonLines()
  if (quiet) return silent
  return stderr.isTTY ? new TerminalDisplay() : new PlainLines()
}

const silent: Display = { show: () => undefined, say: () => undefined, end: () => undefined }

/** One JSON object per event on standard output. */
class JsonLines implements Display {
  show({ kind, job }: Exclude<JobEventView, { kind: 'gone' }>): void {
    stdout.write(`${JSON.stringify({ event: kind, ...job })}\n`)
  }

  say(): void {
    // People read the other displays.
  }

  end(): void {
    // Every line is whole.
  }
}

/** How often plain lines tell of bytes alone. */
const PLAIN_EVERY_MS = 10_000

/** A line per change of state, and one now and then while bytes move. */
class PlainLines implements Display {
  readonly #rate = new Rate()
  #told = ''
  #toldAt = 0

  show({ job }: Exclude<JobEventView, { kind: 'gone' }>): void {
    const now = performance.now()
    sample(this.#rate, job, now)
    // The seconds of a countdown are no news.
    const news = `${job.state} ${(job.waitingFor ?? '').replace(/ in [\d a-z]+?: /u, ': ')}`
    const isMoving = job.state === 'TRANSFERRING' && now - this.#toldAt >= PLAIN_EVERY_MS
    if (news === this.#told && !isMoving) return
    this.#told = news
    this.#toldAt = now
    stderr.write(`${plainLine(job, this.#rate)}\n`)
  }

  say(sentence: string): void {
    stderr.write(`${sentence}\n`)
  }

  end(): void {
    // Every line is whole.
  }
}

/** How often a countdown on the terminal is drawn again. */
const REDRAW_MS = 500

/** Two lines that are drawn over and over: how far, and why it waits. */
class TerminalDisplay implements Display {
  readonly #rate = new Rate()
  #job: JobView | undefined
  #drawn = 0
  readonly #timer = setInterval(() => this.#redraw(), REDRAW_MS)

  show({ job }: Exclude<JobEventView, { kind: 'gone' }>): void {
    this.#job = job
    sample(this.#rate, job, performance.now())
    this.#redraw()
  }

  say(sentence: string): void {
    this.#erase()
    stderr.write(`${sentence}\n`)
    this.#redraw()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#erase()
    if (this.#job !== undefined)
      stderr.write(`${cut(progressLine(this.#job, this.#rate, stderr.columns))}\n`)
    this.#job = undefined
  }

  #redraw(): void {
    if (this.#job === undefined) return
    const lines = [
      progressLine(this.#job, this.#rate, stderr.columns),
      ...reasonLines(this.#job),
    ].map(cut)
    this.#erase()
    stderr.write(lines.join('\n'))
    this.#drawn = lines.length
  }

  #erase(): void {
    if (this.#drawn === 0) return
    stderr.write(`\r${'\u001B[2K\u001B[1A'.repeat(this.#drawn - 1)}\u001B[2K`)
    this.#drawn = 0
  }
}

function cut(line: string): string {
  return Array.from(line)
    .slice(0, Math.max(20, stderr.columns - 1))
    .join('')
}

function sample(rate: Rate, job: JobView, now: number): void {
  if (job.state === 'TRANSFERRING') rate.sample(job.bytesTransferred, now)
  else rate.rest()
}

/** States as a person says them. */
const phrases: Readonly<Record<JobView['state'], string>> = {
  QUEUED: 'queued',
  CONNECTING: 'connecting',
  TRANSFERRING: 'transferring',
  SUSPENDED: 'suspended',
  ERROR: 'error',
  TRANSIENT_ERROR: 'waiting',
  TRANSFERRED: 'transferred',
  ACKNOWLEDGED: 'complete',
  CANCELLED: 'cancelled',
}

const BAR_WIDTH = 24
const WIDE_ENOUGH_FOR_BAR = 100

/** `name  [#####-----]  45 %  450 MB of 1.00 GB  12.3 MB/s  44 s left`. */
function progressLine(job: JobView, rate: Rate, columns: number): string {
  const parts = [shorten(job.displayName, 32), phrases[job.state]]
  if (job.bytesTotal !== null && columns >= WIDE_ENOUGH_FOR_BAR)
    parts.push(bar(job.bytesTransferred, job.bytesTotal))
  parts.push(amounts(job))
  if (job.state === 'TRANSFERRING' && rate.perSecond > 0) {
    parts.push(`${formatBytes(rate.perSecond)}/s`)
    if (job.bytesTotal !== null) {
      parts.push(`${formatDuration((job.bytesTotal - job.bytesTransferred) / rate.perSecond)} left`)
    }
  }
  return parts.join('  ')
}

function reasonLines(job: JobView): readonly string[] {
  return job.waitingFor === null ? [] : [`  waits for ${countdown(job)}`]
}

/** The service's sentence, with the seconds that are left now. */
function countdown({ waitingFor, retryAt }: JobView): string {
  if (waitingFor === null || retryAt === null) return waitingFor ?? ''
  const left = formatDuration((Date.parse(retryAt) - Date.now()) / 1000)
  return waitingFor.replace(/ in \d+ s: /u, ` in ${left}: `)
}

function plainLine(job: JobView, rate: Rate): string {
  const reason = job.waitingFor === null ? '' : `; waits for ${job.waitingFor}`
  const speed =
    job.state === 'TRANSFERRING' && rate.perSecond > 0 ? `, ${formatBytes(rate.perSecond)}/s` : ''
  return `${job.displayName}: ${phrases[job.state]}, ${amounts(job)}${speed}${reason}`
}

function amounts(job: JobView): string {
  const files = job.filesTotal > 1 ? `, ${job.filesTransferred} of ${job.filesTotal} files` : ''
  if (job.bytesTotal === null) return `${formatBytes(job.bytesTransferred)}${files}`
  const share =
    job.bytesTotal === 0 ? 100 : Math.floor((job.bytesTransferred * 100) / job.bytesTotal)
  return `${share} %, ${formatBytes(job.bytesTransferred)} of ${formatBytes(job.bytesTotal)}${files}`
}

function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.floor((done * BAR_WIDTH) / total)
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`
}

function shorten(text: string, limit: number): string {
  // Control characters of a name must not reach the terminal.
  const clean = Array.from(text.replaceAll(/\p{Cc}/gu, '?'))
  return clean.length <= limit ? clean.join('') : `${clean.slice(0, limit - 1).join('')}…`
}
