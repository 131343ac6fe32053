import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { replyText, startProject } from '../support/project.ts'

const body = (report: Parameters<typeof replyText>[0]) => JSON.parse(replyText(report)) as unknown

test('a caught failure lets the flow go on, with the message as it was before the failing step', async (t) => {
  const { run } = await startProject(t, {
    'flows/try.yaml': `
steps:
  - try:
      steps:
        - set: { body: changed, properties: { before: "\${body}" } }
        - fail: { message: no way, code: test.no, status: 418 }
        - set: { body: never }
      catch:
        - steps:
            - set: { body: { body: "\${body}", code: "\${error.code}", message: "\${error.message}", status: "\${error.status}", step: "\${error.step}" } }
  - set: { headers: { x-went: "on" } }
`,
  })
  const report = await run('try', 'original')
  assert.equal(report.status, 'COMPLETED')
  assert.deepEqual(body(report), {
    body: 'changed',
    code: 'test.no',
    message: 'no way',
    status: 418,
    step: 'fail',
  })
  assert.equal(report.reply!.headers['x-went'], 'on')
})

const clauses: [title: string, written: string, failing: string, caught: boolean][] = [
  ['a code', 'codes: [test.no]', 'test.no', true],
  ['one of several codes', 'codes: [a.b, test.no]', 'test.no', true],
  ['another code', 'codes: test.other', 'test.no', false],
  ['the first part of a code', 'codes: test.*', 'test.no', true],
  ['another first part', 'codes: receiver.*', 'test.no', false],
  ['a status where there is none', 'status: 404', 'test.no', false],
]
for (const [title, written, code, caught] of clauses)
  test(`catch by ${title}: ${caught ? 'caught' : 'not caught'}`, async (t) => {
    const { run } = await startProject(t, {
      'flows/try.yaml': `steps:\n  - try:\n      steps:\n        - fail: { message: no, code: ${code} }\n      catch:\n        - ${written}\n          steps: [{ set: { body: caught } }]\n`,
    })
    const report = await run('try', 'x')
    assert.equal(report.status, caught ? 'COMPLETED' : 'FAILED')
    if (!caught) assert.equal(report.failure!.code, code)
  })

test('catch by status of the receiver; the first clause that fits is taken', async (t) => {
  const api = await receiver(
    t,
    (request, response) => void response.writeHead(Number(request.url!.slice(1))).end(),
  )
  const { run } = await startProject(t, {
    'flows/try.yaml': `
steps:
  - try:
      steps:
        - http: { url: "${api.origin}/\${body}" }
      catch:
        - { status: [404, 410], steps: [{ set: { body: gone } }] }
        - { status: 4xx, steps: [{ set: { body: "client \${error.status}" } }] }
        - { codes: receiver.status, steps: [{ set: { body: other } }] }
`,
  })
  assert.equal(replyText(await run('try', '410')), 'gone')
  assert.equal(replyText(await run('try', '422')), 'client 422')
  assert.equal(replyText(await run('try', '503')), 'other')
})

test('finally runs after success, after a caught failure, after one that is not caught, and after respond', async (t) => {
  const { run } = await startProject(t, {
    'flows/try.yaml': `
steps:
  - try:
      steps:
        - fail: { message: no, code: "test.caught" }
          if: body == 'caught'
        - fail: { message: no, code: "test.free" }
          if: body == 'free'
        - respond: { status: 202 }
          if: body == 'respond'
      catch:
        - codes: test.caught
          steps: [{ log: caught }]
      finally:
        - set: { headers: { x-finally: "\${body}" } }
  - set: { headers: { x-after: "yes" } }
`,
  })
  for (const [word, status, after] of [
    ['good', 'COMPLETED', 'yes'],
    ['caught', 'COMPLETED', 'yes'],
    ['respond', 'COMPLETED', undefined],
  ] as const) {
    const report = await run('try', word)
    assert.equal(report.status, status)
    assert.equal(report.reply!.headers['x-finally'], word)
    assert.equal(report.reply!.headers['x-after'], after)
  }
  assert.equal((await run('try', 'free')).failure!.code, 'test.free')
})

