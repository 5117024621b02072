import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  assert as check,
  boolean,
  constantFrom,
  nat,
  oneof,
  option,
  property,
  record,
  string,
} from 'fast-check'

import { formatHttpDate } from './http-date.ts'
import {
  compareVersions,
  differsOnlyInTag,
  formatEntityTag,
  ifRange,
  parseEntityTag,
  policyAfter,
  readVersion,
  strongMatch,
  TAG_RESTARTS,
  weakMatch,
} from './validator.ts'
import type { EntityTag, Version } from './validator.ts'

const modified = 'Tue, 15 Nov 1994 12:45:26 GMT'
const oneSecondLater = 'Tue, 15 Nov 1994 12:45:27 GMT'
const later = 'Wed, 16 Nov 1994 08:00:00 GMT'
const untrusted = { trustEtag: false }

/** RFC 9110 §8.8.3: the examples of entity tags, and others at the edges of the grammar. */
const entityTags: readonly (readonly [string, EntityTag | undefined, string])[] = [
  ['"xyzzy"', { tag: 'xyzzy', weak: false }, 'RFC 9110 §8.8.3'],
  ['W/"xyzzy"', { tag: 'xyzzy', weak: true }, 'RFC 9110 §8.8.3'],
  ['""', { tag: '', weak: false }, 'RFC 9110 §8.8.3'],
  ['"a\\b"', { tag: 'a\\b', weak: false }, 'a backslash escapes nothing, RFC 9110 §8.8.3'],
  ['"\u00e9!,;"', { tag: '\u00e9!,;', weak: false }, 'obs-text and delimiters'],
  ['w/"xyzzy"', undefined, 'W is case-sensitive'],
  ['W/xyzzy', undefined, 'no quotes'],
  ['xyzzy', undefined, 'no quotes'],
  ['"xyzzy', undefined, 'one quote'],
  ['"xy"zzy"', undefined, 'a quote inside'],
  ['"xy zzy"', undefined, 'a space'],
  ['"xy\tzzy"', undefined, 'a tab'],
  ['"xy\u007fzzy"', undefined, 'a control character'],
  ['"\u20ac"', undefined, 'no byte'],
  ['"a", "b"', undefined, 'two tags'],
  ['', undefined, 'nothing'],
]

for (const [value, tag, reason] of entityTags) {
  test(`parseEntityTag() of ${JSON.stringify(value)}: ${reason}`, () => {
    assert.deepEqual(parseEntityTag(value), tag)
  })
}

const entityTag = record(
  {
    tag: string({ unit: constantFrom('!', '#', 'a', '\\', '~', '\u0080', '\u00ff') }),
    weak: boolean(),
  },
  { noNullPrototype: true },
)

test('parseEntityTag() undoes formatEntityTag()', () => {
  check(
    property(entityTag, (tag) => {
      assert.deepEqual(parseEntityTag(formatEntityTag(tag)), tag)
    }),
  )
})

test('formatEntityTag() refuses what could leave its quotes', () => {
  for (const tag of ['a"b', 'a b', 'a\r\nb', '\u20ac']) {
    assert.throws(() => formatEntityTag({ tag, weak: false }), RangeError)
  }
})

/** RFC 9110 §8.8.3.2, Table 3. */
const comparisons = [
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', '"1"', true, true],
] as const

for (const [first, second, strong, weak] of comparisons) {
  test(`strongMatch() and weakMatch() of ${first} and ${second} as in RFC 9110 §8.8.3.2`, () => {
    const [a, b] = [parseEntityTag(first), parseEntityTag(second)]
    assert.ok(a && b)
    assert.deepEqual([strongMatch(a, b), strongMatch(b, a)], [strong, strong])
    assert.deepEqual([weakMatch(a, b), weakMatch(b, a)], [weak, weak])
  })
}

test('readVersion() keeps the fields as they were received', () => {
  assert.deepEqual(readVersion({ etag: 'W/"1"', lastModified: modified, date: later, total: 10 }), {
    etag: 'W/"1"',
    lastModified: modified,
    date: later,
    size: 10,
  })
})

test('readVersion() leaves out what is absent, empty, too long or no length', () => {
  assert.deepEqual(readVersion({}), {})
  assert.deepEqual(readVersion({ etag: '', lastModified: undefined, total: -1 }), {})
  assert.deepEqual(readVersion({ etag: `"${'a'.repeat(1023)}"`, total: 2 ** 53 }), {})
  assert.deepEqual(readVersion({ lastModified: 'x'.repeat(65), date: 'x'.repeat(65) }), {})
  assert.equal(readVersion({ etag: `"${'a'.repeat(1022)}"`, total: 0 }).etag?.length, 1024)
  assert.equal(readVersion({ total: 0 }).size, 0)
})

