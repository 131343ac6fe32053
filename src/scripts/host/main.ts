import './patch.ts'
import { cutAtWord } from '../cut.ts'
import { Buffer } from 'node:buffer'
import { checkDepth } from '../../core/json.ts'
import { offsetOf } from '../lines.ts'
import { MISSING } from '../missing.ts'
import {
  BODY,
  LIMITS,
  NO_FUNCTION,
  PROTOCOL,
  REPLY,
  REQUEST,
  REQUEST_HEADER,
  SAME,
  type Compiled,
  type CompileRequest,
  type ReadyReply,
  type ScriptError,
} from '../protocol.ts'
import { captured } from './captured.ts'
import { compile } from './compile.ts'
import { LoadError, ScriptContext } from './context.ts'
import { reply, serve } from './loop.ts'
import { Mistake } from './mistake.ts'
import { scrub } from './scrub.ts'

/** A process for scripts: takes frames from the engine, one after the other, and never turns to anything else. */
const contexts = new Map<number, ScriptContext>()
/** Loaded when their first message comes. */
const waiting = new Map<number, Compiled>()

function handle(type: number, frame: Buffer, start: number, end: number): void {
  const started = captured.now()
  const id = frame.readUInt32LE(start + 8)
  const script = frame.readUInt32LE(start + 12)
  if (type === REQUEST.run) return reply(REPLY.result, id, started, run(frame, start, end, script))
  if (type === REQUEST.unload) {
    contexts.delete(script)
    waiting.delete(script)
    return
  }
  const text = frame.toString('utf8', start + REQUEST_HEADER, end)
  if (type === REQUEST.load) waiting.set(script, JSON.parse(text) as Compiled)
  else
    reply(
      REPLY.compiled,
      id,
      started,
      JSON.stringify(compileAndLoad(JSON.parse(text) as CompileRequest, script)),
    )
}

function run(frame: Buffer, start: number, end: number, script: number): string {
  let context = contexts.get(script)
  if (context === undefined) {
    try {
      context = load(script)
    } catch (error) {
      return failed(error instanceof LoadError ? error.error : unexpected(error))
    }
  }
  let at = start + REQUEST_HEADER
  const headers = frame.toString('utf8', at, (at += frame.readUInt32LE(start + 16)))
  const properties = frame.toString('utf8', at, (at += frame.readUInt32LE(start + 20)))
  const extras = frame.toString('utf8', at, (at += frame.readUInt32LE(start + 24)))
  const kind = frame[start + 5]!
  const body =
    kind === BODY.bytes ? frame.toString('base64', at, end) : withoutMark(frame.toString('utf8', at, end))
  try {
    const result = context.run(kind, headers, properties, extras, body)
    if (result.length > SMALL) return checkSize(result)
    return result.startsWith(FAILED) ? located(result, context) : result
  } catch (error) {
    return failed(unexpected(error))
  }
}

/** How the result of a script that failed begins. */
const FAILED = `{"b":${SAME},"e":`
/** Characters of a result that cannot be too large or too deep. */
const SMALL = 2 * LIMITS.depth

function checkSize(result: string): string {
  const end = result.indexOf('\n')
  const base64 = result.startsWith(`{"b":${BODY.bytes}`)
  const most = base64 ? Math.ceil(LIMITS.output / 3) * 4 : LIMITS.output
  let message = ''
  if (end > LIMITS.output / 3 && Buffer.byteLength(result.slice(0, end)) > LIMITS.output)
    message = `headers, properties, log lines and attachments have more than ${LIMITS.output} bytes together`
  else if (result.length - end > most / 3 && Buffer.byteLength(result.slice(end + 1)) > most)
    message = `the body has more than ${LIMITS.output} bytes`
  if (message !== '')
    return failed({ kind: 'output', message: `${message}, the most that a script may give back` })
  try {
    checkDepth(result.slice(0, end))
    if (result.startsWith(`{"b":${BODY.json}`)) checkDepth(result.slice(end + 1))
    return result
  } catch (error) {
    return failed({ kind: 'output', message: `what the script made is ${(error as Error).message}` })
  }
}

function failed(error: ScriptError): string {
  return `${JSON.stringify({ b: SAME, e: error })}\n`
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

function load(script: number): ScriptContext {
  const context = new ScriptContext(waiting.get(script)!)
  contexts.set(script, context)
  return context
}

/** An error with the column as it is in the script's own text. */
function located(result: string, context: ScriptContext): string {
  const head = JSON.parse(result) as { e: { line?: number; column?: number } }
  const { line, column } = head.e
  if (line === undefined || column === undefined) return result
  head.e.column = context.column(line, column)
  return JSON.stringify(head) + '\n'
}

/** Nothing of the sandbox's own is to be seen in it. */
function unexpected(error: unknown): ScriptError {
  let message = 'the script could not be run'
  try {
    if (error instanceof Error && typeof error.message === 'string') message = cutAtWord(error.message, 2000)
  } catch {}
  return { kind: 'thrown', message }
}

function compileAndLoad(request: CompileRequest, script: number) {
  const result = compile(request)
  if (!result.compiled) return result
  waiting.set(script, result.compiled)
  if (request.form === 'body') return result
  try {
    load(script)
    return result
  } catch (error) {
    return { mistakes: [loadMistake(error instanceof LoadError ? error.error : unexpected(error), request)] }
  }
}

/** What its top level fails with. */
function loadMistake({ line, column, name, message }: ScriptError, request: CompileRequest) {
  const { file, text, function: wanted } = request
  if (message === NO_FUNCTION) {
    const what = wanted === undefined ? 'the default export' : `"${wanted}"`
    return new Mistake(`${what} of "${file}" is no function`, 0, 0, {
      code: 'script/function',
      hint: `Write \`export ${wanted === undefined ? 'default function' : `function ${wanted}`}(message, context) { ... }\`.`,
    }).data(text)
  }
  const said = name === undefined ? message : `${name}: ${message}`
  const missing = /^(\w+) is not defined$/.exec(message)?.[1]
  const hint = missing !== undefined && Object.hasOwn(MISSING, missing) ? MISSING[missing] : undefined
  return new Mistake(
    `the script fails when it is loaded: ${said}`,
    offsetOf(text, line ?? 1, column ?? 1),
    1,
    {
      hint,
    },
  ).data(text)
}

/** The first context and the first run of one are slow: here they cost no message anything. */
function warmUp(): void {
  const uses = { body: true, headers: true, properties: true, extras: [] }
  const compiled = {
    code: 'message.body.a += 1',
    form: 'body',
    async: false,
    entry: '',
    insertions: [],
    uses,
  } as const
  const context = new ScriptContext(compiled)
  for (let i = 0; i < 50; i++) context.run(BODY.json, '{}', '{}', '', '{"a":1}')
  compile({ file: '', text: 'message.body = await 1', form: 'body' })
}

const bound = process.argv.includes('bound')
warmUp()
scrub()
const ready: ReadyReply = { protocol: PROTOCOL, bound }
reply(REPLY.ready, 0, captured.now(), JSON.stringify(ready))
serve(handle)
