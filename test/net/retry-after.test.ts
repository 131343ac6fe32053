import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRetryAfter } from '../../src/net/retry-after.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

for (const [value, expected] of [
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5000],
  ['1.5', 1500],
  ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Saturday, 21-Nov-26 12:01:00 GMT', 60_000],
  ['Sat Nov 21 12:00:10 2026', 10_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  [undefined, undefined],
  ['', undefined],
  ['-5', undefined],
  ['soon', undefined],
  ['2026', 2_026_000],
  ['2026-11-21', undefined],
  ['99999999999', undefined],
] as const)
  test(`Retry-After: ${value}`, () => assert.equal(parseRetryAfter(value, NOW), expected))
