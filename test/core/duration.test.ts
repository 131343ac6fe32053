import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDuration, printDuration, sayDuration } from '../../src/core/duration.ts'

describe('durations as they are written', () => {
  const cases: [string, number | undefined][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['0s', 0],
    ['', undefined],
    ['30', undefined],
    ['30m1h', undefined],
    ['1.5h', undefined],
    ['-1s', undefined],
    ['1w', undefined],
    ['1 h', undefined],
    ['99999999999999999999d', undefined],
  ]
  for (const [text, ms] of cases) it(`"${text}" is ${ms}`, () => assert.equal(parseDuration(text), ms))

  for (const text of ['0s', '1ms', '90d', '1h30m', '1d2h3m4s5ms'])
    it(`"${text}" is printed as it was parsed`, () => assert.equal(printDuration(parseDuration(text)!), text))
  it('are printed in the largest units', () => assert.equal(printDuration(86_461_000), '1d1m1s'))
})

describe('durations as they are said', () => {
  const cases: [number, string][] = [
    [-1, '0 ms'],
    [0, '0 ms'],
    [0.1, '0.10 ms'],
    [0.996, '1.0 ms'],
    [5, '5.0 ms'],
    [9.96, '10 ms'],
    [31.4, '31 ms'],
    [999.6, '1 s'],
    [2500, '2.5 s'],
    [60_000, '60 s'],
    [90_000, '90 s'],
    [119_700, '2 min'],
    [125_000, '2 min 5 s'],
    [1_740_000, '29 min'],
    [7_199_900, '2 h'],
    [8_100_000, '2 h 15 min'],
    [82_800_000, '23 h'],
    [172_800_000 - 1, '2 days'],
    [5_011_271_000, '58 days'],
    [180_000_000, '2 days 2 h'],
  ]
  for (const [ms, text] of cases) it(`${ms} ms is "${text}"`, () => assert.equal(sayDuration(ms), text))
})
