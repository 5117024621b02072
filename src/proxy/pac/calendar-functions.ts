/**
 * What a script may call about days and hours (N70, N72, N73).
 *
 * {@link calendarFunctions} is written as one closed function because its text is what runs beside the script: nothing
 * in it may name anything outside of it but JavaScript's own objects.
 */

/* oxlint-disable unicorn/consistent-function-scoping -- what stands outside is not in the text */

/** A moment as a clock on the wall shows it. */
interface Moment {
  readonly year: number
  /** From 0. */
  readonly month: number
  /** From 1. */
  readonly day: number
  /** From 0, a Sunday. */
  readonly weekday: number
  readonly hour: number
  /** Since midnight. */
  readonly second: number
}

/** The functions about days and hours, by the names that scripts know. */
export type CalendarFunctions = ReturnType<typeof calendarFunctions>

/**
 * Makes the functions. Its source text is loaded into the sandbox: see the top of the file.
 *
 * @param now the moment that the functions judge
 */
export function calendarFunctions(now: () => Date) {
  const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
  const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
  /** Numbers below are days of a month, others are years. */
  const firstYear = 32

  function momentOf(isGreenwich: boolean): Moment {
    const date = now()
    // What the wall shows, said as if it were Greenwich: one set of getters for both.
    if (!isGreenwich) date.setTime(date.getTime() - date.getTimezoneOffset() * 60_000)
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth(),
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      hour: date.getUTCHours(),
      second: (date.getUTCHours() * 60 + date.getUTCMinutes()) * 60 + date.getUTCSeconds(),
    }
  }

  /** Takes `GMT` from the end of the arguments. */
  function judge(args: readonly unknown[]): readonly [readonly unknown[], Moment] {
    const isGreenwich = args.at(-1) === 'GMT'
    return [isGreenwich ? args.slice(0, -1) : args, momentOf(isGreenwich)]
  }

  /** Whether a value lies in a range that goes round when it ends before it begins. */
  function isBetween(start: number, value: number, end: number): boolean {
    return start <= end ? start <= value && value <= end : start <= value || value <= end
  }

  function weekdayRange(...all: unknown[]): boolean {
    if (all.length === 0) return false
    const [args, moment] = judge(all)
    const first = weekdays.indexOf(String(args[0]))
    const last = args.length === 2 ? weekdays.indexOf(String(args[1])) : first
    return first !== -1 && last !== -1 && isBetween(first, moment.weekday, last)
  }

  function isToday(part: unknown, moment: Moment): boolean {
    const number = Number.parseInt(String(part), 10)
    if (Number.isNaN(number)) return months[moment.month] === part
    return (number < firstYear ? moment.day : moment.year) === number
  }

  /** @returns days that can be compared; undefined when a part is no day, month or year */
  function dayNumber(
    parts: readonly unknown[],
    whole: Pick<Moment, 'year' | 'month' | 'day'>,
  ): number | undefined {
    let { year, month, day } = whole
    for (const part of parts) {
      const number = Number.parseInt(String(part), 10)
      if (Number.isNaN(number)) month = months.indexOf(String(part))
      else if (number < firstYear) day = number
      else year = number
    }
    if (month === -1) return undefined
    // The last day of a month is also the 31st: February ends when it ends (N72).
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    return (year * 12 + month) * firstYear + Math.min(day, length)
  }

  function dateRange(...all: unknown[]): boolean {
    if (all.length === 0) return false
    const [args, moment] = judge(all)
    if (args.length <= 1) return isToday(args[0], moment)
    const half = args.length >> 1
    const { year } = moment
    // Two days of the month are days of this month; everything else begins and ends with the year.
    const isMonthly =
      args.length === 2 && args.every((each) => Number.parseInt(String(each), 10) < firstYear)
    const [opens, closes] = isMonthly ? [moment.month, moment.month] : [0, 11]
    const start = dayNumber(args.slice(0, half), { year, month: opens, day: 1 })
    const end = dayNumber(args.slice(half), { year, month: closes, day: 31 })
    const today = dayNumber([], moment)
    if (start === undefined || end === undefined || today === undefined) return false
    return isBetween(start, today, end)
  }

  function secondOf(hour: unknown, minute: unknown, second: unknown): number {
    return (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
  }

  function timeRange(...all: unknown[]): boolean {
    if (all.length === 0) return false
    const [args, { hour, second }] = judge(all)
    const [a, b, c, d, e, f] = args
    switch (args.length) {
      case 1:
        return hour === Number(a)
      case 2:
        // All of the last hour is inside, and this form alone does not go round midnight (N73).
        return Number(a) <= hour && hour <= Number(b)
      case 4:
        return isBetween(secondOf(a, b, 0), second, secondOf(c, d, 59))
      case 6:
        return isBetween(secondOf(a, b, c), second, secondOf(d, e, f))
      default:
        throw new Error(`timeRange() takes 1, 2, 4 or 6 times: ${args.length}`)
    }
  }

  return { weekdayRange, dateRange, timeRange }
}
