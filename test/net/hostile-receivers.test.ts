import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Failure } from '../../src/core/failure.ts'
import { ManualClock } from '../support/clock.ts'
import { dispatchers, fetchFrom, TestRun, textOf } from './fixture.ts'
import { hostileAnswers, MARK, type HostileAnswer } from './hostile-answers.ts'
import { rawServer } from './raw-server.ts'

const NEXT = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnext'
/** Bytes. */
const LIMIT = 1_000_000
/** ms that every request has. */
const TIME = 60_000

/** Sockets, connections under way and timers of this process. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|TLS|Connect|Timeout|Pipe)/.test(name))
    .toSorted()
}

type Outcome = readonly [number, string] | Failure

async function outcomeOf(asking: ReturnType<typeof fetchFrom>): Promise<Outcome> {
  try {
    const { status, body } = await asking
    return [status, await textOf(body)]
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    return error
  }
}

function check(outcome: Outcome, { gets, fails }: HostileAnswer, host: string): void {
  if (!fails) return assert.deepEqual(outcome, gets)
  assert.ok(outcome instanceof Failure, `it took ${String(outcome)}`)
  const [code, message, hint] = fails
  assert.equal(outcome.code, code)
  assert.ok(outcome.message.startsWith(message.replace('HOST', host)), outcome.message)
  assert.match(outcome.hint!, hint)
  assert.equal(outcome.receiver!.host, host)
  const { cause, stack } = outcome
  assert.ok(![outcome.message, outcome.hint, stack, String(cause)].join().includes(MARK))
}

/** Lets time pass, turn by turn, until it has settled. */
async function inTime<T>(waiting: Promise<T>, clock: ManualClock): Promise<T> {
  const end = waiting.then(() => true)
  const turned = () => turn().then(() => false)
  while (!(await Promise.race([end, turned()]))) await clock.advance(TIME / 200)
  return waiting
}

for (const one of hostileAnswers)
  test(`on the wire: ${one.name}`, async (t) => {
    const before = resources()
    const server = await rawServer(t, (path) => (path === '/next' ? NEXT : one.says))
    const shared = dispatchers(t, { connections: 1 })
    const clock = new ManualClock()
    const setting = { dispatchers: shared, world: { clock } as never }
    const { method = 'GET', body = null } = one
    const until = new TestRun()
    until.deadline = TIME
    const collect = { limit: LIMIT, collect: LIMIT }
    const asking = outcomeOf(
      fetchFrom(t, server.origin, { path: '/case', method, body, until, ...collect }, setting),
    )
    check(await (one.late ? inTime(asking, clock) : asking), one, server.host)
    assert.equal(until.listeners, 0, 'nothing listens for the end of the run')
    await clock.advance(50)
    assert.equal(clock.pending, 0, 'no timer waits')
    await server.hasOpen(one.keeps ? 1 : 0)
    assert.deepEqual(await outcomeOf(fetchFrom(t, server.origin, { path: '/next' }, setting)), [200, 'next'])
    assert.deepEqual(server.requests, [`${method} /case`, 'GET /next'])
    assert.equal(server.connections, one.keeps ? 1 : 2)
    await shared.destroy()
    await server.close()
    for (let i = 0; i < 1000 && resources().join() !== before.join(); i++) await turn()
    assert.deepEqual(resources(), before)
  })