const conditions: readonly (readonly [Version, string | undefined, string])[] = [
  [{ etag: '"1"' }, '"1"', 'a strong tag'],
  [{ etag: '"1"', lastModified: modified, date: later }, '"1"', 'the tag before the date'],
  [{ etag: 'W/"1"' }, undefined, 'a weak tag never, RFC 9110 §13.1.5'],
  [{ etag: 'W/"1"', lastModified: modified, date: later }, modified, 'the date in its place'],
  [{ etag: 'unquoted' }, undefined, 'no entity tag'],
  [{ etag: 'unquoted', lastModified: modified, date: later }, modified, 'no entity tag, a date'],
  [{ lastModified: modified, date: oneSecondLater }, modified, 'one second, RFC 9110 §8.8.2.2'],
  [{ lastModified: modified, date: modified }, undefined, 'within the same second'],
  [{ lastModified: later, date: modified }, undefined, 'later than its answer'],
  [{ lastModified: modified }, undefined, 'no Date'],
  [{ date: later }, undefined, 'no Last-Modified'],
  [{ lastModified: 'yesterday', date: later }, undefined, 'no date'],
  [
    { lastModified: 'Tue Nov 15 12:45:26 1994', date: later },
    modified,
    'written as a sender must, RFC 9110 §5.6.7',
  ],
  [{ size: 10 }, undefined, 'a size is no validator'],
  [{}, undefined, 'nothing is known'],
]

for (const [version, expected, reason] of conditions) {
  test(`ifRange() of ${JSON.stringify(version)}: ${reason}`, () => {
    assert.equal(ifRange(version), expected)
  })
}

test('ifRange() leaves out a tag that is not trusted', () => {
  const version = { etag: '"1"', lastModified: modified, date: later }
  assert.equal(ifRange(version, untrusted), modified)
  assert.equal(ifRange({ etag: '"1"' }, untrusted), undefined)
})

const dated: Version = { lastModified: modified, date: oneSecondLater }
const full: Version = { ...dated, etag: '"1"', size: 10 }

const compared: readonly (readonly [Version, Version, string, string, string])[] = [
  // stored, received, when the tag is trusted, when it is not
  [full, full, 'same', 'same', 'everything agrees'],
  [full, { ...full, size: 11 }, 'changed', 'changed', 'another size, whatever the tag says'],
  [full, { ...full, lastModified: later }, 'changed', 'changed', 'another time'],
  [full, { ...full, etag: '"2"' }, 'changed', 'same', 'only the tag differs'],
  [full, { ...full, etag: 'W/"2"' }, 'changed', 'same', 'a weak tag that differs'],
  [full, { ...full, etag: 'W/"1"' }, 'same', 'same', 'a tag turned weak; the date proves'],
  [full, { etag: '"1"' }, 'same', 'unproven', 'a 206 to If-Range, RFC 9110 §15.3.7'],
  [full, { lastModified: modified, size: 10 }, 'same', 'same', 'the tag is gone; the date proves'],
  [full, { lastModified: modified }, 'same', 'unproven', 'tag and size are gone'],
  [full, { size: 10 }, 'unproven', 'unproven', 'a size proves nothing'],
  [full, {}, 'unproven', 'unproven', 'all validators are gone'],
  [{}, full, 'unproven', 'unproven', 'there were none'],
  [{}, {}, 'unproven', 'unproven', 'there are none'],
  [{ etag: '"1"' }, { etag: '"1"' }, 'same', 'unproven', 'a strong tag alone'],
  [
    { etag: 'W/"1"' },
    { etag: 'W/"1"' },
    'unproven',
    'unproven',
    'an equal weak tag proves nothing',
  ],
  [{ etag: '"1"' }, { etag: 'W/"1"' }, 'unproven', 'unproven', 'a tag turned weak'],
  [{ etag: 'W/"1"' }, { etag: 'W/"2"' }, 'changed', 'unproven', 'a weak tag that differs'],
  [{ etag: 'a' }, { etag: 'a' }, 'unproven', 'unproven', 'an equal value that is no tag'],
  [{ etag: 'a' }, { etag: 'b' }, 'changed', 'unproven', 'a value that is no tag differs'],
  [{ etag: 'a' }, { etag: '"a"' }, 'changed', 'unproven', 'a value that was no tag became one'],
  [dated, { lastModified: modified }, 'same', 'unproven', 'a strong date alone'],
  [
    { lastModified: modified, date: modified },
    { lastModified: modified, date: later },
    'unproven',
    'unproven',
    'what was stored in the second of its change may be the older of two',
  ],
  [
    dated,
    { lastModified: 'Tue Nov 15 12:45:26 1994' },
    'same',
    'unproven',
    'the same time in another form',
  ],
  [
    { lastModified: '0', date: later },
    { lastModified: '0', date: later },
    'unproven',
    'unproven',
    'an equal value that is no date',
  ],
  [{ lastModified: '0' }, { lastModified: '1' }, 'changed', 'changed', 'no dates, but different'],
]

