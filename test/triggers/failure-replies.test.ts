import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { Failure, FAILURES, type FailureCode } from '../../src/core/failure.ts'
import { Engine } from '../../src/engine/engine.ts'
import { endpoint } from '../../src/triggers/endpoint.ts'
import { startServer } from '../server/start-server.ts'
import { ManualClock } from '../support/clock.ts'
import { preparedFlow, step } from '../support/engine.ts'
import { call, listLog } from '../support/http.ts'
import { MemoryLog } from '../support/message-log.ts'
import { host, prepare } from './deployment.ts'
import { serve } from './serve-endpoint.ts'

/** Codes whose message is about the caller's own request, or was written for the caller. */
const TOLD: readonly string[] = [
  'body.invalid',
  'body.schema',
  'body.too-large',
  'body.cut-off',
  'request.type',
  'flow.failed',
]

/** Messages that were not let in: there is no run of them. */
const NOT_LET_IN: readonly string[] = ['flow.overload', 'flow.stopped']

for (const code of Object.keys(FAILURES) as FailureCode[])
  test(`the caller is told of ${code}: its title, its status, and nothing from inside`, async (t) => {
    const failure = new Failure(code, 'INSIDE', {
      hint: 'INSIDE',
      receiver: { status: 418, host: 'INSIDE' },
      place: { file: 'INSIDE', line: 1, column: 1 },
      retryAfter: 7000,
      cause: new Error('INSIDE'),
    })
    failure.step = 'INSIDE'
    failure.item = { index: 4711, key: 'INSIDE' }
    const { orders } = await serve(
      t,
      host(() => failure),
    )
    const got = await call(orders, { method: 'POST', body: 'x' })
    const { title, reply: status } = FAILURES[code]
    const detail = TOLD.includes(code) ? { detail: 'INSIDE' } : {}
    const run = NOT_LET_IN.includes(code) ? undefined : 'run-1'
    assert.deepEqual(got.json(), { title, status, ...detail, code, ...(run && { run }) })
    assert.equal(got.status, status)
    assert.equal(got.headers['content-type'], 'application/problem+json')
    assert.equal(got.headers['sluice-run'], run)
    const wait = code === 'request.rate' ? '7' : status === 503 ? '1' : undefined
    assert.equal(got.headers['retry-after'], wait)
    assert.ok(!JSON.stringify(got.headers).includes('INSIDE'))
  })

test('a step that has a mistake in it is a fault of the engine: the caller learns no more, the log everything', async (t) => {
  const server = await startServer(t)
  const clock = new ManualClock()
  const trigger = () =>
    prepare(endpoint, { path: '/fault', access: 'public' }, { routes: server.routes, clock }).prepared
  const log = listLog()
  const messageLog = new MemoryLog()
  const engine = new Engine({
    world: { clock, newId: () => 'run-1', random: () => 0, dispatcherFor: () => assert.fail() },
    messageLog,
    log,
    bodyLimit: 1000,
  })
  const faulty = [
    step(() => (undefined as never as { secret: string }).secret as never),
    step(() => Promise.reject(new TypeError('INSIDE'))),
  ]
  for (const [index, mistaken] of faulty.entries()) {
    engine.deploy(preparedFlow([mistaken], { trigger: trigger(), version: `v${index}` }))
    const got = await call(`${server.url}/http/fault`, { method: 'POST', body: 'x' })
    assert.deepEqual(got.json(), {
      title: 'A fault in the engine',
      status: 500,
      code: 'engine.fault',
      run: 'run-1',
    })
    const line = log.lines[index]!
    assert.deepEqual([line.level, line.text], ['error', 'a fault in the engine'])
    assert.ok((line.fields['err'] as Error).stack!.includes('TypeError'))
    assert.equal(messageLog.closed[index]!.failure!.code, 'engine.fault')
  }
  engine.deploy(preparedFlow([step(() => {})], { trigger: trigger(), version: 'v9' }))
  assert.equal((await call(`${server.url}/http/fault`, { method: 'POST', body: 'x' })).text, 'x')
})

/** All that comes back until the connection ends. */
async function answered(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'close')
  return text
}

for (const head of ['content-length: 100', 'content-length: 100000', 'transfer-encoding: chunked'])
  test(`a caller that ends in the middle of its body (${head}): its run fails, the next caller is served`, async (t) => {
    const read = host(async (message) => {
      await message.body.load(1_000_000)
    })
    const { orders, url } = await serve(t, read)
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
    const chunk = head.startsWith('transfer') ? '6\r\nKUCKUC\r\n' : 'KUCKUC'
    socket.end(`POST /http/orders HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n${chunk}`)
    const text = await answered(socket)
    if (text !== '') assert.match(text, /^HTTP\/1\.1 400 /)
    assert.ok(!text.includes('KUCKUC'))
    assert.equal((await call(orders, { method: 'POST', body: 'x' })).text, 'x')
  })
