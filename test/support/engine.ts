import type { Flow, LogLevel, Step } from '../../src/core/flow.ts'
import type { PreparedTrigger, Run, RunRequest } from '../../src/core/kinds.ts'
import { Body } from '../../src/core/body.ts'
import { Message } from '../../src/core/message.ts'
import type { PreparedFlow } from '../../src/engine/deployment.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { ReadyStep } from '../../src/engine/run.ts'
import { ManualClock } from './clock.ts'
import { MemoryLog } from './message-log.ts'

export interface StepSetting {
  readonly id?: string
  readonly condition?: ReadyStep['condition']
  readonly readsBody?: boolean
  readonly timeout?: number
  readonly retry?: ReadyStep['retry']
}

/** A step that does what the function does. */
export function step(run: Run, setting: StepSetting = {}): (index: number) => ReadyStep {
  return (index) => ({
    step: {
      id: setting.id ?? `step-${index}`,
      kind: 'test',
      index,
      parent: -1,
      line: index + 1,
      path: [],
      optionsPath: [],
      options: {},
    } satisfies Step,
    run,
    condition: setting.condition,
    conditionReadsBody: false,
    readsBody: setting.readsBody ?? false,
    timeout: setting.timeout ?? 0,
    retry: setting.retry,
    takesItems: false,
  })
}

export interface FlowSetting {
  readonly name?: string
  readonly version?: string
  readonly level?: LogLevel
  readonly timeout?: number
  readonly concurrency?: { running: number; waiting: number }
  readonly searchable?: string[]
  readonly trigger?: PreparedTrigger
  readonly onStop?: () => void
  readonly onError?: ((index: number) => ReadyStep)[]
}

/** A prepared flow of such steps. */
export function preparedFlow(
  steps: ((index: number) => ReadyStep)[],
  setting: FlowSetting = {},
): PreparedFlow {
  const ready = steps.map((make, index) => make(index))
  const onError = (setting.onError ?? []).map((make, index) => make(ready.length + index))
  const flow: Flow = {
    name: setting.name ?? 'test',
    file: 'flows/test.yaml',
    version: setting.version ?? 'v1',
    enabled: true,
    parameters: {},
    steps: ready.map((entry) => entry.step),
    onError: onError.map((entry) => entry.step),
    allSteps: [...ready, ...onError].map((entry) => entry.step),
    logLevel: setting.level ?? 'info',
    searchable: setting.searchable ?? [],
    onDisconnect: 'continue',
    labels: {},
    document: {
      file: 'flows/test.yaml',
      text: '',
      value: {},
      place: () => ({ file: 'flows/test.yaml', line: 1, column: 1 }),
      written: () => undefined,
    },
  }
  return {
    flow,
    parameters: {},
    steps: ready,
    onError,
    calls: [],
    trigger: setting.trigger,
    concurrency: setting.concurrency ?? { running: 100, waiting: 100 },
    timeout: setting.timeout ?? 60_000,
    credentials: [],
    stop: setting.onStop ?? (() => {}),
  }
}

/** An engine with a manual clock and a message log in memory. */
export function testEngine() {
  const clock = new ManualClock()
  const log = new MemoryLog()
  const warnings: string[] = []
  let ids = 0
  const silent = {
    debug() {},
    info() {},
    warn: (_: object, text: string) => warnings.push(text),
    error: (_: object, text: string) => warnings.push(text),
  }
  const engine = new Engine({
    world: {
      clock,
      newId: () => `run-${++ids}`,
      random: () => 0,
      dispatcherFor: () => {
        throw new Error('no network in this test')
      },
    },
    messageLog: log,
    log: silent,
    bodyLimit: 1000,
  })
  return { engine, clock, log, warnings }
}

export function request(body: Body = Body.empty(), rest: Partial<RunRequest> = {}): RunRequest {
  return { message: new Message(body), trigger: { kind: 'manual', data: {} }, ...rest }
}
