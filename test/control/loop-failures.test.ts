import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'
import type { Run } from '../../src/core/kinds.ts'
import { Loop, type LoopSetting } from '../../src/steps/loop.ts'
import { preparedFlow, request, step, testEngine } from '../support/engine.ts'

/** A flow of one loop over these pages, in an engine with a manual clock. */
async function loop(
  pages: AsyncIterator<readonly unknown[], void, void> | readonly unknown[],
  steps: Run,
  setting: Partial<LoopSetting> = {},
) {
  const { engine, clock, log } = testEngine()
  let result: unknown
  engine.deploy(
    preparedFlow([
      step(async (message, context) => {
        const whole: LoopSetting = {
          steps,
          key: undefined,
          collect: undefined,
          concurrency: 1,
          goesOn: false,
          bodyLimit: 1000,
          clock,
          ...setting,
        }
        result = await new Loop(whole, message, context, pages).run()
      }),
    ]),
  )
  const { status, failure } = (await engine.process('test', request()))!
  return { status, failure, result, log }
}

async function* pagesOf(count: number, size: number, seen: { pages: number; returned: boolean }) {
  try {
    for (let page = 0; page < count; page++) {
      seen.pages++
      yield Array.from({ length: size }, (_, i) => page * size + i)
    }
  } finally {
    seen.returned = true
  }
}

test('pages are fetched as their items are taken', async () => {
  const seen = { pages: 0, returned: false }
  const ahead: number[] = []
  const { result } = await loop(pagesOf(10, 5, seen), (message) => {
    const item = message.body.value() as number
    ahead.push(seen.pages - Math.floor(item / 5))
  })
  assert.deepEqual(result, { count: 50, failed: 0 })
  assert.deepEqual([...new Set(ahead)], [1])
})

test('a failure lets go of the pages that were not fetched', async () => {
  const seen = { pages: 0, returned: false }
  const { failure } = await loop(pagesOf(10, 5, seen), (message) => {
    if (message.body.value() === 7) throw new Failure('test.no', 'no')
  })
  assert.deepEqual(failure!.item, { index: 7 })
  assert.equal(seen.pages, 2)
  assert.equal(seen.returned, true)
})

test('a page that cannot be fetched fails the step after the items before it', async () => {
  const done: unknown[] = []
  async function* broken() {
    yield [1, 2]
    throw new Failure('receiver.status', 'page 2 failed')
  }
  const { failure } = await loop(broken(), (message) => void done.push(message.body.value()), {
    goesOn: true,
    concurrency: 4,
  })
  assert.equal(failure!.message, 'page 2 failed')
  assert.deepEqual(done, [1, 2])
})

test('failures of items are told one by one up to 100, then their number', async () => {
  const { log, result, status } = await loop(
    Array.from({ length: 130 }, (_, i) => i),
    () => {
      throw new Failure('test.no', 'no', { hint: 'Do something.' })
    },
    { goesOn: true },
  )
  assert.equal(status, 'COMPLETED')
  assert.deepEqual(result, { count: 130, failed: 130 })
  assert.equal(log.lines.length, 101)
  assert.deepEqual(log.lines[0], {
    run: log.lines[0]!.run,
    step: 'step-0',
    level: 'error',
    text: 'item 0 failed: no',
    fields: { code: 'test.no', hint: 'Do something.' },
  })
  assert.equal(log.lines[100]!.text, '30 more items failed')
})

test('with many at once the same items are told and counted once', async () => {
  let running = 0
  let most = 0
  const { result } = await loop(
    Array.from({ length: 1000 }, (_, i) => i),
    async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    },
    { concurrency: 32 },
  )
  assert.deepEqual(result, { count: 1000, failed: 0 })
  assert.equal(most, 32)
})

test('memory for timings of a long loop is bounded, and what is left out is counted', async () => {
  const { engine, log } = testEngine()
  const inner = step(() => {})(1)
  const { runSteps } = await import('../../src/engine/run.ts')
  engine.deploy(
    preparedFlow([
      step((message, context) => {
        for (let i = 0; i < 20_000; i++) void runSteps([inner], message, context as never)
      }),
    ]),
  )
  await engine.process('test', request(Body.empty()))
  const { timings, omittedSteps } = log.only
  assert.ok(timings.length <= 32_000)
  assert.equal(timings.length / 4 + omittedSteps, 20_001)
})
