import { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import type { Place } from '../core/problem.ts'
import type { ScriptSource } from '../core/services.ts'
import type { TimeLimit } from '../core/time-limit.ts'
import { offsetOf } from './lines.ts'
import { cutAtWord } from './cut.ts'
import { MISSING } from './missing.ts'
import type { ScriptError } from './protocol.ts'

const NOT_AWAITED =
  'An asynchronous function failed and nobody awaited it: write `await` before its call, or catch what it throws.'
const CODE = /^[a-z][a-z0-9.-]{0,99}$/

/** What a script ended with, as a failure of its step. */
export function failureOf(error: ScriptError, source: ScriptSource, message: Message): Failure {
  const place = placeOf(error, source)
  const text = typeof error.message === 'string' ? cutAtWord(error.message, 2000) : ''
  if (error.kind === 'body') return bodyFailure(message)
  if (error.kind === 'output') return new Failure('script.output', text, place)
  if (error.kind === 'pending')
    return new Failure('script.error', text, {
      hint: 'Await only what the script itself settles; call receivers with an http step.',
    })
  if (error.kind === 'fail') {
    const { status, code } = error
    return new Failure(typeof code === 'string' && CODE.test(code) ? code : 'flow.failed', text, {
      reply:
        typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599
          ? status
          : 500,
      ...place,
    })
  }
  const named = typeof error.name === 'string' && error.name !== '' && error.name !== 'Error'
  const missing = /^(\w+) is not defined$/.exec(text)?.[1]
  const known = missing !== undefined && Object.hasOwn(MISSING, missing) ? MISSING[missing]! : undefined
  const hint = error.kind === 'rejected' ? (known ?? NOT_AWAITED) : known
  return new Failure('script.error', named ? `${error.name}: ${text}` : text, {
    ...place,
    ...(hint === undefined ? {} : { hint }),
  })
}

function placeOf({ line, column }: ScriptError, { file, text, place }: ScriptSource): { place?: Place } {
  if (!isCount(line) || !isCount(column)) return {}
  return { place: place ? place(offsetOf(text, line, column)) : { file, line, column } }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0
}

/** The body says it is JSON and is not: the body itself says it best. */
function bodyFailure(message: Message): Failure {
  try {
    message.body.value()
  } catch (thrown) {
    return Failure.from(thrown)
  }
  return new Failure('script.error', 'the script could not read the body')
}

/** It took longer than its step allows. */
export function timedOut(file: string, ms: number): Failure {
  return new Failure('script.timeout', `the script ran longer than ${seconds(ms)} and was stopped`, {
    hint: `Look for a loop that does not end in "${file}", or raise \`timeout\` of the step (at most 60s).`,
  })
}

/** The time of what is around its step was up before its own. @param ran ms */
export function outOfTime(file: string, ran: number): Failure {
  return new Failure('script.timeout', `the script had run for ${seconds(ran)} and was stopped`, {
    hint: `The time of the flow (or of a step around this one) was up: look for a loop that does not end in "${file}" and for slow steps before it, or raise that \`timeout\`.`,
  })
}

/** Its time was up before a process took it. @param ms that its step allows */
export function noTurn(ms: number, whose: TimeLimit): Failure {
  const within = whose === 'own' ? `within ${seconds(ms)}` : 'before the time of the flow was up'
  return new Failure('script.timeout', `the script did not get its turn ${within}`, {
    hint: 'Other scripts are slow, or there are more messages than this machine can take.',
  })
}

export function crashed(file: string, memory: number | undefined): Failure {
  const why =
    memory === undefined
      ? 'the process of the script ended'
      : `the script used more than ${memory} MB of memory`
  return new Failure('script.crashed', why, {
    hint: `Look in "${file}" for what grows without end. Large messages: split them first.`,
  })
}

export function paused(file: string, ms: number): Failure {
  return new Failure('script.disabled', `the script hung or crashed too often and is paused`, {
    hint: `Correct "${file}"; ${ms > 0 ? `the next message may try in ${seconds(ms)}` : 'a message is trying it now'}.`,
  })
}

export function notStarted(reason: string): Failure {
  return new Failure('engine.fault', `script processes cannot be started: ${reason}`, {
    hint: 'See the engine log. In a checkout, `npm run prepare` builds what they run.',
  })
}

export function notExact(file: string): string {
  return `the body holds integers beyond 2^53; the script (${file}) sees them as numbers, which are not exact. Where the script leaves the body as it is, they stay exact.`
}

function seconds(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`
}
