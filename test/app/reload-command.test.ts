import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCommand, startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

const flow = (text: string) =>
  `steps:\n  - endpoint: { path: /a, method: GET, access: public }\n  - respond: { body: "${text}" }\n`

test('sluice reload and SIGHUP read flows again; what is broken is told, with exit code 1', async (t) => {
  const folder = projectFolder(t, { 'flows/a.yaml': flow('one') })
  const write = (text: string) => writeFileSync(join(folder, 'flows', 'a.yaml'), text)
  const reload = (...more: string[]) => startCommand(t, folder, ['reload', ...more]).ended
  const early = await reload()
  assert.equal(early.code, 1)
  assert.match(early.stderr, /no engine runs on this data folder/)

  const engine = await startEngine(t, folder, { SLUICE_LOG_FORMAT: 'json' })
  const ask = async () => (await fetch(`${engine.url}/http/a`)).text()
  write(flow('two'))
  const done = await reload()
  assert.deepEqual([done.code, done.stdout], [0, 'changed    a\nunchanged  0 flows\n'])
  assert.equal(await ask(), 'two')

  write(flow('${bdy}'))
  const broken = await reload()
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /flows\/a\.yaml:3:\d+: there is no variable "bdy"/)
  assert.match(broken.stdout, /broken {5}a; the version before goes on/)
  assert.equal(await ask(), 'two')
  const listed = await startCommand(t, folder, ['flow', 'show', 'a']).ended
  assert.match(listed.stdout, /the version before goes on/)

  write(flow('three'))
  engine.kill('SIGHUP')
  await engine.shows(/flow \\?"a\\?" was changed[^]*flow \\?"a\\?" was changed/)
  assert.equal(await ask(), 'three')
  assert.equal(JSON.parse((await reload('--json')).stdout).unchanged, 1)
  const audit = await startCommand(t, folder, ['audit', '--what', 'reload', '--json']).ended
  const entries = audit.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { who: string; outcome: string })
  assert.deepEqual(
    entries.map(({ who, outcome }) => `${who} ${outcome}`),
    ['local user (socket) done', 'a signal done', 'local user (socket) failed', 'local user (socket) done'],
  )
  const failed = await startCommand(t, folder, ['audit', '--what', 'reload', '--json', '--outcome', 'failed'])
    .ended
  assert.equal(failed.stdout.trim().split('\n').length, 1)
  assert.equal((await startCommand(t, folder, ['audit', '--outcome', 'bad']).ended).code, 2)
})
