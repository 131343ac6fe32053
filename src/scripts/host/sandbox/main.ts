import { cutAtWord } from '../../cut.ts'
import { BODY, NO_FUNCTION, SAME, type ScriptError, type Uses } from '../../protocol.ts'
import { clearGlobals, freezeIntrinsics } from './harden.ts'
import { attach, clearRecords, console, log, takeRecords } from './log.ts'
import { BodyError, hasBigNumbers, Message, OutputError, readBody, toJson, writeBody } from './message.ts'
import { placeOf, showPlaces } from './stack.ts'

const { parse, stringify } = JSON
const { resolve } = Promise
const PromiseType = Promise

type Extras = (trigger: unknown, response: unknown, param: unknown, run: unknown) => void
type Entry = (message: Message, context: unknown) => unknown
/** The script with its surroundings: takes the names it sees, gives how to set those of a message, and the script. */
type Factory = (...values: unknown[]) => [Extras, (...all: unknown[]) => unknown]

/** What `fail()` throws. */
class Failed extends Error {
  readonly status: unknown
  readonly code: unknown
  constructor(message: string, status: unknown, code: unknown) {
    super(message)
    this.status = status
    this.code = code
  }
}

function fail(message: unknown, details?: { status?: unknown; code?: unknown }): never {
  throw new Failed(String(message), details?.status, details?.code)
}

const { names: intrinsics, hidden } = clearGlobals()
const own: Record<string, unknown> = { log, console, attach, fail }
const names = [...intrinsics.filter((name) => !(name in own)), ...Object.keys(own), ...hidden]
const values = names.map((name) =>
  hidden.includes(name) ? undefined : name in own ? own[name] : (globalThis as Record<string, unknown>)[name],
)

class Context {
  readonly log = log
  readonly attach = attach
  readonly fail = fail
  trigger: unknown
  response: unknown
  param: unknown
  run: unknown
}

showPlaces()
freezeIntrinsics(intrinsics, [
  ...Object.values(own),
  Message,
  Failed,
  BodyError,
  OutputError,
  Context,
  PromiseType.resolve(),
])

let setExtras: Extras | undefined
let entry: Entry | undefined
let uses: Uses

let kind = SAME as number
let bodyText = ''
let headersText = ''
let propertiesText = ''
let message: Message | undefined
let done: string | undefined
/** Counts messages: what an earlier one left waiting must not answer for a later one. */
let turn = 0

/** Makes the script ready. What its top level throws is thrown as a JSON text (`ScriptError`). */
function load(factory: Factory, form: string, usesText: string): string {
  uses = parse(usesText) as Uses
  try {
    const [extras, script] = factory(...values)
    setExtras = extras
    entry = (form === 'module' ? script() : script) as Entry
    if (typeof entry !== 'function') return stringify({ kind: 'thrown', message: NO_FUNCTION })
    return ''
  } catch (error) {
    return stringify(describe(error))
  }
}

/** Runs the script over a message. The result, or nothing where the script waits for a promise. */
function begin(
  bodyKind: number,
  headers: string,
  properties: string,
  extras: string,
  body: string,
): string | undefined {
  kind = bodyKind
  bodyText = body
  headersText = headers
  propertiesText = properties
  done = undefined
  const own = ++turn
  clearRecords()
  try {
    message = new Message(
      uses.body ? readBody(bodyKind, body) : undefined,
      headers === '' ? {} : (parse(headers) as Record<string, unknown>),
      properties === '' ? {} : (parse(properties) as Record<string, unknown>),
    )
    const context = new Context()
    if (extras !== '') {
      const { trigger, response, param, run } = parse(extras) as Record<string, unknown>
      setExtras!(trigger, response, param, run)
      context.trigger = trigger
      context.response = response
      context.param = param
      context.run = run
    }
    const result = entry!(message, context)
    if (!isThenable(result)) return finish(result)
    const wait = resolve.call(PromiseType, result)
    wait.then(
      (value) => {
        if (own !== turn) return
        try {
          done = finish(value)
        } catch (error) {
          done = failed(error)
        }
      },
      (error: unknown) => {
        if (own === turn) done = failed(error)
      },
    )
    return undefined
  } catch (error) {
    return failed(error)
  }
}

