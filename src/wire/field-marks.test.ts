import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { FieldMarker, type FieldMarks } from './field-marks.ts'

/** Few places, so that sections are often like the ones before. */
const field = fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1))
const sections = fc.array(fc.array(field, { maxLength: 3 }), { maxLength: 8 })

test('FieldMarker gives what was noted of each section, and takes nothing of it back later', () => {
  fc.assert(
    fc.property(sections, (sections) => {
      const marker = new FieldMarker()
      const given = sections.map((fields): FieldMarks => {
        for (const place of fields.flat()) marker.note(place)
        assert.equal(marker.begun, fields.length)
        return marker.give()
      })
      assert.deepEqual(
        given,
        sections.map((fields) => fields.flat()),
      )
    }),
  )
})

test('FieldMarker counts a field from its first mark on', () => {
  const marker = new FieldMarker()
  assert.equal(marker.begun, 0)
  for (const place of [0, 1, 2]) {
    marker.note(place)
    assert.equal(marker.begun, 1)
  }
  marker.note(3)
  assert.equal(marker.begun, 2)
})
