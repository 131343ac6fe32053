import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RefusalLog } from '../../src/access/refusal-log.ts'
import { ManualClock } from '../support/clock.ts'
import { TestLog } from '../support/credentials.ts'

describe('the log of refusals', () => {
  it('tells of others what it tells no more of one network, and how many it left out', async () => {
    const [log, clock] = [new TestLog(), new ManualClock()]
    const refusals = new RefusalLog(log, clock)
    for (let at = 0; at < 1000; at++) refusals.tell({ address: `2001:db8::${at}` }, 'a flood')
    refusals.tell({ address: '10.0.0.1' }, 'an honest caller')
    const warned = (text: string) =>
      log.lines.filter((line) => line.level === 'warn' && line.text.includes(text)).length
    assert.deepEqual([warned('a flood'), warned('an honest caller')], [60, 1])
    await clock.advance(60_000)
    refusals.tell({ address: '10.0.0.1' }, 'later')
    const told = log.lines.find(({ text }) => text.includes('more requests'))!
    assert.match(told.text, /^940 more requests were refused within a minute/)
    assert.deepEqual(told.fields, { more: 940, addresses: ['2001:db8:0:0'] })
  })

  it('has an end for all together', () => {
    const log = new TestLog()
    const refusals = new RefusalLog(log, new ManualClock())
    for (let at = 0; at < 2000; at++) refusals.tell({ address: `10.0.${at >> 8}.${at & 255}` }, 'a flood')
    assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 600)
  })
})
