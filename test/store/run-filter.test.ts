import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { chooses, globPattern, selects, type RunSelection } from '../../src/core/run-filter.ts'
import type { RunRecord } from '../../src/core/stores.ts'
import type { RunFilter } from '../../src/store/run-conditions.ts'
import { reader, runRecord, stores, NOW } from './support.ts'

async function written(t: TestContext, runs: readonly RunRecord[]) {
  const { messageLog, folder } = await stores(t)
  for (const run of runs) messageLog.close(run)
  await messageLog.flush()
  return { messageLog, log: reader(t, folder) }
}

const RUNS: readonly RunRecord[] = [
  runRecord({
    flow: 'orders/new',
    credentials: ['shop', 'lms'],
    hosts: ['a.example.com', 'b.example.com:8443'],
  }),
  runRecord({
    flow: 'orders/old',
    status: 'FAILED',
    failure: { code: 'receiver.status', message: 'it answered 503' },
    hosts: ['a.example.com'],
    searchable: { 'X-Order': '77', 'x-shop': 'a' },
  }),
  runRecord({
    flow: 'items',
    status: 'FAILED',
    failure: { code: 'receiver.timeout', message: 'no answer' },
    correlationId: 'c-1',
    credentials: ['lms'],
    searchable: { 'x-order': '77' },
  }),
  runRecord({
    flow: 'items[1]',
    status: 'CANCELLED',
    failure: { code: 'flow.cancelled', message: 'it was called off' },
  }),
  runRecord({ flow: 'orders', status: 'PROCESSING' }),
]

const CASES: readonly (readonly [RunSelection, readonly number[]])[] = [
  [{}, [0, 1, 2, 3, 4]],
  [{ flows: ['orders/*'] }, [0, 1]],
  [{ flows: ['*s', 'items[1]'] }, [2, 3, 4]],
  [{ flows: ['item?'] }, []],
  [{ statuses: ['FAILED', 'CANCELLED'] }, [1, 2, 3]],
  [{ statuses: ['COMPLETED', 'FAILED'] }, [0, 1, 2]],
  [{ statuses: ['PROCESSING'] }, [4]],
  [{ codes: ['receiver.*'] }, [1, 2]],
  [{ codes: ['flow.cancelled', 'receiver.timeout'] }, [2, 3]],
  [{ codes: ['receiver'] }, []],
  [{ codes: ['receiver.*'], statuses: ['COMPLETED'] }, []],
  [{ credentials: ['lms'] }, [0, 2]],
  [{ credentials: ['lm', 'shop'] }, [0]],
  [{ hosts: ['A.example.com'] }, [0, 1]],
  [{ hosts: ['b.example.com'] }, [0]],
  [{ hosts: ['b.example.com:8443'] }, [0]],
  [{ hosts: ['example.com'] }, []],
  [{ correlationId: 'c-1' }, [2]],
  [{ correlationId: RUNS[0]!.id }, [0]],
  [{ headers: [['X-ORDER', '77']] }, [1, 2]],
  [
    {
      headers: [
        ['x-order', '77'],
        ['x-shop', 'a'],
      ],
    },
    [1],
  ],
  [{ headers: [['x-order', '77']], correlationId: 'c-1', flows: ['items'], statuses: ['FAILED'] }, [2]],
  [{ headers: [['x-order', '77']], flows: ['orders*'] }, [1]],
]

test('the log and what is followed agree on which runs fit', async (t) => {
  const { log } = await written(t, RUNS)
  for (const [selection, expected] of CASES) {
    const name = JSON.stringify(selection)
    const found = log
      .runs({ ...selection, limit: 100 })
      .map(({ id }) => RUNS.findIndex((run) => run.id === id))
    assert.deepEqual(found.toSorted(), expected, `in the log: ${name}`)
    const fits = selects(selection)
    const fitting = RUNS.flatMap((run, i) => (fits({ ...run, searchable: run.searchable ?? {} }) ? [i] : []))
    assert.deepEqual(fitting, expected, `followed: ${name}`)
  }
})

