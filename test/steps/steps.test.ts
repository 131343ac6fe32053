import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageLogReader } from '../../src/store/reading.ts'
import { problemsOf, replyText, startProject } from '../support/project.ts'

async function runFlow(t: TestContext, steps: string, body?: unknown, headers?: Record<string, string>) {
  const project = await startProject(t, { 'flows/f.yaml': `logLevel: debug\nsteps:\n${steps}` })
  return { project, report: await project.run('f', body, headers) }
}

test('set: body, headers and properties keep the types of their expressions; null removes', async (t) => {
  const { report } = await runFlow(
    t,
    `
  - set:
      properties: { id: "\${body.id}", gone: 1 }
      headers: { X-Count: "\${size(body.items)}", x-gone: a }
      body: { id: "\${body.id}", items: "\${body.items}", text: "n\${body.id}", none: null, list: [1, "\${body.id + 1}"] }
  - set: { properties: { gone: null }, headers: { x-gone: null } }
  - set: { body: { body: "\${body}", id: "\${properties.id}", gone: "\${properties.gone}" } }
`,
    { id: 7, items: ['a', 'b'] },
  )
  assert.deepEqual(JSON.parse(replyText(report)), {
    body: { id: 7, items: ['a', 'b'], text: 'n7', none: null, list: [1, 8] },
    id: 7,
    gone: null,
  })
  assert.equal(report.reply!.headers['x-count'], '2')
  assert.equal(report.reply!.headers['x-gone'], undefined)
})

test('set: text stays text, and the content type follows the new body unless it is said', async (t) => {
  const { report } = await runFlow(t, '\n  - set: { body: "hello ${body.name}" }\n', { name: 'Ann' })
  assert.equal(replyText(report), 'hello Ann')
  assert.match(report.reply!.headers['content-type']!, /^text\/plain/)
  const { report: xml } = await runFlow(t, '\n  - set: { body: "<a/>", contentType: application/xml }\n')
  assert.equal(xml.reply!.headers['content-type'], 'application/xml')
})

test('set: remove takes headers by pattern and properties by name, before it sets', async (t) => {
  const { report } = await runFlow(
    t,
    `
  - set: { headers: { x-a: "1", x-b: "2", y: "3" }, properties: { p: 1 } }
  - set: { remove: { headers: [x-*], properties: [p] }, headers: { x-b: "new" } }
  - set: { body: "\${properties.p}|\${headers['x-a']}|\${headers['x-b']}|\${headers.y}" }
`,
  )
  assert.equal(replyText(report), '||new|3')
})

test('set: a header with a line end fails the step and changes nothing', async (t) => {
  const { report } = await runFlow(t, '\n  - set: { headers: { x-a: "${body}" } }\n', 'a\r\nb', {
    'content-type': 'text/plain',
  })
  assert.equal(report.failure!.code, 'request.invalid')
  assert.match(report.failure!.message, /"x-a"/)
})

test('set and http: a flow that sets authorization itself is told to name a credential', async (t) => {
  const problems = await problemsOf(t, {
    'flows/f.yaml': 'steps:\n  - set: { headers: { Authorization: "Bearer x" } }\n',
  })
  assert.equal(problems[0]!.code, 'flow/authorization')
  assert.match(problems[0]!.hint!, /credential/)
})

test('respond: ends the flow with status, headers and body', async (t) => {
  const { report } = await runFlow(
    t,
    '\n  - respond: { status: 201, headers: { Location: "/orders/${body.id}" }, body: { made: "${body.id}" } }\n  - fail: never\n',
    { id: 3 },
  )
  assert.equal(report.status, 'COMPLETED')
  assert.equal(report.reply!.status, 201)
  assert.equal(report.reply!.headers['location'], '/orders/3')
  assert.equal(replyText(report), '{"made":3}')
})

test('fail: message, status and code are what the caller and the log get', async (t) => {
  const { report } = await runFlow(
    t,
    '\n  - fail: { message: "no stock of ${body.id}", status: 409, code: order.no-stock }\n',
    { id: 3 },
  )
  assert.equal(report.status, 'FAILED')
  assert.deepEqual(
    {
      code: report.failure!.code,
      message: report.failure!.message,
      step: report.failure!.step,
      position: report.failure!.position,
    },
    { code: 'order.no-stock', message: 'no stock of 3', step: 'fail', position: 'flows/f.yaml:4:5' },
  )
})

test('choose: the first true case runs, else the steps of else, else nothing', async (t) => {
  const project = await startProject(t, {
    'flows/f.yaml': `steps:
  - choose:
      cases:
        - if: body.n > 10
          steps: [{ set: { body: many } }]
        - if: \${body.n > 1}
          steps: [{ respond: { body: some } }]
      else:
        - set: { body: few }
  - set: { body: "\${body}!" }
`,
  })
  assert.equal(replyText(await project.run('f', { n: 11 })), 'many!')
  assert.equal(replyText(await project.run('f', { n: 2 })), 'some')
  assert.equal(replyText(await project.run('f', { n: 1 })), 'few!')
  const failed = await project.run('f', { n: 'x' })
  assert.equal(failed.failure!.code, 'expression.failed')
  assert.equal(failed.failure!.position, 'flows/f.yaml:4:15')
})

test('if: a step runs only when its condition is true; null is false; other values fail', async (t) => {
  const project = await startProject(t, {
    'flows/f.yaml': 'steps:\n  - set: { body: yes }\n    if: body.go\n',
  })
  assert.equal(replyText(await project.run('f', { go: true })), 'yes')
  assert.equal(replyText(await project.run('f', {})), '{}')
  assert.equal((await project.run('f', { go: 'x' })).failure!.code, 'expression.failed')
})

test('log: line with level and fields, and the body or a given content as attachment', async (t) => {
  const { project, report } = await runFlow(
    t,
    `
  - log: order \${body.id}
  - log:
      message: "second"
      level: warn
      fields: { total: "\${body.total}" }
      attach: { name: "order-\${body.id}.json" }
  - log: { message: third, attach: { name: note.txt, content: "n \${body.id}" } }
`,
    { id: 5, total: 1.5 },
  )
  await project.app.stop()
  const reader = new MessageLogReader(`${project.folder}/data`)
  const run = reader.run(report.id!)!
  assert.deepEqual(
    run.lines.map(({ level, text }) => [level, text]),
    [
      ['info', 'order 5'],
      ['warn', 'second'],
      ['info', 'third'],
    ],
  )
  assert.deepEqual(
    run.attachments.map(({ name, contentType }) => [name, contentType]),
    [
      ['order-5.json', 'application/json'],
      ['note.txt', 'text/plain; charset=utf-8'],
    ],
  )
  reader.close()
})
