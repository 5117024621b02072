/**
 * What the record of a job leaves out because nearly every job has it so. A record is read whenever its job is shown,
 * and most of a queue waits as it was made: without what is usual its texts are a fifth as long.
 */

/** Part of the schema: a value that changes here changes what is already in queues, unless a migration writes it out. */
export const usual = {
  type: 'download',
  description: '',
  patience: {
    minimumRetryDelayS: 600,
    noProgressTimeoutS: 1_209_600,
    maximumDownloadTimeS: 7_776_000,
    stallTimeoutMs: 30_000,
  },
  transfer: {
    redirects: { follow: 'silent', allowHttpsToHttp: false },
    overwrite: false,
    contentDisposition: false,
  },
  completesItself: false,
  tally: { filesTotal: 1, filesTransferred: 0, filesSized: 0, bytesSized: 0, bytesTransferred: 0 },
  errorCount: 0,
  attempts: 0,
  noProgressMs: 0,
  bytesBest: 0,
  touched: false,
  activeMs: 0,
  facts: {},
} as const

/** The fields of one object: of a record, or of an object in it. */
type Named = Readonly<Record<string, unknown>>

/** What is left of an object once every field is gone that is as usual, in objects within it too. */
export function withoutUsual(value: Named, known: Named = usual): Named {
  const left: Record<string, unknown> = {}
  for (const [name, own] of Object.entries(value)) {
    const expected = known[name]
    if (own === expected) continue
    if (!isNamed(own) || !isNamed(expected)) {
      left[name] = own
      continue
    }
    const rest = withoutUsual(own, expected)
    if (Object.keys(rest).length > 0) left[name] = rest
  }
  return left
}

function isNamed(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
