import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Control, CredentialReport, RunReport } from '../../src/core/control.ts'
import { Failure } from '../../src/core/failure.ts'
import { createControlSocket } from '../../src/server/control-socket.ts'
import { failureReply } from '../../src/server/problem-json.ts'
import { listLog } from '../support/http.ts'

const SECRET = 'hunter22-hunter22'
const redact = (text: string) => text.replaceAll(SECRET, '[secret]')

/** What the control socket answers, as it comes. */
async function answerOf(t: TestContext, control: Partial<Control>, method: string, path: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socket = createControlSocket({ control: control as Control, folder, log: listLog(), redact })
  const socketPath = await socket.listen()
  t.after(() => socket.close())
  return new Promise<string>((resolve, reject) => {
    request({ socketPath, method, path, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end(method === 'POST' ? '{}' : undefined)
  })
}

test('what the control socket tells of a credential is redacted', async (t) => {
  const details = { 'last error': `401 ${SECRET}`, uses: 1 }
  const credentials = () => [
    { name: 'a', state: { status: 'refused', details } } as unknown as CredentialReport,
  ]
  const redacted = {
    name: 'a',
    state: { status: 'refused', details: { 'last error': '401 [secret]', uses: 1 } },
  }
  assert.deepEqual(JSON.parse(await answerOf(t, { credentials }, 'GET', '/credentials')), [redacted])
  assert.deepEqual(JSON.parse(await answerOf(t, { credentials }, 'GET', '/credentials/a')), redacted)
})

test('a fault while the command line asks is told without a secret', async (t) => {
  const flows = () => {
    throw new Error(`broken by ${SECRET}`)
  }
  assert.equal(await answerOf(t, { flows }, 'GET', '/flows'), '{"message":"broken by [secret]"}')
  const run = () => Promise.reject(new Error(`broken by ${SECRET}`))
  assert.equal(await answerOf(t, { run }, 'POST', '/flows/a/runs'), '{"message":"broken by [secret]"}')
})

test('what a flow replies goes to its caller byte for byte, also where a receiver has put a token into it', async (t) => {
  const reply = { status: 200, headers: { 'x-echo': SECRET }, body: Buffer.from(SECRET) }
  const run = () =>
    Promise.resolve({ id: 'r', flow: 'a', status: 'COMPLETED', reply } as unknown as RunReport)
  const answer = JSON.parse(await answerOf(t, { run }, 'POST', '/flows/a/runs')) as {
    reply: { headers: object; body: string }
  }
  assert.deepEqual(answer.reply.headers, reply.headers)
  assert.equal(Buffer.from(answer.reply.body, 'base64').toString(), SECRET)
})

test('a problem shows neither in its detail nor in its code what a script took over from a receiver', () => {
  const told = failureReply(new Failure(SECRET, `no: ${SECRET}`), redact, 'run').body.toString()
  assert.deepEqual(JSON.parse(told), {
    title: 'The flow failed',
    status: 500,
    detail: 'no: [secret]',
    code: '[secret]',
    run: 'run',
  })
})