for (const [stored, received, trusted, distrusted, reason] of compared) {
  test(`compareVersions() of ${JSON.stringify(stored)} and ${JSON.stringify(received)}: ${reason}`, () => {
    assert.equal(compareVersions(stored, received), trusted)
    assert.equal(compareVersions(stored, received, untrusted), distrusted)
  })
}

const onlyTag: readonly (readonly [Version, Version, boolean, string])[] = [
  [full, { ...full, etag: '"2"' }, true, 'another node answered'],
  [full, { ...full, etag: 'W/"2"' }, true, 'a weak tag does it too'],
  [full, full, false, 'nothing differs'],
  [full, { ...full, etag: '"2"', size: 11 }, false, 'the size differs too'],
  [full, { ...full, etag: '"2"', lastModified: later }, false, 'the time differs too'],
  [full, { etag: '"2"', size: 10 }, false, 'no time to compare'],
  [full, { etag: '"2"', lastModified: modified }, false, 'no size to compare'],
  [
    { ...full, date: modified },
    { ...full, etag: '"2"' },
    false,
    'a time that is not strong cannot stand in for the tag',
  ],
]

for (const [stored, received, expected, reason] of onlyTag) {
  test(`differsOnlyInTag() is ${expected}: ${reason}`, () => {
    assert.equal(differsOnlyInTag(stored, received), expected)
  })
}

test('policyAfter() stops trusting the tag after the restarts it names', () => {
  assert.deepEqual(
    [0, TAG_RESTARTS - 1, TAG_RESTARTS, TAG_RESTARTS + 1].map((count) => policyAfter(count)),
    [true, true, false, false].map((trustEtag) => ({ trustEtag })),
  )
})

test('policyAfter() brings a file to its end however many tags its servers give it', () => {
  let [stored, restarts] = [full, 0]
  for (let answer = 2; answer < 20; answer++) {
    const received = { ...full, etag: `"${answer}"` }
    const comparison = compareVersions(stored, received, policyAfter(restarts))
    if (comparison === 'changed') {
      assert.ok(differsOnlyInTag(stored, received))
      restarts += 1
      stored = received
    }
  }
  assert.equal(restarts, TAG_RESTARTS)
})

const field = option(constantFrom('"1"', '"2"', 'W/"1"', 'W/"2"', 'x'), { nil: undefined })
const time = option(
  oneof(
    nat(3).map((second) => formatHttpDate(second * 1000)),
    constantFrom('x'),
  ),
  { nil: undefined },
)
const version = record({
  etag: field,
  lastModified: time,
  date: time,
  total: option(nat(2), { nil: undefined }),
}).map(readVersion)
const policy = record({ trustEtag: boolean() })

test('compareVersions() finds the same changes whichever side is stored', () => {
  check(
    property(version, version, policy, (a, b, policy) => {
      const there = compareVersions(a, b, policy) === 'changed'
      assert.equal(there, compareVersions(b, a, policy) === 'changed')
    }),
    { numRuns: 2000 },
  )
})

test('compareVersions() never finds a version changed against itself', () => {
  check(
    property(version, policy, (a, policy) => {
      assert.notEqual(compareVersions(a, a, policy), 'changed')
    }),
  )
})

test('compareVersions() proves a version that If-Range can ask for and whose size is known', () => {
  check(
    property(version, policy, (a, policy) => {
      const proven = ifRange(a, policy) !== undefined
      if (proven && a.size !== undefined) assert.equal(compareVersions(a, a, policy), 'same')
      if (!proven) assert.equal(compareVersions(a, a, policy), 'unproven')
    }),
  )
})

test('ifRange() never sends a weak tag, nor anything but a tag or a date', () => {
  check(
    property(
      string({ unit: 'binary-ascii' }),
      time,
      time,
      policy,
      (etag, lastModified, date, policy) => {
        const value = ifRange(readVersion({ etag, lastModified, date }), policy)
        if (value === undefined || value === lastModified) return
        assert.equal(value, etag)
        assert.equal(parseEntityTag(value)?.weak, false)
      },
    ),
  )
})
