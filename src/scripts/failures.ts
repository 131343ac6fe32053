import { Failure } from '../core/failure.ts'
import type { Message } from '../core/message.ts'
import type { Place } from '../core/problem.ts'
import type { ScriptSource } from '../core/services.ts'
import { offsetOf } from './lines.ts'
import type { ScriptError } from './protocol.ts'

/** Names that people expect from browsers or Node, and what to do without them. */
const MISSING: Record<string, string> = {
  fetch: 'A script has no network: call receivers with an http step.',
  XMLHttpRequest: 'A script has no network: call receivers with an http step.',
  WebSocket: 'A script has no network: call receivers with an http step.',
  setTimeout: 'A script has no timers: use `retry` of a step, or a timer flow.',
  setInterval: 'A script has no timers: use a timer flow.',
  setImmediate: 'A script has no timers.',
  queueMicrotask: 'Use `await`.',
  process: 'A script has no environment: use `parameters` of the flow and read them as `param`.',
  Buffer: 'Bytes are a Uint8Array: Uint8Array.fromBase64(text), bytes.toBase64(), bytes.toHex().',
  require: 'A script stands alone, with what the language itself has.',
  eval: 'Code is never made at run time.',
  globalThis: 'Nothing is shared between messages; keep values in message.properties.',
  URL: 'Take URLs apart with a regular expression, or let the http step build them (`query`).',
  TextEncoder: 'Set message.body to the text: it is sent as UTF-8.',
  TextDecoder: 'Set the content type of the body to a text type: then message.body is text.',
  structuredClone: 'Use JSON.parse(JSON.stringify(value)).',
  WebAssembly: 'Code is never made at run time.',
}

const CODE = /^[a-z][a-z0-9.-]{0,99}$/

/** What a script ended with, as a failure of its step. */
export function failureOf(error: ScriptError, source: ScriptSource, message: Message): Failure {
  const place = placeOf(error, source)
  const text = typeof error.message === 'string' ? error.message.slice(0, 2000) : ''
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
  const hint = missing !== undefined && Object.hasOwn(MISSING, missing) ? MISSING[missing]! : undefined
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

export function timedOut(file: string, ms: number, ran: boolean): Failure {
  return ran
    ? new Failure('script.timeout', `the script ran longer than ${seconds(ms)} and was stopped`, {
        hint: `Look for a loop that does not end in "${file}", or raise \`timeout\` of the step (at most 60s).`,
      })
    : new Failure('script.timeout', `the script did not get its turn within ${seconds(ms)}`, {
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
