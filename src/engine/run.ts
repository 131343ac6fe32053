import { Failure } from '../core/failure.ts'
import { END, type Outcome, type Run } from '../core/kinds.ts'
import type { LogLevel, Step } from '../core/flow.ts'
import { isJsonType, isTextType, type Body } from '../core/body.ts'
import type { Message } from '../core/message.ts'
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
  if (ready.condition === undefined) return begin(ready, message, line, started)
  if (ready.conditionReadsBody && message.body.isStream) return loaded(ready, message, line, started, decide)
  return decide(ready, message, line, started)
}

type Stage = (ready: ReadyStep, message: Message, line: Line, started: number) => Outcome | Promise<Outcome>

/** The stage, once a streamed body is in memory. */
async function loaded(
  ready: ReadyStep,
  message: Message,
  line: Line,
  started: number,
  stage: Stage,
): Promise<Outcome> {
  try {
    await loadBody(message, line)
  } catch (thrown) {
    throw failed(thrown, ready, line, started)
  }
  return stage(ready, message, line, started)
}

const decide: Stage = (ready, message, line, started) => {
  try {
    if (ready.condition!(message, line) !== true) return note(ready, line, started, SKIPPED)
  } catch (thrown) {
    throw failed(thrown, ready, line, started)
  }
  return begin(ready, message, line, started)
}

const begin: Stage = (ready, message, line, started) =>
  ready.readsBody && message.body.isStream
    ? loaded(ready, message, line, started, enter)
    : enter(ready, message, line, started)

const enter: Stage = (ready, message, line, started) => {
  const outerDeadline = line.deadline
  let outcome: Outcome | Promise<Outcome>
  try {
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

/**
 * Characters of a body that are looked at for a snapshot: so many more than the message log keeps that a token that
 * begins in those (64 KB, up to four times as long when it is encoded) ends in these, and is found.
 */
const SNAPSHOT_LOOK = 320 * 1024

/** Never fails: watching does not change what a flow does. */
function snapshot(step: string, level: LogLevel, message: Message, line: Line): void {
  const { contentType } = message.body
  line.runtime.messageLog.snapshot(line.run.id, line.runtime.clock.now(), step, level, {
    headers: message.allHeaders(),
    properties: { ...message.properties },
    ...(level === 'trace' ? { body: shownBody(message.body) } : {}),
    ...(contentType === undefined ? {} : { contentType }),
  })
}

function shownBody(body: Body): string {
  if (body.isStream) return '[a stream, passed on without being kept]'
  const content = body.content()
  if (typeof content === 'string') return content.slice(0, SNAPSHOT_LOOK)
  if (content.length > 0 && !isTextType(body.contentType) && !isJsonType(body.contentType))
    return `[${content.length} bytes]`
  return content.toString('utf8', 0, SNAPSHOT_LOOK)
}

function tooLong(line: Line, ready: ReadyStep): Failure {
  const failure = new Failure('flow.timeout', `the run took longer than the flow's timeout`, {
    hint: 'Raise `timeout` of the flow, or find the slow step in the run: `sluice log <run>`.',
    place: line.run.placeOf(ready.step),
  })
  failure.step = ready.step.id
  return failure
}

/** Reads a streamed body into memory, within the run's deadline. What is called off stops reading. */
async function loadBody(message: Message, line: Line): Promise<void> {
  const { body } = message
  const { clock, bodyLimit } = line.runtime
  const source = body.unread
  const stop = (reason: Failure) => void source?.destroy(reason)
  const late = () =>
    stop(
      new Failure('flow.timeout', 'the body had not arrived when the time was up', {
        hint: 'Raise `timeout` of the step or the flow, or look at the sender.',
      }),
    )
  const timer = clock.after(Math.max(0, line.deadline - clock.ticks()), late)
  const release = line.onCancel(stop)
  try {
    await body.load(bodyLimit)
  } finally {
    timer.cancel()
    release()
  }
}
