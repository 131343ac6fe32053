import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waiting } from '../../src/commands/waiting.ts'

test('after a second a person at a terminal is told what goes on; elsewhere nobody is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const terminal of [true, false]) {
    let said = ''
    const work = Promise.withResolvers<number>()
    const waited = waiting({ terminal, stderr: (text) => (said += text) }, 'reading', work.promise)
    t.mock.timers.tick(999)
    assert.equal(said, '')
    t.mock.timers.tick(1)
    assert.equal(said, terminal ? 'reading …\n' : '')
    work.resolve(5)
    assert.equal(await waited, 5)
  }
})

test('what takes no second is not told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await assert.rejects(
    waiting({ terminal: true, stderr: assert.fail }, 'reading', Promise.reject(new Error('no'))),
    /no/,
  )
  t.mock.timers.tick(5000)
})
