import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cronSchedule,
  everySchedule,
  listSchedule,
  newest,
  shortestGap,
  within,
  type Schedule,
} from '../../src/triggers/schedule.ts'
import { momentIn } from '../../src/core/zone.ts'

const BRUSSELS = 'Europe/Brussels'

/** The next occurrences, as the clocks of UTC show them. */
function following(schedule: Schedule, after: string, count: number): string[] {
  const times: string[] = []
  let time: number | undefined = Date.parse(after)
  while (times.length < count && (time = schedule.next(time)) !== undefined)
    times.push(new Date(time).toISOString().replace(':00.000Z', 'Z'))
  return times
}

const cron = (pattern: string, after: string, count: number, zone = BRUSSELS) =>
  following(cronSchedule(pattern, zone), after, count)

test('a cron pattern goes by the clocks of its zone', () => {
  assert.deepEqual(cron('0 2 * * *', '2026-01-10T12:00:00Z', 2), ['2026-01-11T01:00Z', '2026-01-12T01:00Z'])
  assert.deepEqual(cron('0 2 * * *', '2026-07-10T12:00:00Z', 1), ['2026-07-11T00:00Z'])
  assert.deepEqual(cron('0 2 * * *', '2026-07-10T12:00:00Z', 1, 'UTC'), ['2026-07-11T02:00Z'])
  assert.deepEqual(cron('30 9 * * *', '2026-07-10T12:00:00Z', 1, 'Asia/Kolkata'), ['2026-07-11T04:00Z'])
  assert.deepEqual(cron('*/20 30 8 * * MON-FRI', '2026-01-09T08:00:00Z', 2), [
    '2026-01-12T07:30Z',
    '2026-01-12T07:30:20.000Z',
  ])
  assert.deepEqual(cron('0 12 L * *', '2026-02-01T00:00:00Z', 2, 'UTC'), [
    '2026-02-28T12:00Z',
    '2026-03-31T12:00Z',
  ])
  assert.deepEqual(cron('0 0 29 2 *', '2026-02-01T00:00:00Z', 2, 'UTC'), [
    '2028-02-29T00:00Z',
    '2032-02-29T00:00Z',
  ])
})

test('the next occurrence is after the moment asked for, never at it', () => {
  assert.deepEqual(cron('0 2 * * *', '2026-01-10T01:00:00Z', 1), ['2026-01-11T01:00Z'])
  assert.deepEqual(cron('0 2 * * *', '2026-01-10T00:59:59.999Z', 1), ['2026-01-10T01:00Z'])
  assert.deepEqual(cron('* * * * *', '2026-01-10T01:00:00Z', 1), ['2026-01-10T01:01Z'])
})

test('in spring a time that the clocks skip is due when they go on, once', () => {
  assert.deepEqual(cron('30 2 * * *', '2026-03-28T00:00:00Z', 3), [
    '2026-03-28T01:30Z',
    '2026-03-29T01:00Z',
    '2026-03-30T00:30Z',
  ])
  assert.deepEqual(cron('*/15 2 * * *', '2026-03-28T12:00:00Z', 3), [
    '2026-03-29T01:00Z',
    '2026-03-30T00:00Z',
    '2026-03-30T00:15Z',
  ])
  assert.deepEqual(cron('0,30 2,3 * * *', '2026-03-28T12:00:00Z', 3), [
    '2026-03-29T01:00Z',
    '2026-03-29T01:30Z',
    '2026-03-30T00:00Z',
  ])
  assert.deepEqual(cron('30 2 29 3 *', '2026-01-01T00:00:00Z', 2), ['2026-03-29T01:00Z', '2027-03-29T00:30Z'])
  assert.deepEqual(cron('15 2 * * *', '2026-10-03T00:00:00Z', 2, 'Australia/Lord_Howe'), [
    '2026-10-03T15:30Z',
    '2026-10-04T15:15Z',
  ])
})

test('in autumn a time that the clocks show twice is due once, the first time', () => {
  assert.deepEqual(cron('30 2 * * *', '2026-10-24T12:00:00Z', 2), ['2026-10-25T00:30Z', '2026-10-26T01:30Z'])
  assert.deepEqual(cron('*/30 2 * * *', '2026-10-24T12:00:00Z', 3), [
    '2026-10-25T00:00Z',
    '2026-10-25T00:30Z',
    '2026-10-26T01:00Z',
  ])
  assert.deepEqual(cron('0 3 * * *', '2026-10-24T12:00:00Z', 1), ['2026-10-25T02:00Z'])
  assert.deepEqual(cron('30 2 * * *', '2026-10-25T01:10:00Z', 1), ['2026-10-26T01:30Z'])
})

