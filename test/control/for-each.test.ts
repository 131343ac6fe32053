import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { startProject, replyText } from '../support/project.ts'

const body = (report: Parameters<typeof replyText>[0]) => JSON.parse(replyText(report)) as unknown

test('each item has a message of its own, and nothing of it leaves but what collect gives', async (t) => {
  const { run } = await startProject(t, {
    'flows/each.yaml': `
steps:
  - set: { headers: { x-kept: outer }, properties: { seen: outer } }
  - forEach:
      items: body.list
      steps:
        - set:
            body: { was: "\${body}", item: "\${item}", index: "\${index}", header: "\${headers['x-kept']}", seen: "\${properties.seen}" }
            headers: { x-kept: inner }
            properties: { seen: inner }
      collect: body
  - set: { body: { list: "\${body}", header: "\${headers['x-kept']}", seen: "\${properties.seen}" } }
`,
  })
  const report = await run('each', { list: ['a', { b: 1 }, null] })
  assert.deepEqual(body(report), {
    list: [
      { was: 'a', item: 'a', index: 0, header: 'outer', seen: 'outer' },
      { was: { b: 1 }, item: { b: 1 }, index: 1, header: 'outer', seen: 'outer' },
      { was: null, item: null, index: 2, header: 'outer', seen: 'outer' },
    ],
    header: 'outer',
    seen: 'outer',
  })
})

const FLOW = (options: string, steps: string) =>
  `steps:\n  - forEach:\n      ${options}\n      steps:\n        - ${steps}\n`

test('without collect the body says how many items there were', async (t) => {
  const { run } = await startProject(t, { 'flows/each.yaml': FLOW('key: item', 'log: item ${item}') })
  assert.deepEqual(body(await run('each', [1, 2, 3])), { count: 3, failed: 0 })
  assert.deepEqual(body(await run('each', [])), { count: 0, failed: 0 })
})

test('null and an empty body are no items; anything but a list fails and says what to write', async (t) => {
  const { run } = await startProject(t, { 'flows/each.yaml': FLOW('items: body.list', 'log: x') })
  assert.deepEqual(body(await run('each', { list: null })), { count: 0, failed: 0 })
  const { failure } = await run('each', { list: { a: 1 } })
  assert.equal(failure?.code, 'expression.failed')
  assert.match(failure.message, /forEach takes a list, not map/)
  assert.match(failure.hint!, /items: body\.value/)
})

test('the first failure ends the step and names the item; the others are called off', async (t) => {
  const sockets = { open: 0 }
  let most = 0
  const held: (() => void)[] = []
  const api = await receiver(t, (request, response) => {
    most = Math.max(most, ++sockets.open)
    request.socket.once('close', () => sockets.open--)
    if (request.url === '/2') return void response.writeHead(500).end('secret of the receiver')
    held.push(() => response.end())
  })
  const { run } = await startProject(t, {
    'flows/each.yaml': FLOW(
      'concurrency: 4\n      key: item.id',
      `http: { url: "${api.origin}/\${item.id}" }`,
    ),
  })
  const { status, failure } = await run(
    'each',
    Array.from({ length: 100 }, (_, id) => ({ id })),
  )
  assert.equal(status, 'FAILED')
  assert.equal(failure?.code, 'receiver.status')
  assert.deepEqual(failure.item, { index: 2, key: '2' })
  assert.equal(failure.step, 'http')
  assert.ok(most <= 4, `${most} at once`)
  while (sockets.open > 1) await new Promise((resolve) => setImmediate(resolve))
})

test('with onItemError: continue the list has what did not fail', async (t) => {
  const { run } = await startProject(t, {
    'flows/each.yaml': `
steps:
  - forEach:
      key: item
      onItemError: continue
      concurrency: 8
      steps:
        - fail: { message: "no \${item}", code: test.odd }
          if: item % 2 == 1
      collect: item
  - set: { body: "\${size(body)}" }
`,
  })
  const report = await run(
    'each',
    Array.from({ length: 500 }, (_, i) => i),
  )
  assert.equal(report.status, 'COMPLETED')
  assert.deepEqual(body(report), 250)
})

test('as many items at once as concurrency says, and results in the order of the items', async (t) => {
  let open = 0
  let most = 0
  const waiting: (() => void)[] = []
  const api = await receiver(t, (request, response) => {
    most = Math.max(most, ++open)
    waiting.push(() => {
      open--
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id: Number(request.url!.slice(1)) }))
    })
    if (waiting.length === 8) for (const answer of waiting.splice(0).toReversed()) answer()
  })
  const { run } = await startProject(t, {
    'flows/each.yaml': `
steps:
  - forEach:
      concurrency: 8
      steps:
        - http: { url: "${api.origin}/\${item}" }
      collect: body.id
`,
  })
  const ids = Array.from({ length: 64 }, (_, i) => i)
  assert.deepEqual(body(await run('each', ids)), ids)
  assert.equal(most, 8)
})

test('loops stand in loops; the item is that of the innermost', async (t) => {
  const { run } = await startProject(t, {
    'flows/each.yaml': `
steps:
  - forEach:
      steps:
        - forEach:
            items: item.inner
            steps:
              - log: \${item}
            collect: item * 10 + index
      collect: body
`,
  })
  assert.deepEqual(body(await run('each', [{ inner: [1, 2] }, { inner: [] }, { inner: [3] }])), [
    [10, 21],
    [],
    [30],
  ])
})

test('an item that fails in a nested loop is named by the innermost loop', async (t) => {
  const { run } = await startProject(t, {
    'flows/each.yaml': `
steps:
  - forEach:
      steps:
        - forEach:
            items: item
            key: '"inner-" + string(item)'
            steps:
              - fail: no
                if: item == 4
`,
  })
  const { failure } = await run('each', [
    [1, 2],
    [3, 4],
  ])
  assert.deepEqual(failure?.item, { index: 1, key: 'inner-4' })
})

test('many items that never wait leave others their turn', async (t) => {
  const { run, url } = await startProject(t, {
    'flows/each.yaml': FLOW('items: body.list', 'set: { properties: { x: "${item}" } }'),
    'flows/ping.yaml':
      'steps:\n  - endpoint: { path: /ping, access: public, method: GET }\n  - respond: { body: pong }\n',
  })
  let over = false
  const running = run('each', { list: Array.from({ length: 300_000 }, (_, i) => i) }).then((report) => {
    over = true
    return report
  })
  const reply = await fetch(`${url}/http/ping`)
  assert.equal(await reply.text(), 'pong')
  assert.equal(over, false)
  assert.deepEqual(body(await running), { count: 300_000, failed: 0 })
})
