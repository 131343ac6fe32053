import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Body } from '../../src/core/body.ts'
import { FAILURES, type FailureCode } from '../../src/core/failure.ts'
import type { Deployment } from '../../src/core/kinds.ts'
import { Message } from '../../src/core/message.ts'
import type { Flows } from '../../src/core/services.ts'
import { call as callStep } from '../../src/steps/call.ts'
import { TestRun } from '../net/fixture.ts'
import { rawServer, type RawServer, type Script } from '../net/raw-server.ts'
import { call } from '../support/http.ts'
import { startFlows, type RunningFlows } from '../support/flows.ts'

const CLOSE = 'connection: close\r\n'
const OK = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${CLOSE}`
const ITEMS = '[1,2,3,4,5,6,7,8]'

/** What a receiver does, by the beginning of the path. */
const RECEIVER: Record<string, Script> = {
  '/silent': (peer) => peer.whenGone(),
  '/part': (peer) => peer.send(`${OK}content-length: 1000\r\n\r\n"x`),
  '/stalls': (peer) => peer.send(`${OK}content-length: 200000\r\n\r\n"${'x'.repeat(100_000)}`),
  '/busy': `HTTP/1.1 503 No\r\n${CLOSE}content-length: 0\r\n\r\n`,
  '/items': `${OK}content-length: ${ITEMS.length}\r\n\r\n${ITEMS}`,
  '/page': `${OK}link: </silent>; rel="next"\r\ncontent-length: ${ITEMS.length}\r\n\r\n${ITEMS}`,
}

interface Shape {
  readonly name: string
  /** `RECEIVER` stands for its address. */
  readonly steps: string
  /** Requests that are under way, or were answered, when all waits. */
  readonly asked: number
  /** What the run fails with when its time is up. */
  readonly late: FailureCode
}

const silent = '{ http: { url: "RECEIVER/silent" } }'
const stalls = '{ http: { url: "RECEIVER/stalls" } }'
const never = '{ http: { method: POST, url: "RECEIVER/never" } }'

