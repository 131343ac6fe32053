import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { replyText, startProject } from '../support/project.ts'

const body = (report: Parameters<typeof replyText>[0]) => JSON.parse(replyText(report)) as unknown

test('branches begin with a copy of the message; the body afterwards is what each ended with', async (t) => {
  const { run } = await startProject(t, {
    'flows/both.yaml': `
steps:
  - set: { headers: { x-a: before } }
  - parallel:
      branches:
        one:
          - set: { body: { one: "\${body.n + 1}", header: "\${headers['x-a']}" }, headers: { x-a: one } }
        two:
          - set: { body: "text of two", properties: { p: 2 } }
        nothing: []
  - set: { body: { all: "\${body}", header: "\${headers['x-a']}", p: "\${properties.p}" } }
`,
  })
  assert.deepEqual(body(await run('both', { n: 1 })), {
    all: { one: { one: 2, header: 'before' }, two: 'text of two', nothing: { n: 1 } },
    header: 'before',
    p: null,
  })
})

test('branches run at the same time', async (t) => {
  const waiting: (() => void)[] = []
  const api = await receiver(t, (request, response) => {
    waiting.push(() => {
      response.setHeader('content-type', 'text/plain')
      response.end(request.url)
    })
    if (waiting.length === 2) for (const answer of waiting) answer()
  })
  const { run } = await startProject(t, {
    'flows/both.yaml': `steps:\n  - parallel:\n      branches:\n        a: [{ http: { url: "${api.origin}/a" } }]\n        b: [{ http: { url: "${api.origin}/b" } }]\n`,
  })
  assert.deepEqual(body(await run('both')), { a: '/a', b: '/b' })
})

test('the first failure ends the other branches and fails the step', async (t) => {
  const sockets = { open: 0 }
  const api = await receiver(t, (request, response) => {
    sockets.open++
    request.socket.once('close', () => sockets.open--)
    if (request.url === '/bad') response.writeHead(500).end()
  })
  const { run } = await startProject(t, {
    'flows/both.yaml': `steps:\n  - parallel:\n      branches:\n        slow: [{ http: { url: "${api.origin}/slow" } }]\n        bad: [{ http: { url: "${api.origin}/bad" } }]\n`,
  })
  const { failure } = await run('both')
  assert.equal(failure!.code, 'receiver.status')
  assert.equal(failure!.step, 'http-2')
  while (sockets.open > 1) await new Promise((resolve) => setImmediate(resolve))
})

test('join: first takes the first that succeeds, and fails only when all have', async (t) => {
  const api = await receiver(t, (request, response) => {
    if (request.url === '/bad') response.writeHead(500).end()
    else if (request.url === '/good') response.writeHead(200, { 'content-type': 'text/plain' }).end('good')
  })
  const flow = (...names: string[]) =>
    `steps:\n  - parallel:\n      join: first\n      branches:\n${names.map((name, i) => `        ${name}${i}: [{ http: { url: "${api.origin}/${name}" } }]\n`).join('')}`
  const { run } = await startProject(t, {
    'flows/some.yaml': flow('slow', 'bad', 'good'),
    'flows/none.yaml': flow('bad', 'bad'),
  })
  assert.deepEqual(body(await run('some')), { good2: 'good' })
  assert.equal((await run('none')).failure!.code, 'receiver.status')
})

test('a streamed body is there for every branch', async (t) => {
  const large = 'x'.repeat(300_000)
  const api = await receiver(
    t,
    (_, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(large),
  )
  const { run } = await startProject(t, {
    'flows/both.yaml': `steps:\n  - http: { url: "${api.origin}/" }\n  - parallel:\n      branches:\n        a: [{ set: { body: "\${size(body)}" } }]\n        b: [{ set: { body: "\${size(body)}" } }]\n`,
  })
  assert.deepEqual(body(await run('both')), { a: 300_000, b: 300_000 })
})

test('a called flow is a run of its own; its body and headers come back, properties do not', async (t) => {
  const { run, app } = await startProject(t, {
    'flows/caller.yaml': `
steps:
  - set: { headers: { x-in: "1" }, properties: { mine: 1 } }
  - call: { flow: shared/double, body: { n: "\${body.n}" }, headers: { x-more: "2" } }
  - set: { body: { got: "\${body}", run: "\${run.id}", mine: "\${properties.mine}", theirs: "\${properties.theirs}" } }
`,
    'flows/shared/double.yaml': `
steps:
  - set:
      body: { n: "\${body.n * 2}", in: "\${headers['x-in']}", more: "\${headers['x-more']}", by: "\${trigger.flow}", run: "\${run.id}", correlation: "\${run.correlationId}", mine: "\${properties.mine}" }
      headers: { x-out: "3" }
      properties: { theirs: 1 }
`,
  })
  const report = await run('caller', { n: 21 })
  const { got, run: own, ...rest } = body(report) as Record<string, Record<string, unknown>>
  assert.deepEqual(rest, { mine: 1, theirs: null })
  const { run: called, ...found } = got!
  assert.deepEqual(found, { n: 42, in: '1', more: '2', by: 'caller', correlation: own, mine: null })
  assert.notEqual(called, own)
  assert.equal(report.reply!.headers['x-out'], '3')
  void app
})

test('a called flow that fails fails the step with its code, and names its run', async (t) => {
  const { run } = await startProject(t, {
    'flows/caller.yaml': 'steps:\n  - call: inner\n',
    'flows/inner.yaml': 'steps:\n  - fail: { message: not today, code: test.no, status: 418 }\n',
  })
  const { failure } = await run('caller')
  assert.equal(failure!.code, 'test.no')
  assert.match(failure!.message, /^the flow "inner" failed \(run [\w-]+\): not today$/)
  assert.equal(failure!.step, 'call')
})

test('a caller that is cancelled cancels the flow it called', async (t) => {
  let asked = () => {}
  const reached = new Promise<void>((resolve) => (asked = resolve))
  const sockets = { open: 0 }
  const api = await receiver(t, (request) => {
    sockets.open++
    request.socket.once('close', () => sockets.open--)
    asked()
  })
  const { app } = await startProject(t, {
    'flows/caller.yaml': 'steps:\n  - call: inner\n',
    'flows/inner.yaml': `steps:\n  - http: { url: "${api.origin}/" }\n`,
  })
  const cancelling = new AbortController()
  const running = app.control.run('caller', { headers: {}, parameters: {} }, cancelling.signal)
  await reached
  cancelling.abort()
  assert.equal((await running)!.status, 'CANCELLED')
  while (sockets.open > 0) await new Promise((resolve) => setImmediate(resolve))
})
