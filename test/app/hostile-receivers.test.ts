import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunReport } from '../../src/core/control.ts'
import { hostileAnswers, MARK, type HostileAnswer, type Told } from '../net/hostile-answers.ts'
import { rawServer, type RawServer } from '../net/raw-server.ts'
import { replyText, startProject } from '../support/project.ts'

const NEXT = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\n"next"'

function checkTold(report: RunReport, [code, message, hint]: Told, host: string): void {
  const { failure } = report
  assert.ok(failure, `the run ended with ${report.reply && replyText(report).slice(0, 100)}`)
  assert.equal(report.status, 'FAILED')
  assert.equal(failure.code, code)
  assert.ok(failure.message.startsWith(message.replace('HOST', host)), failure.message)
  assert.match(failure.hint ?? '', hint)
  assert.equal(failure.receiver!.host, host)
  assert.ok(!JSON.stringify(failure).includes(MARK), 'nothing of what the receiver said')
}

const method = (one: HostileAnswer) => one.method ?? 'GET'

test('in a flow: hostile answers', async (t) => {
  const servers: RawServer[] = []
  const files: Record<string, string> = {
    'flows/next.yaml': 'steps:\n  - http: { url: "${body.url}" }\n',
  }
  for (const [index, one] of hostileAnswers.entries()) {
    const server = await rawServer(t, (path) => (path === '/next' ? NEXT : one.says))
    servers.push(server)
    files[`flows/case-${index}.yaml`] = [
      'steps:',
      `  - http: { url: "${server.origin}/case", method: ${method(one)}, maxResponse: 1000000B, acceptStatus: [304] }`,
      ...(one.late ? ['    timeout: 300ms'] : []),
    ].join('\n')
  }
  const { run } = await startProject(t, files, { environment: { SLUICE_LIMITS_BODY: '1MB' } })
  for (const [index, one] of hostileAnswers.entries())
    await t.test(`in a flow: ${one.name}`, async () => {
      const server = servers[index]!
      const report = await run(`case-${index}`, one.body?.toString())
      const told = one.fails ?? one.step
      if (told) checkTold(report, told, server.host)
      else {
        assert.equal(report.status, 'COMPLETED')
        assert.equal(replyText(report), one.gets![1])
      }
      await server.hasOpen(one.keeps ? 1 : 0)
      const next = await run('next', { url: `${server.origin}/next` })
      assert.equal(next.failure, undefined)
      assert.equal(replyText(next), '"next"')
      assert.deepEqual(server.requests, [`${method(one)} /case`, 'GET /next'])
    })
})
