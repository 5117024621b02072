import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPairedRatio, pairedRatio } from '../bench/paired.ts'

const others = Array.from({ length: 40 }, (_, index) => 1 + (index % 7) / 10)

test('pairedRatio() of pairs that all differ alike is that, and sure', () => {
  const ones = others.map((other) => other * 1.25)
  const found = pairedRatio(ones, others)
  assert.equal(formatPairedRatio(found), '1.250 (1.250 to 1.250)')
})

test('pairedRatio() is not moved by a run that was disturbed', () => {
  const ones = others.map((other, index) => other * (index === 3 ? 50 : 1 + (index % 3) / 100))
  const { ratio, low, high } = pairedRatio(ones, others)
  assert(ratio > 1 && ratio < 1.02, String(ratio))
  assert(low >= 1 && low <= ratio && ratio <= high && high < 1.02)
})

test('pairedRatio() the other way around is the reciprocal', () => {
  const ones = others.map((other, index) => other * (0.9 + (index % 5) / 20))
  const [there, back] = [pairedRatio(ones, others), pairedRatio(others, ones)]
  assert(Math.abs(there.ratio * back.ratio - 1) < 1e-9)
  assert(Math.abs(there.low * back.high - 1) < 1e-9)
})
