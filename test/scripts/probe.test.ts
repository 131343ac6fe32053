import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Failure } from '../../src/core/failure.ts'
import { Script, type Runner } from '../../src/scripts/script.ts'
import type { Task } from '../../src/scripts/task.ts'
import { Watch } from '../../src/scripts/watch.ts'
import { ManualClock } from '../support/clock.ts'
import { inline, json, TestRun } from './setting.ts'

/** A script whose messages go to `submit`. */
function scriptWith(clock: ManualClock, submit: (task: Task) => void): Script {
  let ids = 0
  const runner: Runner = {
    clock,
    ceiling: 60_000,
    nextId: () => ++ids,
    submit,
    pause() {},
    forget() {},
  }
  const script = new Script(1, inline('x'), runner)
  script.compiled(
    {
      code: 'x',
      form: 'body',
      async: false,
      entry: '',
      insertions: [],
      uses: { body: true, headers: true, properties: true, extras: [] },
    },
    1000,
  )
  return script
}

/** What becomes of a message. */
async function codeOf(script: Script, run = new TestRun()): Promise<string> {
  return script.run(json({}), run, { timeout: 1000 }).then(
    () => 'done',
    (failure: Failure) => failure.code,
  )
}

async function pause(script: Script, clock: ManualClock): Promise<void> {
  for (let i = 0; i < 3; i++) script.broke()
  assert.equal(await codeOf(script), 'script.disabled')
  await clock.advance(30_000)
}

it('a paused script is tried again after a probe that could not even be run', async () => {
  const clock = new ManualClock()
  const script = scriptWith(clock, (task) => task.fail(new Failure('engine.fault', 'no process')))
  await pause(script, clock)
  assert.deepEqual([await codeOf(script), await codeOf(script)], ['engine.fault', 'engine.fault'])
})

it('an older message that nobody waits for any more does not let a second probe through', async () => {
  const clock = new ManualClock()
  const tasks: Task[] = []
  const script = scriptWith(clock, (task) => void tasks.push(task))
  const run = new TestRun()
  const older = codeOf(script, run)
  await pause(script, clock)
  const probe = codeOf(script)
  run.cancelled = new Failure('flow.cancelled', 'called off')
  new Watch(clock, { processes: [], waiting: tasks, busy: true, changed() {} }).go()
  await clock.advance(20)
  assert.equal(await older, 'flow.cancelled')
  assert.equal(await codeOf(script), 'script.disabled')
  tasks.at(-1)!.fail(new Failure('flow.stopped', 'over'))
  assert.equal(await probe, 'flow.stopped')
})
