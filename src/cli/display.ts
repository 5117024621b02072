/** How the progress of a job is shown: on a terminal, as plain lines, as JSON lines, or not at all. */

import type { JobEventView, JobView } from '../rpc/contract.ts'
import { columnsOf, harmless, shorten, wrap } from './columns.ts'
import type { Arguments } from './parse.ts'
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
export function chooseDisplay(args: Arguments): Display {
  if (args.has('json')) return new JsonLines()
  if (args.has('quiet')) return silent
  // A dumb terminal, such as that of an editor, cannot draw a line again.
  const canRedraw = process.stderr.isTTY && process.env['TERM'] !== 'dumb'
  return canRedraw ? new TerminalDisplay() : new PlainLines()
}

const silent: Display = { show: () => undefined, say: () => undefined, end: () => undefined }

/** One JSON object per event on standard output. */
class JsonLines implements Display {
  show({ kind, job }: Exclude<JobEventView, { kind: 'gone' }>): void {
    process.stdout.write(`${JSON.stringify({ event: kind, ...job })}\n`)
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
    process.stderr.write(`${plainLine(job, this.#rate)}\n`)
  }

  say(sentence: string): void {
    process.stderr.write(`${sentence}\n`)
  }

  end(): void {
    // Every line is whole.
  }
}

/** How often a countdown on the terminal is drawn again. */
const REDRAW_MS = 500

/** Columns that stay free at the end of a line: for the `^C` that a terminal shows. */
const FREE_COLUMNS = 3

/** The fewest columns that are believed, and how many there are where nobody says it. */
const LEAST_COLUMNS = 20
const USUAL_COLUMNS = 80

/** A few lines that are drawn over and over: how far, and why it waits. */
class TerminalDisplay implements Display {
  readonly #rate = new Rate()
  #job: JobView | undefined
  #drawn: readonly string[] = []
  readonly #timer = setInterval(() => this.#redraw(), REDRAW_MS)

  show({ job }: Exclude<JobEventView, { kind: 'gone' }>): void {
    this.#job = job
    sample(this.#rate, job, performance.now())
    this.#redraw()
  }

  say(sentence: string): void {
    this.#erase()
    process.stderr.write(`${sentence}\n`)
    this.#redraw()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#erase()
    if (this.#job !== undefined)
      process.stderr.write(`${progressLine(this.#job, this.#rate, lineColumns())}\n`)
    this.#job = undefined
  }

  #redraw(): void {
    if (this.#job === undefined) return
    const columns = lineColumns()
    this.#erase()
    this.#drawn = [progressLine(this.#job, this.#rate, columns), ...reasonLines(this.#job, columns)]
    process.stderr.write(this.#drawn.join('\n'))
  }

  /** Lines that were drawn on a wider terminal have been broken into several rows since. */
  #erase(): void {
    if (this.#drawn.length === 0) return
    const columns = terminalColumns()
    const rows = this.#drawn.map((line) => Math.max(1, Math.ceil(columnsOf(line) / columns)))
    const above = rows.reduce((sum, each) => sum + each, 0) - 1
    process.stderr.write(`\r${above === 0 ? '' : `\u001B[${above}A`}\u001B[J`)
    this.#drawn = []
  }
}

function terminalColumns(): number {
  // A terminal that does not know its size says 0.
  return process.stderr.columns > 0 ? process.stderr.columns : USUAL_COLUMNS
}

function lineColumns(): number {
  return Math.max(LEAST_COLUMNS, terminalColumns() - FREE_COLUMNS)
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

/** Columns of a name: the most, and the fewest before something else is left out for it. */
const NAME_COLUMNS = 32
const SHORT_NAME_COLUMNS = 12

/**
 * `name  transferring  [#####-----]  45 %, 450 MB of 1.00 GB  12.3 MB/s  44 s left`; the narrower the terminal, the
 * less of it.
 */
function progressLine(job: JobView, rate: Rate, columns: number): string {
  const name = shorten(harmless(job.displayName), NAME_COLUMNS)
  const phrase = phrases[job.state]
  const shortPhrase = job.state === 'TRANSFERRING' ? '' : phrase
  const [speed, left] = pace(job, rate)
  const rows = [
    [phrase, bar(job), amounts(job), speed, left],
    [phrase, amounts(job), speed, left],
    [shortPhrase, amounts(job), speed, left],
    [shortPhrase, share(job), speed, left],
    [shortPhrase, share(job), left],
    [shortPhrase, share(job)],
  ].map((parts) => parts.filter((part) => part !== '').join('  '))
  const least = Math.min(SHORT_NAME_COLUMNS, columnsOf(name))
  const row = rows.find((each) => least + 2 + columnsOf(each) <= columns) ?? rows.at(-1) ?? ''
  const room = Math.max(1, columns - columnsOf(row) - 2)
  return shorten(`${shorten(name, room)}  ${row}`, columns)
}

function pace(job: JobView, rate: Rate): readonly [speed: string, left: string] {
  if (job.state !== 'TRANSFERRING' || rate.perSecond <= 0) return ['', '']
  const speed = `${formatBytes(rate.perSecond)}/s`
  if (job.bytesTotal === null) return [speed, '']
  const seconds = (job.bytesTotal - job.bytesTransferred) / rate.perSecond
  return [speed, `${formatDuration(seconds)} left`]
}

/** The most lines that a reason may take. */
const REASON_LINES = 4

function reasonLines(job: JobView, columns: number): readonly string[] {
  const reason = waitsFor(job)
  if (reason === '') return []
  return wrap(harmless(reason), columns, '  ').slice(0, REASON_LINES)
}

function waitsFor(job: JobView): string {
  if (job.waitingFor !== null) return `waits for ${countdown(job)}`
  return job.state === 'SUSPENDED' ? `waits for lull resume ${job.id.slice(0, 8)}` : ''
}

/** The service's sentence, with the seconds that are left now. */
function countdown({ waitingFor, retryAt }: JobView): string {
  if (waitingFor === null || retryAt === null) return waitingFor ?? ''
  const left = formatDuration((Date.parse(retryAt) - Date.now()) / 1000)
  return waitingFor.replace(/ in \d+ s: /u, ` in ${left}: `)
}

function plainLine(job: JobView, rate: Rate): string {
  const reason = waitsFor(job)
  const [speed] = pace(job, rate)
  const parts = [phrases[job.state], amounts(job), speed].filter((part) => part !== '')
  const line = `${job.displayName}: ${parts.join(', ')}${reason === '' ? '' : `; ${reason}`}`
  return harmless(line)
}

function amounts(job: JobView): string {
  const files = job.filesTotal > 1 ? `, ${job.filesTransferred} of ${job.filesTotal} files` : ''
  if (job.bytesTotal === null) return `${formatBytes(job.bytesTransferred)}${files}`
  return `${share(job)}, ${formatBytes(job.bytesTransferred)} of ${formatBytes(job.bytesTotal)}${files}`
}

function share({ bytesTotal, bytesTransferred }: JobView): string {
  if (bytesTotal === null) return formatBytes(bytesTransferred)
  return `${bytesTotal === 0 ? 100 : Math.floor((bytesTransferred * 100) / bytesTotal)} %`
}

function bar({ bytesTotal, bytesTransferred }: JobView): string {
  if (bytesTotal === null) return ''
  const filled =
    bytesTotal === 0 ? BAR_WIDTH : Math.floor((bytesTransferred * BAR_WIDTH) / bytesTotal)
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`
}