const shapes: Shape[] = [
  { name: 'a request', steps: `[${silent}, ${never}]`, asked: 1, late: 'receiver.timeout' },
  {
    name: 'an answer that comes in part',
    steps: `[{ http: { url: "RECEIVER/part" } }, ${never}]`,
    asked: 1,
    late: 'receiver.timeout',
  },
  {
    name: 'a streamed body that a step reads',
    steps: `[${stalls}, { log: "\${size(body)}" }, ${never}]`,
    asked: 1,
    late: 'flow.timeout',
  },
  {
    name: 'a pause before the next attempt',
    steps: `[{ http: { url: "RECEIVER/busy" }, retry: { delay: 8s } }, ${never}]`,
    asked: 1,
    late: 'receiver.status',
  },
  {
    name: 'forEach, one at a time',
    steps: `[{ forEach: { steps: [${silent}, ${never}] } }, ${never}]`,
    asked: 1,
    late: 'receiver.timeout',
  },
  {
    name: 'forEach, three at a time',
    steps: `[{ forEach: { concurrency: 3, steps: [${silent}, ${never}] } }, ${never}]`,
    asked: 3,
    late: 'receiver.timeout',
  },
  {
    name: 'forEach that goes on after failures',
    steps: `[{ forEach: { concurrency: 3, onItemError: continue, steps: [${silent}, ${never}] } }, ${never}]`,
    asked: 3,
    late: 'receiver.timeout',
  },
  {
    name: 'forEach that collects streamed bodies',
    steps: `[{ forEach: { concurrency: 2, collect: body, steps: [${stalls}] } }, ${never}]`,
    asked: 2,
    late: 'flow.timeout',
  },
  {
    name: 'forEach with retry',
    steps: `[{ forEach: { concurrency: 2, steps: [{ http: { url: "RECEIVER/busy" }, retry: { delay: 8s } }, ${never}] } }]`,
    asked: 2,
    late: 'receiver.status',
  },
  {
    name: 'forEach over pages, while the next one is awaited',
    steps: `[{ http: { url: "RECEIVER/page", paginate: { items: body, link: true } } }, { forEach: { concurrency: 2, steps: [{ log: x }] } }, ${never}]`,
    asked: 2,
    late: 'receiver.timeout',
  },
  {
    name: 'forEach over pages, while items are worked on',
    steps: `[{ http: { url: "RECEIVER/page", paginate: { items: body, link: true } } }, { forEach: { concurrency: 2, steps: [${silent}] } }, ${never}]`,
    asked: 4,
    late: 'receiver.timeout',
  },
  {
    name: 'parallel',
    steps: `[{ parallel: { branches: { a: [${silent}, ${never}], b: [${silent}, ${never}] } } }, ${never}]`,
    asked: 2,
    late: 'receiver.timeout',
  },
  {
    name: 'parallel that takes the first',
    steps: `[{ parallel: { join: first, branches: { a: [${silent}, ${never}], b: [${silent}, ${never}] } } }, ${never}]`,
    asked: 2,
    late: 'receiver.timeout',
  },
  {
    name: 'parallel whose branches end with streamed bodies',
    steps: `[{ parallel: { branches: { a: [${stalls}], b: [${stalls}] } } }, ${never}]`,
    asked: 2,
    late: 'flow.timeout',
  },
  {
    name: 'try with catch and finally',
    steps: `[{ try: { steps: [${silent}, ${never}], catch: [{ steps: [${never}] }], finally: [${never}] } }, ${never}]`,
    asked: 1,
    late: 'receiver.timeout',
  },
  {
    name: 'catch',
    steps: `[{ try: { steps: [{ fail: no }], catch: [{ steps: [${silent}, ${never}] }], finally: [${never}] } }, ${never}]`,
    asked: 1,
    late: 'receiver.timeout',
  },
  {
    name: 'finally',
    steps: `[{ try: { steps: [{ log: x }], finally: [${silent}, ${never}] } }, ${never}]`,
    asked: 1,
    late: 'receiver.timeout',
  },
  {
    name: 'try in forEach in parallel in try',
    steps: `[{ try: { catch: [{ steps: [${never}] }], steps: [{ parallel: { branches: { a: [{ forEach: { concurrency: 2, onItemError: continue, steps: [{ try: { steps: [${silent}], catch: [{ steps: [${never}] }] } }, ${never}] } }], b: [${silent}] } } }] } }, ${never}]`,
    asked: 3,
    late: 'receiver.timeout',
  },
  { name: 'a called flow', steps: `[{ call: inner }, ${never}]`, asked: 2, late: 'receiver.timeout' },
  {
    name: 'called flows in forEach, some of which wait for their turn',
    steps: `[{ forEach: { concurrency: 6, steps: [{ call: inner }] } }, ${never}]`,
    asked: 4,
    late: 'flow.timeout',
  },
  {
    name: 'requests that wait for their turn',
    steps: `[{ forEach: { concurrency: 4, steps: [{ http: { url: "RECEIVER/silent", throttle: { concurrency: 1 } } }] } }, ${never}]`,
    asked: 1,
    late: 'request.throttled',
  },
]

/** A called flow with two places, each of which asks twice. */
const INNER = `concurrency: { running: 2, waiting: 10 }\nsteps:\n  - forEach: { items: "[1, 2]", concurrency: 2, steps: [${silent}] }\n`
/** ms that the flow has. */
const TIME = 10_000

interface Scene {
  readonly receiver: RawServer
  readonly flows: RunningFlows
}

/** @param limited whose time is short: the flow's, or that of a step around all others */
async function setUp(t: TestContext, steps: string, limited: 'flow' | 'step' = 'flow'): Promise<Scene> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => {
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })
  const receiver = await rawServer(t, (path) => RECEIVER[path] ?? '')
  const addressed = (text: string) => text.replaceAll('RECEIVER', receiver.origin)
  const flows = await startFlows(t, {
    inner: addressed(INNER),
    outer: `timeout: ${limited === 'flow' ? `${TIME}ms` : '1h'}\nonDisconnect: cancel\nsteps:\n  - endpoint: { path: /outer, access: public }\n  - try:\n      steps: ${addressed(steps)}\n      finally: [{ log: "" }]\n    timeout: ${limited === 'step' ? `${TIME}ms` : '1h'}\n`,
  })
  return { receiver, flows }
}