test('a pattern for every hour goes on evenly in both directions', () => {
  const evenly = (after: string) => cron('*/30 * * * *', after, 5).map((time) => time.slice(11, 16))
  assert.deepEqual(evenly('2026-03-29T00:15:00Z'), ['00:30', '01:00', '01:30', '02:00', '02:30'])
  assert.deepEqual(evenly('2026-10-24T23:45:00Z'), ['00:00', '00:30', '01:00', '01:30', '02:00'])
})

test('a pattern that is not valid says what is wrong with it', () => {
  const mistakes: [pattern: string, message: RegExp][] = [
    ['', /it has 0 fields; five are expected/],
    ['0 2 * *', /it has 4 fields/],
    ['0 0 2 * * * 2026', /it has 7 fields/],
    ['@daily', /it has 1 fields/],
    ['2026-01-01T00:00:00', /it has 1 fields/],
    ['61 * * * *', /^invalid value for minute: 61/],
    ['0 25 * * *', /^invalid value for hour: 25/],
    ['a * * * *', /illegal characters/],
    ['5-1 * * * *', /from value is larger/i],
    ['*/0 * * * *', /illegal stepping/],
    ['0 0 * * 8', /dayOfWeek: 8/],
  ]
  for (const [pattern, message] of mistakes)
    assert.throws(() => cronSchedule(pattern, 'UTC'), { message }, pattern)
})

test('a pattern that no date matches never fires', () => {
  assert.equal(cronSchedule('0 0 30 2 *', 'UTC').next(0), undefined)
})

test('a period counts from its first time', () => {
  const every = everySchedule(300_000, Date.parse('2026-01-01T00:01:00Z'))
  assert.deepEqual(following(every, '2025-12-31T00:00:00Z', 2), ['2026-01-01T00:01Z', '2026-01-01T00:06Z'])
  assert.deepEqual(following(every, '2026-01-01T00:06:00Z', 1), ['2026-01-01T00:11Z'])
  assert.deepEqual(following(every, '2026-01-01T00:07:00Z', 1), ['2026-01-01T00:11Z'])
})

test('a list is in order of time; a window includes both its ends', () => {
  const list = listSchedule(['2026-01-03', '2026-01-01', '2026-01-02', '2026-01-04'].map(Date.parse))
  assert.deepEqual(following(list, '2025-01-01T00:00:00Z', 9), [
    '2026-01-01T00:00Z',
    '2026-01-02T00:00Z',
    '2026-01-03T00:00Z',
    '2026-01-04T00:00Z',
  ])
  const window = within(list, Date.parse('2026-01-02'), Date.parse('2026-01-03'))
  assert.deepEqual(following(window, '2025-01-01T00:00:00Z', 9), ['2026-01-02T00:00Z', '2026-01-03T00:00Z'])
})

test('the newest occurrences of a long time are found without going through all of it', () => {
  const start = Date.parse('2000-01-01')
  const end = Date.parse('2026-01-01')
  const minutes = newest(cronSchedule('* * * * *', 'UTC'), start, end, 1000)
  assert.deepEqual([minutes.length, minutes[0], minutes.at(-1)], [1000, end - 999 * 60_000, end])
  const days = newest(cronSchedule('0 2 * * *', 'UTC'), start, end, 3).map((time) =>
    new Date(time).toISOString().slice(0, 13),
  )
  assert.deepEqual(days, ['2025-12-29T02', '2025-12-30T02', '2025-12-31T02'])
  assert.deepEqual(newest(everySchedule(60_000, end), end, end + 150_000, 10), [end + 60_000, end + 120_000])
  assert.deepEqual(newest(listSchedule([]), start, end, 10), [])
})

test('the shortest gap of a pattern is found', () => {
  assert.equal(shortestGap(cronSchedule('0,10 * * * *', 'UTC'), 0), 600_000)
  assert.equal(shortestGap(listSchedule([1]), 0), Infinity)
})

test('moments: with an offset, or on the clocks of the zone', () => {
  const read = (text: string) => new Date(momentIn(BRUSSELS, text)).toISOString().slice(0, 16)
  assert.equal(read('2026-12-01T02:00'), '2026-12-01T01:00')
  assert.equal(read('2026-12-01T02:00:30.5'), '2026-12-01T01:00')
  assert.equal(read('2026-12-01T02:00Z'), '2026-12-01T02:00')
  assert.equal(read('2026-12-01T02:00-05:00'), '2026-12-01T07:00')
  assert.equal(read('2026-03-29T02:30'), '2026-03-29T01:00')
  assert.equal(read('2026-10-25T02:30'), '2026-10-25T00:30')
})