test('a failure that redaction has broken as JSON has no code and breaks no search', async (t) => {
  const { log, messageLog } = await written(t, [])
  const failure = { code: 'x', message: 'm', toJSON: () => undefined } as never
  messageLog.close(runRecord({ status: 'FAILED', failure }))
  await messageLog.flush()
  assert.equal(log.runs({ codes: ['x'], limit: 1 }).length, 0)
  assert.equal(log.runs({ codes: ['*'], text: 'null', limit: 1 }).length, 0)
})

test('with a text its lines and failures are followed, with an outcome no lines', () => {
  const run = { ...RUNS[1]!, searchable: {} }
  const head = { id: run.id, flow: run.flow, correlationId: 'c-9' }
  const text = chooses({ text: 'Answered' })
  assert.deepEqual([text.run(run), text.run({ ...run, failure: undefined })], [true, false])
  assert.deepEqual([text.line('IT ANSWERED', undefined), text.line('else', head)], [true, false])
  assert.equal(chooses({ statuses: ['FAILED'] }).line('x', head), false)
  assert.equal(chooses({ hosts: ['a.example.com'] }).line('x', head), false)
  const flow = chooses({ flows: ['orders/*'] })
  assert.deepEqual([flow.line('x', head), flow.line('x', undefined)], [true, false])
  assert.equal(chooses({ correlationId: 'c-9' }).line('x', head), true)
  assert.equal(chooses({ correlationId: 'c-8' }).line('x', head), false)
})

test('slice by slice, no run is missed and none comes twice', { timeout: 60_000 }, async (t) => {
  const count = 11_000
  const runs = Array.from({ length: count }, (_, i) =>
    runRecord({
      startedAt: NOW + Math.floor(i / 7),
      flow: i % 2 === 0 ? 'even' : 'odd',
      ...(i % 1000 === 0 ? { failure: { code: 'rare', message: 'rare' }, status: 'FAILED' as const } : {}),
    }),
  )
  const { log, messageLog } = await written(t, runs)
  const rare: RunFilter = { text: 'rare', limit: 100 }
  const slices = [...log.search(rare)]
  assert.equal(slices.length, 3)
  assert.deepEqual(
    slices.map(({ looked }) => looked),
    [5000, 5000, 0],
  )
  const newestFirst = runs.toReversed().map(({ id }) => id)
  assert.deepEqual(
    slices.flatMap(({ found }) => found.map(({ id }) => id)),
    newestFirst.filter((_, i) => (count - 1 - i) % 1000 === 0),
  )
  const odd = { text: 'r', flows: ['odd'], limit: 100 }
  assert.equal(log.runs(odd).length, 0)
  assert.equal([...log.search({ ...rare, limit: 1 })].length, 1)
  assert.deepEqual(
    log.runs({ limit: count }).map(({ id }) => id),
    newestFirst,
  )
  const page = log.runs({ limit: 4, before: newestFirst[5000]! }).map(({ id }) => id)
  assert.deepEqual(page, newestFirst.slice(5001, 5005))
  const bounded = log.runs({ limit: count, since: NOW + 10, until: NOW + 20, before: newestFirst[0]! })
  assert.equal(bounded.length, 70)
  assert.equal(log.runs({ limit: 1, before: 'nobody' }).length, 0)
  assert.equal(messageLog.lost, 0)
})

test('a star stands for any text; however many there are, a pattern is judged at once', () => {
  const fits = (glob: string, texts: string) => {
    const pattern = globPattern(glob)
    return texts.split(' ').map((text) => pattern.test(text))
  }
  assert.deepEqual(fits('a*', 'a ab ba'), [true, true, false])
  assert.deepEqual(fits('*b', 'b ab ba'), [true, true, false])
  assert.deepEqual(fits('a*a', 'a aa aba ab'), [false, true, true, false])
  assert.deepEqual(fits('*a*b*', 'ab xaybz ba b'), [true, true, false, false])
  assert.deepEqual(fits('a*bc*c', 'abc abcc abxbcyc'), [false, true, true])
  assert.deepEqual(fits('a.c', 'a.c abc'), [true, false])
  assert.deepEqual(fits('***', 'x'), [true])
  assert.equal(globPattern('').test(''), true)
  assert.equal(globPattern('a*').test('a\nb'), true)
  for (const glob of ['*'.repeat(300), `${'*a'.repeat(150)}*b`])
    assert.equal(globPattern(glob).test('a'.repeat(20_000)), !glob.endsWith('b'))
})