/** Lets I/O happen until this is so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** Everything that had begun has come to its waiting point. */
async function waiting({ receiver }: Scene, asked: number): Promise<void> {
  await until(() => receiver.requests.length >= asked)
  for (let i = 0; i < 20; i++) await turn()
  assert.equal(receiver.requests.length, asked)
}

async function checkOver({ receiver, flows }: Scene, asked: number): Promise<void> {
  await until(() => flows.running('outer') === 0)
  await receiver.hasOpen(0)
  assert.equal(flows.running('inner'), 0)
  assert.equal(flows.engine.state('inner')!.waiting, 0)
  for (let minute = 0; minute < 5; minute++) {
    await flows.clock.advance(60_000)
    for (let i = 0; i < 5; i++) await turn()
  }
  assert.equal(flows.clock.pending, 0, 'no timer waits')
  assert.equal(receiver.requests.length, asked, 'no request was sent afterwards')
}

const request = `POST /http/outer HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${ITEMS.length}\r\n\r\n${ITEMS}`

for (const { name, steps, asked, late } of shapes) {
  test(`a caller that goes away ends ${name}, and nothing goes on`, async (t) => {
    const scene = await setUp(t, steps)
    const { port } = new URL(scene.flows.url)
    const caller = connect(Number(port), '127.0.0.1', () => caller.write(request))
    await waiting(scene, asked)
    caller.destroy()
    await checkOver(scene, asked)
    const outer = scene.flows.log.closed.find(({ flow }) => flow === 'outer')!
    assert.equal(outer.status, 'CANCELLED')
    assert.equal(outer.failure!.code, 'flow.cancelled')
    for (const { flow, status } of scene.flows.log.closed) assert.equal(status, 'CANCELLED', flow)
  })

  for (const limited of ['flow', 'step'] as const)
    test(`the end of the ${limited}'s time ends ${name}, and nothing goes on`, async (t) => {
      const scene = await setUp(t, steps, limited)
      const got = call(`${scene.flows.url}/outer`, {
        method: 'POST',
        body: ITEMS,
        headers: { 'content-type': 'application/json' },
      })
      await waiting(scene, asked)
      for (let passed = 0; passed <= TIME; passed += 1000) {
        await scene.flows.clock.advance(1000)
        for (let i = 0; i < 5; i++) await turn()
      }
      const { status, json } = await got
      await checkOver(scene, scene.receiver.requests.length)
      assert.deepEqual([json().code, status], [late, FAILURES[late].reply])
      assert.ok(scene.receiver.requests.every((line) => !line.includes('/never')))
      assert.equal(scene.flows.log.closed.find(({ flow }) => flow === 'outer')!.status, 'FAILED')
    })
}

test('a called flow whose places are taken is not waited for any longer than there is time', async (t) => {
  const scene = await setUp(t, '[{ call: inner }]')
  const { flows } = scene
  const others = [flows.run('inner'), flows.run('inner')]
  const outer = flows.run('outer')
  await waiting(scene, 4)
  await flows.clock.advance(TIME)
  const { failure } = await outer
  assert.deepEqual([failure!.code, failure!.reply], ['flow.timeout', 504])
  assert.equal(flows.engine.state('inner')!.waiting, 0)
  await flows.clock.advance(60_000)
  await Promise.all(others)
  await checkOver(scene, 4)
})

test('a call lets go of the run it belongs to, also where it had to wait', async () => {
  const flows: Flows = {
    run(_, request) {
      request.onStart!(() => {})
      request.onStart!(() => {})
      return { id: 'inner', status: 'COMPLETED', message: request.message }
    },
  }
  const deployment = { calls() {}, services: { flows } } as unknown as Deployment
  const prepared = await callStep.prepare({ flow: 'inner' } as never, deployment)
  const run = new TestRun()
  await prepared.run(new Message(Body.empty()), run)
  assert.equal(run.listeners, 0)
})
