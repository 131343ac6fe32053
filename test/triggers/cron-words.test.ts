import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cronInWords } from '../../src/triggers/cron-words.ts'

const WORDS: readonly (readonly [pattern: string, words: string | undefined])[] = [
  ['0 2 * * *', 'every day at 02:00'],
  ['30 6,18 * * *', 'every day at 06:30 and 18:30'],
  ['0 2 * * MON-FRI', 'every Monday to Friday at 02:00'],
  ['0 2 * * 7', 'every Sunday at 02:00'],
  ['0 2 * * sat,sun', 'every Saturday and Sunday at 02:00'],
  ['0 2 1,15 * *', 'on day 1 and 15 of the month at 02:00'],
  ['0 2 1 * MON', 'on day 1 of the month and every Monday at 02:00'],
  ['0 2 L * *', 'on the last day of the month at 02:00'],
  ['0 2 * * MON#1', 'on the first Monday of the month at 02:00'],
  ['0 2 * * FRI#L', 'on the last Friday of the month at 02:00'],
  ['0 0 1 1 *', 'on day 1 of the month at 00:00, in January'],
  ['0 0 * JUN-AUG *', 'every day at 00:00, in June to August'],
  ['* * * * *', 'every minute'],
  ['*/15 * * * *', 'every 15 minutes'],
  ['*/15 8-18 * * MON-FRI', 'every 15 minutes, from 08:00 to 18:59, every Monday to Friday'],
  ['0 * * * *', 'every hour, on the hour'],
  ['5 * * * *', 'every hour, at minute 5'],
  ['5,35 * * * *', 'every hour, at the minutes 5 and 35'],
  ['0 */2 * * *', 'every 2 hours from 00:00 on, on the hour'],
  ['30 8-18 * * *', 'every hour, at minute 30, from 08:00 to 18:59'],
  ['*/7 1,3 * * *', 'every 7 minutes, in the hours 1 and 3'],
  ['30 0 2 * * *', 'every day at 02:00:30'],
  ['*/10 * * * * *', 'every 10 seconds'],
  ['0 0 2 * * *', 'every day at 02:00'],
  ['0 2 15W * *', undefined],
  ['0 2 * * 9', undefined],
  ['0 25 * * *', undefined],
  ['0 25 *', undefined],
  ['', undefined],
  ['a b c d e', undefined],
]

for (const [pattern, words] of WORDS)
  test(`${pattern || 'nothing'}: ${words ?? 'not in words'}`, () => assert.equal(cronInWords(pattern), words))
