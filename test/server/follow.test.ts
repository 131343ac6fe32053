import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Control, FollowReader, FollowRequest } from '../../src/core/control.ts'
import { connectControl } from '../../src/server/control-client.ts'
import { createControlSocket } from '../../src/server/control-socket.ts'
import { listLog } from '../support/http.ts'

/** A control socket whose events the test makes. */
async function serving(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let began: (asked: { request: FollowRequest; reader: FollowReader }) => void
  let released: () => void
  const follower = new Promise<{ request: FollowRequest; reader: FollowReader }>(
    (resolve) => (began = resolve),
  )
  const gone = new Promise<void>((resolve) => (released = resolve))
  const control = {
    status: () => ({}),
    follow: async (asked: FollowRequest, reader: FollowReader) => {
      reader.show({ kind: 'run', early: true })
      began({ request: asked, reader })
      return () => released()
    },
  } as unknown as Control
  const socket = createControlSocket({ control, folder, log: listLog(), redact: (text) => text })
  const at = await socket.listen()
  t.after(() => socket.close())
  const client = (await connectControl(folder))!
  return { at, client, socket, follower, gone }
}

const SELECTION = { flows: ['orders/*'], statuses: ['FAILED'], headers: [['x-order', '77']] } as const

test('events arrive as they are told; the last one ends the stream', async (t) => {
  const { client, follower, gone } = await serving(t)
  const events = (await client.follow({ selection: SELECTION, run: 'r-1' }, new AbortController().signal))!
  const { request: asked, reader } = await follower
  assert.deepEqual(asked, { selection: SELECTION, run: 'r-1' })
  reader.show({ kind: 'line', text: 'é\n' })
  reader.omit(3)
  reader.ended()
  reader.show({ kind: 'run', late: true })
  const seen: object[] = []
  for await (const event of events) seen.push(event)
  assert.deepEqual(seen, [
    { kind: 'run', early: true },
    { kind: 'line', text: 'é\n' },
    { kind: 'omitted', count: 3 },
    { kind: 'end' },
  ])
  await gone
})

test('whoever goes away is told nothing more; when the engine closes, the stream ends', async (t) => {
  const first = await serving(t)
  const stop = new AbortController()
  const events = (await first.client.follow({ selection: {} }, stop.signal))!
  const reading = (async () => {
    for await (const _event of events) stop.abort()
  })()
  await reading
  await first.gone

  const second = await serving(t)
  const others = (await second.client.follow({ selection: {} }, new AbortController().signal))!
  let count = 0
  for await (const _event of others) {
    count++
    await second.socket.close()
  }
  assert.equal(count, 1)
  await second.gone
})

test('a reader that is slow holds nothing up, and learns how much it has missed', async (t) => {
  const { at, follower } = await serving(t)
  const socket = connect(at)
  socket.pause()
  const body = '{}'
  socket.write(`POST /runs/follow HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  const { reader } = await follower
  await new Promise((resolve) => setImmediate(resolve))
  const told = 20_000
  const event = { kind: 'line', text: 'x'.repeat(500) }
  for (let i = 0; i < told; i++) reader.show(event)
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    if (text.includes('"omitted"') && !text.includes('"end"')) reader.ended()
  })
  socket.resume()
  await new Promise<void>((resolve) => {
    const look = () => (text.includes('"kind":"end"') ? resolve() : setImmediate(look))
    look()
  })
  socket.destroy()
  const lines = text.match(/"kind":"line"/g)!.length
  const omitted = Number(/"kind":"omitted","count":(\d+)/.exec(text)![1])
  assert.equal(lines + omitted, told)
  assert.ok(lines * 500 < 4 * 1024 * 1024, `${lines} lines were kept`)
})

test('nonsense is refused', async (t) => {
  const { at } = await serving(t)
  const status = (body: string) =>
    new Promise<number>((resolve, reject) => {
      request({ socketPath: at, method: 'POST', path: '/runs/follow', agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode!)
      })
        .on('error', reject)
        .end(body)
    })
  for (const body of [
    '',
    '1',
    '{"run":1}',
    '{"selection":1}',
    '{"selection":{"flows":"a"}}',
    '{"selection":{"headers":[["a"]]}}',
  ])
    assert.equal(await status(body), 400, body)
})
