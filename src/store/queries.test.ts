import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrate } from './migrations.ts'
import { fileQueries, filesOfKinds, jobQueries, jobsInStates, secretQueries } from './queries.ts'

const database = new DatabaseSync(':memory:')
migrate(database)

const prefixed = Object.fromEntries(
  Object.entries(secretQueries).map(([name, sql]) => [`secrets: ${name}`, sql]),
)

const merged = {
  'jobs in one state': jobsInStates(1, false),
  'jobs in seven states': jobsInStates(7, false),
  "one owner's jobs in seven states": jobsInStates(7, true),
  'files of one kind': filesOfKinds(1),
  'files of two kinds': filesOfKinds(2),
}

/** What SQLite would do: one line a loop, and one for each time it would sort. */
function plan(sql: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => String(detail))
}

/** Loops over everything in a table, which grow with the queue. The other scans are over what a limit cut short. */
const SCANS_A_TABLE =
  /^SCAN (?:jobs|files|secrets)\b(?! USING INDEX (?:jobs_pending|secrets_clear))/u

for (const [name, sql] of Object.entries({
  ...jobQueries,
  ...fileQueries,
  ...prefixed,
  ...merged,
})) {
  test(`the query for ${name} is not planned anew with each limit`, () => {
    assert.doesNotMatch(sql, /LIMIT \?\d+(?! \+ 0)/u)
  })

  test(`the query for ${name} reads no more than it gives`, () => {
    const steps = plan(sql)
    assert.deepEqual(
      steps.filter((step) => SCANS_A_TABLE.test(step) || step.startsWith('USE TEMP B-TREE')),
      [],
      steps.join('; '),
    )
  })
}
