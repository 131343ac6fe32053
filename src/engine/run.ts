import { Failure } from '../core/failure.ts'
import { END, type Outcome, type Run } from '../core/kinds.ts'
import { sayDuration } from '../core/duration.ts'
import type { LogLevel, Retry, Step } from '../core/flow.ts'
import { isJsonType, isTextType, type Body } from '../core/body.ts'
import { loadBody } from '../core/loading.ts'
import type { Message } from '../core/message.ts'
import { pause } from '../core/world.ts'
import type { Line } from './line.ts'
import { afterAttempts, waitBefore } from '../core/retry.ts'

/** A prepared step with what the runner does around it. */
export interface ReadyStep {
  readonly step: Step
  readonly run: Run
  readonly condition: ((message: Message, line: Line) => unknown) | undefined
  readonly readsBody: boolean
  /** A stream of items is not loaded for it. */
  readonly takesItems: boolean
  readonly conditionReadsBody: boolean
  /** ms; 0 where only the flow's deadline holds, or the step keeps to its time itself. */
  readonly timeout: number
  readonly retry: Retry | undefined
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
  const { runtime } = line
  if (line.cancelled) throw line.cancelled
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
    await loadBody(message.body, line.runtime.bodyLimit, line.runtime.clock, line)
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
  ready.readsBody && message.body.isStream && !(ready.takesItems && message.body.isItems)
    ? loaded(ready, message, line, started, enter)
    : enter(ready, message, line, started)

const enter: Stage = (ready, message, line, started) => {
  if (ready.retry) return retrying(ready, ready.retry, message, line, started)
  const outerDeadline = line.deadline
  const outerLimit = line.limitedBy
  let outcome: Outcome | Promise<Outcome>
  try {
    if (ready.timeout !== 0 && started + ready.timeout < outerDeadline) {
      line.deadline = started + ready.timeout
      line.limitedBy = ready.step.id
    }
    outcome = ready.run(message, line)
  } catch (thrown) {
    line.deadline = outerDeadline
    line.limitedBy = outerLimit
    throw failed(thrown, ready, line, started)
  }
  if (outcome === undefined || outcome === END) {
    line.deadline = outerDeadline
    line.limitedBy = outerLimit
    finish(ready, message, line, started, outcome)
    return outcome
  }
  return settle(outcome, ready, message, line, started, outerDeadline, outerLimit)
}

/** The step, again and again where that may help. Each attempt has the step's whole time. */
async function retrying(
  ready: ReadyStep,
  retry: Retry,
  message: Message,
  line: Line,
  started: number,
): Promise<Outcome> {
  const { clock } = line.runtime
  const outerDeadline = line.deadline
  for (let attempt = 1; ; attempt++) {
    try {
      if (ready.timeout !== 0) line.deadline = Math.min(outerDeadline, clock.ticks() + ready.timeout)
      const outcome = await ready.run(message, line)
      line.deadline = outerDeadline
      finish(ready, message, line, started, outcome)
      return outcome
    } catch (thrown) {
      line.deadline = outerDeadline
      const failure = Failure.from(thrown)
      const wait = line.cancelled ? undefined : waitBefore(retry, attempt, failure, line.runtime.random())
      if (wait === undefined || clock.ticks() + wait >= outerDeadline)
        throw failed(attempt === 1 ? failure : afterAttempts(failure, attempt), ready, line, started)
      line.log('warn', `attempt ${attempt} failed: ${failure.message}; again in ${sayDuration(wait)}`, {
        code: failure.code,
      })
      await pause(clock, wait, line).catch((reason: unknown) => {
        throw failed(reason, ready, line, started)
      })
    }
  }
}

async function settle(
  pending: Promise<Outcome>,
  ready: ReadyStep,
  message: Message,
  line: Line,
  started: number,
  outerDeadline: number,
  outerLimit: string | undefined,
): Promise<Outcome> {
  try {
    const outcome = await pending
    line.deadline = outerDeadline
    line.limitedBy = outerLimit
    finish(ready, message, line, started, outcome)
    return outcome
  } catch (thrown) {
    line.deadline = outerDeadline
    line.limitedBy = outerLimit
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
  if (failure.step === undefined && failure !== line.cancelled) {
    failure.step = ready.step.id
    failure.place ??= line.run.placeOf(ready.step)
  }
  note(ready, line, started, FAILED)
  return failure
}

function note(ready: ReadyStep, line: Line, started: number, outcome: number): void {
  const { run, runtime } = line
  run.note(
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
  const content = contentOf(body)
  if (content === undefined) return '[a text in a charset that cannot be read]'
  if (typeof content === 'string') return content.slice(0, SNAPSHOT_LOOK)
  if (content.length > 0 && !isTextType(body.contentType) && !isJsonType(body.contentType))
    return `[${content.length} bytes]`
  return content.toString('utf8', 0, SNAPSHOT_LOOK)
}

function contentOf(body: Body): Buffer | string | undefined {
  try {
    return body.content()
  } catch {
    return undefined
  }
}

function tooLong(line: Line, ready: ReadyStep): Failure {
  const { limitedBy } = line
  const failure =
    limitedBy === undefined
      ? new Failure('flow.timeout', "the run took longer than the flow's timeout", {
          hint: 'Raise `timeout` of the flow, or find the slow step in the run: `sluice log <run>`.',
        })
      : new Failure('flow.timeout', `the time of the step "${limitedBy}" was up`, {
          hint: `Raise \`timeout\` of "${limitedBy}", or find the slow step in the run: \`sluice log <run>\`.`,
        })
  failure.place = line.run.placeOf(ready.step)
  failure.step = ready.step.id
  return failure
}