/** The result of an asynchronous script, once all that can go on has gone on. */
function take(): string {
  if (done !== undefined) return done
  return failed(undefined, {
    kind: 'pending',
    message: 'the script waits for something that never comes: a script has no timers and no network',
  })
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function finish(result: unknown): string {
  const it = message!
  if (result !== undefined && result !== null && result !== it) adopt(it, result)
  let head = ''
  if (headersText !== '' || !isEmptyMap(it.headers)) {
    const text = toJson(it.headers, 'message.headers')
    if (text !== headersText && !(headersText === '' && text === '{}')) head += `,"h":${text}`
  }
  if (propertiesText !== '' || !isEmptyMap(it.properties)) {
    const text = toJson(it.properties, 'message.properties')
    if (text !== propertiesText && !(propertiesText === '' && text === '{}')) head += `,"p":${text}`
  }
  let made = SAME as number
  let body = ''
  if (uses.body) {
    const big = kind === BODY.json && hasBigNumbers(bodyText)
    ;[made, body] = writeBody(it.body, kind, bodyText, big)
    if (big) head += ',"n":1'
  }
  message = undefined
  return `{"b":${made}${head}${takeRecords()}}\n${body}`
}

function isEmptyMap(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const _ in value) return false
  return true
}

/** A script may return a message of its own instead of changing the one it got. */
function adopt(it: Message, result: unknown): void {
  if (typeof result !== 'object' || Array.isArray(result) || !isMessageLike(result as object)) {
    const what = Array.isArray(result)
      ? 'a list'
      : typeof result === 'object'
        ? 'a map without body, headers or properties'
        : `a ${typeof result}`
    throw new OutputError(
      `the script returned ${what}; return nothing, the message, or { body, headers, properties }`,
    )
  }
  const given = result as Partial<Message>
  if (given.body !== undefined) it.body = given.body
  if (given.headers !== undefined) it.headers = given.headers
  if (given.properties !== undefined) it.properties = given.properties
}

function isMessageLike(value: object): boolean {
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every((key) => key === 'body' || key === 'headers' || key === 'properties')
}

function failed(error: unknown, known?: ScriptError): string {
  const text = stringify(known ?? describe(error))
  message = undefined
  return `{"b":${SAME},"e":${text}${takeRecords()}}\n`
}

function describe(error: unknown): ScriptError {
  try {
    if (error instanceof BodyError) return { kind: 'body', message: '' }
    const place = placeOf(error)
    if (error instanceof OutputError) return { kind: 'output', message: error.message, ...place }
    if (error instanceof Failed)
      return {
        kind: 'fail',
        message: error.message,
        ...(typeof error.status === 'number' ? { status: error.status } : {}),
        ...(typeof error.code === 'string' ? { code: error.code } : {}),
        ...place,
      }
    if (error instanceof Error)
      return { kind: 'thrown', name: short(error.name), message: short(error.message), ...place }
    return { kind: 'thrown', message: short(typeof error === 'object' ? stringify(error) : error), ...place }
  } catch {
    return { kind: 'thrown', message: 'it threw something that cannot be shown' }
  }
}

/** Of a promise that was rejected and that nobody awaits. */
function tell(reason: unknown): string {
  const error = describe(reason)
  return stringify(error.kind === 'thrown' ? { ...error, kind: 'rejected' } : error)
}

function short(value: unknown): string {
  return cutAtWord(String(value), 2000)
}

export function open() {
  Object.defineProperty(globalThis, 'tell', { value: tell, configurable: true })
  return { names: names.join(), load, begin, take }
}
