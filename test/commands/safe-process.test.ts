import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sluice } from '../support/command-line.ts'
import { startCommand } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

const files = {
  'flows/a.yaml': 'steps:\n  - timer: { every: 1h }\n  - log: it ran\n',
  'security-material/x.yaml': 'type: bearer\ntoken: ${env:TOKEN}\nbaseUrl: https://api.example.com/\n',
}
const TOKEN = 'token-of-a-safe-process'

for (const command of [['start'], ['dev'], ['run', 'a'], ['credential', 'test', 'x']]) {
  const name = command.join(' ')
  test(`sluice ${name}: not where certificates would not be verified`, async (t) => {
    const environment = { TOKEN, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    const { code, stdout, stderr } = await sluice(t, command, files, {
      environment,
      signal: AbortSignal.abort(),
    })
    assert.equal(code, 1)
    assert.match(stderr, /^sluice: not started: NODE_TLS_REJECT_UNAUTHORIZED=0 is set, .+\n.+`http\.ca`/)
    assert.equal(stdout, '')
  })
}

test('what tells nothing or sends nothing works all the same, and so does another value', async (t) => {
  const off = { environment: { TOKEN, NODE_TLS_REJECT_UNAUTHORIZED: '0' } }
  assert.equal((await sluice(t, ['check'], files, off)).code, 0)
  const on = { environment: { TOKEN, NODE_TLS_REJECT_UNAUTHORIZED: '1' } }
  assert.equal((await sluice(t, ['run', 'a'], files, on)).code, 0)
})

test('an open debugger is a warning', async (t) => {
  const folder = projectFolder(t, files)
  const running = startCommand(t, folder, ['run', 'a'], { TOKEN, NODE_OPTIONS: '--inspect=127.0.0.1:0' })
  const { code, stderr } = await running.ended
  assert.equal(code, 0)
  assert.match(stderr, /^warning: the debugger of this process listens on 127\.0\.0\.1:\d+: who reaches it/m)
})