test('a failure in catch is the failure of the step, and finally has run', async (t) => {
  const { run } = await startProject(t, {
    'flows/try.yaml': `
steps:
  - try:
      steps: [{ fail: first }]
      catch:
        - steps:
            - fail: { message: "second after \${error.message}", code: test.second }
      finally:
        - log: done
`,
  })
  const { failure } = await run('try')
  assert.equal(failure!.code, 'test.second')
  assert.equal(failure!.message, 'second after first')
})

test("the step's timeout ends its steps, and catch has the time of the flow", async (t) => {
  const api = await receiver(t, () => {})
  const { run } = await startProject(t, {
    'flows/try.yaml': `
steps:
  - try:
      steps:
        - http: { url: "${api.origin}/slow" }
      catch:
        - codes: receiver.timeout
          steps: [{ set: { body: late } }]
    timeout: 50ms
`,
  })
  assert.equal(replyText(await run('try')), 'late')
})

test('a cancelled run is not caught', async (t) => {
  let asked = () => {}
  const reached = new Promise<void>((resolve) => (asked = resolve))
  const api = await receiver(t, () => asked())
  const { app } = await startProject(t, {
    'flows/try.yaml': `steps:\n  - try:\n      steps:\n        - http: { url: "${api.origin}/" }\n      catch:\n        - steps: [{ set: { body: caught } }]\n`,
  })
  const cancelling = new AbortController()
  const running = app.control.run('try', { headers: {}, parameters: {} }, cancelling.signal)
  await reached
  cancelling.abort()
  assert.equal((await running)!.status, 'CANCELLED')
})

test('onError sees the failure, and its respond is what the caller gets; the run stays FAILED', async (t) => {
  const { url, run } = await startProject(t, {
    'flows/handled.yaml': `
steps:
  - endpoint: { path: /handled, access: public }
  - fail: { message: "no \${body.id}", code: test.no }
onError:
  - respond: { status: 409, body: { code: "\${error.code}", id: "\${body.id}" } }
`,
  })
  const reply = await fetch(`${url}/http/handled`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"id":7}',
  })
  assert.equal(reply.status, 409)
  assert.deepEqual(await reply.json(), { code: 'test.no', id: 7 })
  const report = await run('handled', { id: 7 })
  assert.equal(report.status, 'FAILED')
  assert.equal(report.failure!.message, 'no 7')
})

test('onError without respond leaves the problem as the reply; its fail step says another one', async (t) => {
  const { url } = await startProject(t, {
    'flows/plain.yaml':
      'steps:\n  - endpoint: { path: /plain, access: public }\n  - fail: { message: no, status: 422, code: test.no }\nonError:\n  - log: it failed\n',
    'flows/other.yaml':
      'steps:\n  - endpoint: { path: /other, access: public }\n  - fail: { message: no, status: 422, code: test.no }\nonError:\n  - fail: { message: worse, status: 451, code: test.worse }\n',
    'flows/broken.yaml':
      'steps:\n  - endpoint: { path: /broken, access: public }\n  - fail: { message: no, status: 422, code: test.no }\nonError:\n  - set: { body: "${body.a + 1}" }\n',
  })
  const ask = async (path: string) => {
    const reply = await fetch(`${url}/http/${path}`, { method: 'POST' })
    return [reply.status, ((await reply.json()) as { code: string }).code]
  }
  assert.deepEqual(await ask('plain'), [422, 'test.no'])
  assert.deepEqual(await ask('other'), [451, 'test.worse'])
  assert.deepEqual(await ask('broken'), [422, 'test.no'])
})

test('onError runs also when the time of the flow was up', async (t) => {
  const api = await receiver(t, () => {})
  const { url } = await startProject(t, {
    'flows/late.yaml': `timeout: 50ms\nsteps:\n  - endpoint: { path: /late, access: public }\n  - http: { url: "${api.origin}/" }\nonError:\n  - respond: { status: 503, body: later }\n`,
  })
  const reply = await fetch(`${url}/http/late`, { method: 'POST' })
  assert.equal(reply.status, 503)
  assert.equal(await reply.text(), 'later')
})
