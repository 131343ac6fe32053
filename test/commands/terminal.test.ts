import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { projectFolder } from '../support/project.ts'
import { noTerminal, onTerminal, shownLines } from '../support/pty.ts'

const skip = noTerminal ?? false
const files = {
  'flows/beat.yaml': 'steps:\n  - timer: { cron: 0 0 1 1 * }\n  - log: it beats\n',
  'flows/bad.yaml':
    'steps:\n  - endpoint: { path: /bad, access: public }\n  - fail: { message: no luck today }\n',
}

test(
  'dev on a terminal: a timer runs now, the last failure, Ctrl-C; then the terminal is as it was',
  { skip },
  async (t) => {
    const { press, shows, output, fact } = onTerminal(t, projectFolder(t, files), ['dev'])
    await shows(/2 flows up · 0 runs · \? keys/)
    press('rbe\r')
    await shows(/✓ beat[^]*manual[^]*it beats/)
    press('rbad\r')
    await shows(/✗ bad[^]*no luck today/)
    await shows(/2 runs, 1 failed/)
    press('f')
    await shows(/FAILED[^]*bad[^]*\(version/)
    press('\x03')
    const { code, raw, restored } = await fact('ended')
    assert.deepEqual([code, raw, restored], [0, true, true])
    assert.match(output(), /\r\x1b\[Jstopping: [^\n]*\n$/)
    assert.match(output(), /\x1b\[32m✓/)
    assert.deepEqual(
      shownLines(output()).filter((line) => line.length > 80),
      [],
    )
  },
)

test('dev: Ctrl-Z gives the terminal back; fg goes on', { skip }, async (t) => {
  const { press, shows, fact } = onTerminal(t, projectFolder(t, files), ['dev'])
  await shows(/2 flows up/)
  press('\x1a')
  assert.ok((await fact('stopped')).restored)
  await shows(/2 flows up/)
  press('qq')
  const { code, restored } = await fact('ended')
  assert.deepEqual([code, restored], [0, true])
})

test('dev: after a fault the terminal is as it was', { skip }, async (t) => {
  const faulty = "process.on('SIGUSR2', () => { throw new Error('odd') })"
  const { shows, fact } = onTerminal(t, projectFolder(t, files), ['dev'], {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(faulty)}`,
  })
  await shows(/2 flows up/)
  process.kill((await fact('begun')).pid, 'SIGUSR2')
  await shows(/odd/)
  const { code, raw, restored } = await fact('ended')
  assert.deepEqual([code, raw, restored], [3, true, true])
})

test('dev: q while it starts ends it, and NO_COLOR leaves the colours out', { skip }, async (t) => {
  const { press, shows, output, fact } = onTerminal(t, projectFolder(t, files), ['dev'], { NO_COLOR: '1' })
  await shows(/starting …/)
  press('q')
  const { code, restored } = await fact('ended')
  assert.deepEqual([code, restored], [0, true])
  assert.doesNotMatch(output(), /\x1b\[[\d;]*m/)
})

test('start: Ctrl-C lets a script that runs go on to its end', { skip }, async (t) => {
  const told = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    response.end('{}')
    told.resolve()
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const flow = {
    steps: [
      { endpoint: { path: '/slow', method: 'GET', access: 'public' } },
      { http: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` } },
      { script: 'const end = Date.now() + 500\nwhile (Date.now() < end);\nmessage.body = { done: true }' },
    ],
  }
  const folder = projectFolder(t, { 'flows/slow.yaml': stringify(flow) })
  const { press, shows, fact, output } = onTerminal(t, folder, ['start'], { NO_COLOR: '1' })
  const [, url] = await shows(/Sluice \S+ on (http:\/\/[\d.:]+)/)
  await shows(/script sandbox/)
  const answer = fetch(`${url}/http/slow`).then((response) => response.text())
  await told.promise
  press('\x03')
  assert.equal(await answer, '{"done":true}')
  assert.equal((await fact('ended')).code, 0)
  assert.doesNotMatch(output(), /script process/)
})

test('questions on a terminal: Ctrl-D and Ctrl-C end them on a line of their own', { skip }, async (t) => {
  for (const [key, code, says] of [
    ['\x04', 1, /for none: \r\nsluice: the input ended; nothing was written/],
    ['\x03', 130, /for none: \^C\r\nsluice: interrupted; nothing was written/],
  ] as const) {
    const { press, shows, fact } = onTerminal(t, projectFolder(t, {}), ['new', 'credential'])
    await shows(/(?=empty for none: )/)
    press(key)
    await shows(says)
    assert.equal((await fact('ended')).code, code)
  }
})
