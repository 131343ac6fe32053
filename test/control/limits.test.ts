import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { rawServer, type Peer } from '../net/raw-server.ts'
import { startFlows, type RunningFlows } from '../support/flows.ts'
import { call } from '../support/http.ts'

const OK = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'

/** A receiver that answers when told to, and a flow that asks it with the message's body. */
async function setUp(t: TestContext, options: string) {
  const peers: Peer[] = []
  const receiver = await rawServer(t, () => (peer) => {
    peers.push(peer)
    return peer.whenGone()
  })
  const flows = await startFlows(t, {
    slow: `${options}steps:\n  - endpoint: { path: /slow, access: public }\n  - http: { method: POST, url: "${receiver.origin}/\${body}" }\n  - http: { method: POST, url: "${receiver.origin}/second" }\n    if: trigger.query.twice != null\n`,
  })
  const ask = (name: string, query = '') =>
    call(`${flows.url}/slow${query}`, {
      method: 'POST',
      body: name,
      headers: { 'content-type': 'text/plain' },
    })
  return { receiver, peers, flows, ask, state: () => flows.engine.state('slow')! }
}

/** A caller that can go away. */
function caller({ url }: RunningFlows, name: string, query = ''): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
    socket.write(
      `POST /http/slow${query} HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: ${name.length}\r\n\r\n${name}`,
    ),
  )
  return socket
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

test('a caller that goes away does not end its run where the flow does not say so', async (t) => {
  const { receiver, peers, flows } = await setUp(t, '')
  const gone = caller(flows, 'first', '?twice=1')
  await until(() => peers.length === 1)
  gone.destroy()
  for (let i = 0; i < 20; i++) await turn()
  assert.equal(receiver.open, 1)
  await peers[0]!.send(OK)
  await until(() => peers.length === 2)
  await peers[1]!.send(OK)
  await until(() => flows.running('slow') === 0)
  assert.deepEqual(receiver.requests, ['POST /first', 'POST /second'])
  assert.equal(flows.log.only.status, 'COMPLETED')
})

test('a caller that goes away ends its run where the flow says so; the receiver sees the connection close', async (t) => {
  const { receiver, peers, flows } = await setUp(t, 'onDisconnect: cancel\n')
  const gone = caller(flows, 'first', '?twice=1')
  await until(() => peers.length === 1)
  gone.destroy()
  await peers[0]!.whenGone()
  await until(() => flows.running('slow') === 0)
  assert.deepEqual(receiver.requests, ['POST /first'])
  assert.equal(flows.log.only.status, 'CANCELLED')
  assert.equal(flows.log.only.failure!.message, 'the caller went away')
})

test('a caller that stays gets its answer, whatever the flow says of those who go', async (t) => {
  const { peers, flows, ask } = await setUp(t, 'onDisconnect: cancel\n')
  const answer = ask('first')
  await until(() => peers.length === 1)
  await peers[0]!.send(OK)
  assert.deepEqual([(await answer).status, (await answer).text], [200, 'ok'])
  assert.equal(flows.log.only.status, 'COMPLETED')
})

test('messages beyond `running` wait in order; those beyond `waiting` get 503 and when to come again', async (t) => {
  const { receiver, peers, ask, state } = await setUp(t, 'concurrency: { running: 2, waiting: 3 }\n')
  const names = ['a', 'b', 'c', 'd', 'e']
  const asked = []
  for (const [i, name] of names.entries()) {
    asked.push(ask(name))
    await until(() => state().running + state().waiting === i + 1)
  }
  for (const refused of await Promise.all([ask('f'), ask('g')])) {
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '1')
    assert.deepEqual(refused.json(), {
      title: 'Too many messages at once',
      status: 503,
      code: 'flow.overload',
    })
  }
  await until(() => peers.length === 2)
  for (let i = 0; i < names.length; i++) {
    assert.ok(receiver.open <= 2, `${receiver.open} at once`)
    await until(() => peers.length > i)
    await peers[i]!.send(OK)
  }
  for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200)
  assert.deepEqual(
    receiver.requests.toSorted(),
    names.map((name) => `POST /${name}`),
  )
  assert.deepEqual(receiver.requests.slice(2), ['POST /c', 'POST /d', 'POST /e'])
  assert.deepEqual([state().running, state().waiting], [0, 0])
  const again = ask('h')
  await until(() => peers.length === 6)
  await peers[5]!.send(OK)
  assert.equal((await again).status, 200)
})

test('an overload of a thousand callers is answered at once, and over when it is over', async (t) => {
  const { peers, ask, state } = await setUp(t, 'concurrency: { running: 1, waiting: 1 }\n')
  const first = ask('first')
  await until(() => peers.length === 1)
  const second = ask('second')
  await until(() => state().waiting === 1)
  for (let i = 0; i < 10; i++) {
    const refused = await Promise.all(Array.from({ length: 100 }, () => ask('more')))
    assert.ok(refused.every(({ status }) => status === 503))
  }
  assert.deepEqual([peers.length, state().running, state().waiting], [1, 1, 1])
  await peers[0]!.send(OK)
  await until(() => peers.length === 2)
  await peers[1]!.send(OK)
  assert.deepEqual([(await first).status, (await second).status], [200, 200])
})

test('a caller that goes away while it waits frees its place, and its message is not processed', async (t) => {
  const options = 'concurrency: { running: 1, waiting: 1 }\nonDisconnect: cancel\n'
  const { receiver, peers, flows, ask, state } = await setUp(t, options)
  const first = ask('first')
  await until(() => peers.length === 1)
  const gone = caller(flows, 'gone')
  await until(() => state().waiting === 1)
  assert.equal((await ask('refused')).status, 503)
  gone.destroy()
  await until(() => state().waiting === 0)
  const third = ask('third')
  await until(() => state().waiting === 1)
  await peers[0]!.send(OK)
  await until(() => peers.length === 2)
  await peers[1]!.send(OK)
  assert.deepEqual([(await first).status, (await third).status], [200, 200])
  assert.deepEqual(receiver.requests, ['POST /first', 'POST /third'])
})

test('the time of a message counts from when it came, also while it waits for its turn', async (t) => {
  const options = 'concurrency: { running: 1, waiting: 1 }\ntimeout: 5s\n'
  const { peers, flows, ask, state } = await setUp(t, options)
  const first = ask('first')
  await until(() => peers.length === 1)
  await flows.clock.advance(3000)
  const second = ask('second')
  await until(() => state().waiting === 1)
  await flows.clock.advance(2100)
  assert.equal((await first).json().code, 'receiver.timeout')
  await until(() => peers.length === 2)
  await flows.clock.advance(3000)
  assert.deepEqual([(await second).status, (await second).json().code], [504, 'receiver.timeout'])
  await flows.clock.advance(60_000)
  assert.equal(flows.clock.pending, 0)
})

test('a shutdown answers those who run and those who wait when the grace time is over: 503', async (t) => {
  const { peers, flows, ask, state } = await setUp(t, 'concurrency: { running: 1, waiting: 1 }\n')
  const first = ask('first')
  await until(() => peers.length === 1)
  const second = ask('second')
  await until(() => state().waiting === 1)
  const stopped = flows.engine.stop(10_000)
  for (let i = 0; i < 5; i++) await turn()
  await flows.clock.advance(10_000)
  for (const answer of await Promise.all([first, second])) {
    assert.deepEqual([answer.status, answer.json().code], [503, 'flow.stopped'])
    assert.equal(answer.headers['retry-after'], '1')
  }
  await peers[0]!.whenGone()
  await stopped
})
