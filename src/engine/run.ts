import { Failure } from '../core/failure.ts'
import { END, type Outcome, type Run } from '../core/kinds.ts'
import type { LogLevel, Step } from '../core/flow.ts'
import type { Message } from '../core/message.ts'
import type { MessageLog } from '../core/stores.ts'
import type { Clock } from '../core/world.ts'
import type { Line } from './line.ts'

/** A prepared step with what the runner does around it. */
export interface ReadyStep {
  readonly step: Step
  readonly run: Run
  readonly condition: ((message: Message, line: Line) => unknown) | undefined
  readonly readsBody: boolean
  readonly conditionReadsBody: boolean
  /** ms; 0 where only the flow's deadline holds. */
  readonly timeout: number
}

/** What every run of an engine works with. */
export interface Runtime {
  readonly clock: Clock
  readonly messageLog: MessageLog
  /** Bytes; largest body that is read into memory. */
  readonly bodyLimit: number
}

const DONE = 0
const FAILED = 1
const SKIPPED = 2
const ENDED = 3

/** Runs the steps in turn. Returns a promise only when one of them did. */
export function runSteps(
  steps: readonly ReadyStep[],
  message: Message,
  line: Line,
  from = 0,
): Outcome | Promise<Outcome> {
  for (let i = from; i < steps.length; i++) {
    const outcome = runStep(steps[i]!, message, line)
    if (outcome === undefined) continue
    if (outcome === END) return END
    return goOn(outcome, steps, message, line, i + 1)
  }
}

async function goOn(
  pending: Promise<Outcome>,
  steps: readonly ReadyStep[],
  message: Message,
  line: Line,
  next: number,
): Promise<Outcome> {
  let outcome = await pending
  for (let i = next; i < steps.length && outcome === undefined; i++) {
    const result = runStep(steps[i]!, message, line)
    outcome = result === undefined || result === END ? result : await result
  }
  return outcome
}

function runStep(ready: ReadyStep, message: Message, line: Line): Outcome | Promise<Outcome> {
  const { run, runtime } = line
  if (run.cancelled) throw run.cancelled
  const started = runtime.clock.ticks()
  if (started > line.deadline) throw tooLong(line, ready)
  line.step = ready.step.id
  if (message.body.isStream && (ready.readsBody || ready.conditionReadsBody))
    return loadThenRun(ready, message, line, started)
  return enter(ready, message, line, started)
}

async function loadThenRun(
  ready: ReadyStep,
  message: Message,
  line: Line,
  started: number,
): Promise<Outcome> {
  try {
    await loadBody(message, line)
  } catch (thrown) {
    throw failed(thrown, ready, line, started)
  }
  return enter(ready, message, line, started)
}

function enter(ready: ReadyStep, message: Message, line: Line, started: number): Outcome | Promise<Outcome> {
  const outerDeadline = line.deadline
  let outcome: Outcome | Promise<Outcome>
  try {
    if (ready.condition !== undefined && ready.condition(message, line) !== true) {
      note(ready, line, started, SKIPPED)
      return
    }
    if (ready.timeout !== 0 && started + ready.timeout < outerDeadline)
      line.deadline = started + ready.timeout
    outcome = ready.run(message, line)
  } catch (thrown) {
    line.deadline = outerDeadline
    throw failed(thrown, ready, line, started)
  }
  if (outcome === undefined || outcome === END) {
    line.deadline = outerDeadline
    finish(ready, message, line, started, outcome)
    return outcome
  }
  return settle(outcome, ready, message, line, started, outerDeadline)
}

async function settle(
  pending: Promise<Outcome>,
  ready: ReadyStep,
  message: Message,
  line: Line,
  started: number,
  outerDeadline: number,
): Promise<Outcome> {
  try {
    const outcome = await pending
    line.deadline = outerDeadline
    finish(ready, message, line, started, outcome)
    return outcome
  } catch (thrown) {
    line.deadline = outerDeadline
    throw failed(thrown, ready, line, started)
  }
}

function finish(ready: ReadyStep, message: Message, line: Line, started: number, outcome: Outcome): void {
  note(ready, line, started, outcome === END ? ENDED : DONE)
  const level = line.run.level
  if (level === 'debug' || level === 'trace') snapshot(ready.step.id, level, message, line)
}

function failed(thrown: unknown, ready: ReadyStep, line: Line, started: number): Failure {
  const failure = Failure.from(thrown)
  if (failure.step === undefined && failure !== line.run.cancelled) {
    failure.step = ready.step.id
    failure.place ??= line.run.placeOf(ready.step)
  }
  note(ready, line, started, FAILED)
  return failure
}

function note(ready: ReadyStep, line: Line, started: number, outcome: number): void {
  const { run, runtime } = line
  run.timings.push(
    ready.step.index,
    Math.round((started - run.startedTicks) * 1000),
    Math.round((runtime.clock.ticks() - started) * 1000),
    outcome,
  )
}

/** Bytes of a body that `trace` keeps after each step. */
const SNAPSHOT_LIMIT = 64 * 1024

function snapshot(step: string, level: LogLevel, message: Message, line: Line): void {
  const { body } = message
  const withBody = level === 'trace' && !body.isStream
  line.runtime.messageLog.snapshot(line.run.id, line.runtime.clock.now(), step, level, {
    headers: message.allHeaders(),
    properties: { ...message.properties },
    ...(withBody ? { body: shortened(body.text()) } : {}),
    ...(body.contentType === undefined ? {} : { contentType: body.contentType }),
  })
}

function shortened(text: string): string {
  return text.length <= SNAPSHOT_LIMIT
    ? text
    : `${text.slice(0, SNAPSHOT_LIMIT)}… (${text.length} characters)`
}

function tooLong(line: Line, ready: ReadyStep): Failure {
  const failure = new Failure('flow.timeout', `the run took longer than the flow's timeout`, {
    hint: 'Raise `timeout` of the flow, or find the slow step in the run: `sluice log <run>`.',
    place: line.run.placeOf(ready.step),
  })
  failure.step = ready.step.id
  return failure
}

/** Reads a streamed body into memory, within the run's deadline. */
async function loadBody(message: Message, line: Line): Promise<void> {
  const { body } = message
  const { clock, bodyLimit } = line.runtime
  const late = new Failure('flow.timeout', 'the body had not arrived when the time was up', {
    hint: 'Raise `timeout` of the step or the flow, or look at the sender.',
  })
  let stop: (reason: Failure) => void = () => {}
  const stopped = new Promise<never>((_, reject) => (stop = reject))
  const timer = clock.after(Math.max(0, line.deadline - clock.ticks()), () => stop(late))
  const release = line.onCancel(stop)
  try {
    await Promise.race([body.load(bodyLimit), stopped])
  } finally {
    timer.cancel()
    release()
  }
}
