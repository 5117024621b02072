/** Bytes, rates and durations as people read and write them. */

import { usageError } from './cli-error.ts'

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `1.23 GB`: three digits, decimal units. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds))
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['', 1_000],
  ['s', 1_000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/**
 * Reads a duration: `500ms`, `30s`, `10m`, `2h`, `14d`; a number alone is seconds.
 *
 * @returns milliseconds
 * @throws {CliError} exit status 2
 */
export function parseDuration(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/iu.exec(text.trim()) ?? []
  const factor = unitMs.get((unit ?? '?').toLowerCase())
  if (number === undefined || factor === undefined) {
    throw usageError(
      `Cannot understand --${option} ${JSON.stringify(text)}: a duration is a number with ms, s, m, h or d`,
    )
  }
  const ms = Number(number) * factor
  if (ms > Number.MAX_SAFE_INTEGER) throw usageError(`Cannot wait that long: --${option} ${text}`)
  return ms
}
