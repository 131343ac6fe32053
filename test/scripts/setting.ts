import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Body } from '../../src/core/body.ts'
import type { Branching, Context, Level } from '../../src/core/context.ts'
import type { Failure } from '../../src/core/failure.ts'
import { Message } from '../../src/core/message.ts'
import type { CompiledScript, ScriptMistake, ScriptSource } from '../../src/core/services.ts'
import type { Clock } from '../../src/core/world.ts'
import { buildBundle } from '../../src/scripts/bundle.ts'
import { createScripts, type ScriptService, type ScriptsSetting } from '../../src/scripts/pool.ts'
import { realClock } from '../../src/world.ts'

const ROOT = join(import.meta.dirname, '../..')
const BUNDLE = join(ROOT, 'dist/script-host.cjs')

/** What script processes run, built anew when it is missing or older than its source. */
export async function bundle(): Promise<string> {
  const folder = join(ROOT, 'src/scripts')
  const newest = Math.max(
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(folder, name)).mtimeMs,
    ),
  )
  const built = statSync(BUNDLE, { throwIfNoEntry: false })
  if (built === undefined || built.mtimeMs < newest) await buildBundle(BUNDLE)
  return BUNDLE
}

/** What the engine's log was told. */
export class Notes {
  readonly lines: { level: string; text: string; fields: object }[] = []
  debug(fields: object, text: string): void {
    this.lines.push({ level: 'debug', text, fields })
  }
  info(fields: object, text: string): void {
    this.lines.push({ level: 'info', text, fields })
  }
  warn(fields: object, text: string): void {
    this.lines.push({ level: 'warn', text, fields })
  }
  error(fields: object, text: string): void {
    this.lines.push({ level: 'error', text, fields })
  }
}

/** Script processes for one test; they end with it. */
export async function startScripts(
  t: Pick<TestContext, 'after'>,
  setting: Partial<ScriptsSetting> = {},
): Promise<ScriptService & { notes: Notes }> {
  const notes = new Notes()
  const service = createScripts({
    world: { clock: realClock },
    log: notes,
    children: 1,
    bundle: await bundle(),
    ...setting,
  })
  t.after(() => service.close())
  return Object.assign(service, { notes })
}

/** One line of work of a run that records what it is told. */
export class TestRun implements Context {
  readonly run
  readonly trigger: Context['trigger'] = { kind: 'endpoint', data: { method: 'POST', path: '/orders' } }
  readonly parameters: Context['parameters'] = { company: 'acme' }
  readonly step = 'script'
  readonly item = undefined
  readonly index = undefined
  readonly error = undefined
  deadline = Infinity
  cancelled: Failure | undefined = undefined
  readonly lines: { level: Level; text: string; fields: unknown }[] = []
  readonly attachments: { name: string; content: string | Uint8Array; contentType: string }[] = []

  constructor(id = 'run-1') {
    this.run = {
      id,
      flow: 'orders',
      correlationId: 'c-1',
      attempt: 1,
      startedAt: Date.UTC(2026, 10, 21, 12),
      traceparent: '',
    }
  }

  onCancel(): () => void {
    return () => {}
  }
  signal(): AbortSignal {
    return new AbortController().signal
  }
  log(level: Level, text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.lines.push({ level, text, fields })
  }
  attach(name: string, content: string | Uint8Array, contentType: string): void {
    this.attachments.push({ name, content, contentType })
  }
  used(): void {}
  progress(): void {}

  branch(): Branching {
    return { fork: () => this, cancel: () => {}, end: () => {} }
  }

  fork(): Context {
    return this
  }
}

export function json(value: unknown): Message {
  return new Message(
    Body.ofText(typeof value === 'string' ? value : JSON.stringify(value), 'application/json'),
  )
}

export function inline(text: string): ScriptSource {
  return { file: 'flows/orders.yaml', text, form: 'body' }
}

export function file(text: string, name = 'scripts/map.ts', wanted?: string): ScriptSource {
  return { file: name, text, form: 'module', ...(wanted === undefined ? {} : { function: wanted }) }
}

export async function compiled(
  service: ScriptService,
  source: string | ScriptSource,
): Promise<CompiledScript> {
  const result = await service.compile(typeof source === 'string' ? inline(source) : source)
  if (Array.isArray(result)) assert.fail(`mistakes: ${JSON.stringify(result)}`)
  return result as CompiledScript
}

export async function mistake(service: ScriptService, source: string | ScriptSource): Promise<ScriptMistake> {
  const result = await service.compile(typeof source === 'string' ? inline(source) : source)
  assert.ok(Array.isArray(result), 'a mistake was expected')
  assert.equal(result.length, 1)
  return result[0] as ScriptMistake
}

/** Compiles a script, runs it over a message once, and lets go of it. */
export async function through(
  service: ScriptService,
  source: string | ScriptSource,
  message: Message = json({}),
  run: TestRun = new TestRun(),
  timeout = 2000,
): Promise<Message> {
  const script = await compiled(service, source)
  try {
    await script.run(message, run, { timeout })
    return message
  } finally {
    script.dispose()
  }
}

export type { Clock }
