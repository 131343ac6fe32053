import type { Settings } from './config.ts'
import type { Actor } from './core/audit.ts'
import type { Control, CredentialReport, FlowLevel, FlowState, ManualRun, RunReport } from './core/control.ts'
import { Body } from './core/body.ts'
import { Failure, type RunFailure } from './core/failure.ts'
import type { ParameterValue } from './core/flow.ts'
import type { RunResult } from './core/kinds.ts'
import { Message } from './core/message.ts'
import type { Send } from './core/services.ts'
import type { World } from './core/world.ts'
import type { MessageLog } from './core/stores.ts'
import { revoke } from './credential-revocation.ts'
import { testCredential } from './credential-test.ts'
import type { Engine } from './engine/engine.ts'
import { healthOf } from './health.ts'
import { convertParameter } from './flow/parameters.ts'
import { loadedAuthorizer } from './loaded-authorizer.ts'
import type { Project, ProjectFlow } from './project.ts'
import type { RunEvents } from './run-events.ts'
import { RunFollower } from './run-follower.ts'
import type { SecurityMaterial } from './security/material.ts'
import type { Redactor } from './security/redaction.ts'
import { version } from './version.ts'

export interface ControlSetting {
  readonly engine: Engine
  readonly project: Project
  readonly material: SecurityMaterial
  readonly settings: Settings
  readonly events: RunEvents
  readonly world: World
  readonly send: Send
  /** Takes live secrets out of what a person is told. */
  readonly redactor: Pick<Redactor, 'text' | 'beginning'>
  readonly url: () => string | undefined
  readonly managementUrl: () => string | undefined
  readonly messageLog: Pick<MessageLog, 'backlog' | 'lost' | 'trouble'>
  readonly reload: Control['reload']
  readonly readMaterial: Control['readMaterial']
  readonly expectClientChange: (client: string, actor: Actor) => void
  readonly withdrawClientChange: (client: string, actor: Actor) => void
  readonly readiness: () => { ready: boolean; reasons: string[] }
}

/** A control that has to be told who announces changes; see `onBehalfOf`. */
export type UnnamedControl = Omit<Control, 'announceClientChange' | 'withdrawClientChange'> & {
  announceClientChange(client: string, actor: Actor): void
  withdrawClientChange(client: string, actor: Actor): void
}

/** What the command line may ask of an engine, over the project it runs. */
export function createControl(setting: ControlSetting): UnnamedControl {
  const { engine, project, material, settings, world } = setting
  const startedAt = world.clock.now()
  const find = (name: string) => project.flows.find((entry) => entry.name === name)
  const flows = () => project.flows.map((entry) => flowState(entry, engine))
  const credentials = () => credentialReports(project, material)
  const credentialNow = (name: string) => {
    const report = credentials().find((entry) => entry.name === name)
    if (!report) return undefined
    const authorizer = loadedAuthorizer(name, material)
    const { type, state } = report
    const told = { name, type, keeps: authorizer?.invalidate !== undefined, status: state.status }
    return { authorizer, told }
  }
  return {
    status() {
      const { ready, reasons } = setting.readiness()
      return {
        pid: process.pid,
        version,
        startedAt,
        listen: setting.url(),
        management: setting.managementUrl(),
        dataFolder: settings.data,
        ready,
        notReady: reasons,
      }
    },
    health: () =>
      healthOf({
        version,
        startedAt,
        now: world.clock.now(),
        flows: flows(),
        credentials: credentials(),
        messageLog: setting.messageLog,
        notReady: setting.readiness().reasons,
      }),
    flows,
    reload: () => setting.reload(),
    readMaterial: () => setting.readMaterial(),
    credentials,
    setLevel(name, { level, duration }) {
      const entry = find(name)
      if (!entry) return undefined
      if (level === undefined) engine.levels.reset(name)
      else engine.levels.set(name, level, duration)
      return levelOf(entry, engine)
    },
    async run(name, request, signal) {
      const entry = find(name)
      if (!entry?.prepared) return undefined
      const parameters = parametersOf(entry, request.parameters)
      if (typeof parameters === 'string') return refused(name, parameters)
      const started = world.clock.ticks()
      const result = await engine.process(name, {
        message: messageOf(request),
        trigger: { kind: 'manual', data: { headers: request.headers, caller: { id: null, roles: [] } } },
        parameters,
        ...(signal === undefined ? {} : { onStart: (cancel) => cancelOn(signal, cancel) }),
      })
      return result && (await reportOf(name, result, world.clock.ticks() - started, setting))
    },
    async follow(request, reader) {
      const { events } = setting
      // It is told before the message log is: what is flushed at once has no end of the run in it.
      const ended = () => queueMicrotask(() => void events.flush().then(() => reader.ended()))
      const { show, omit } = reader
      const follower = new RunFollower({ ...request, clock: world.clock, show, omit, ended })
      const release = events.listen((event) => follower.take(event))
      for (const run of engine.going) follower.know(events.live(run))
      await events.flush()
      return () => {
        release()
        follower.stop()
      }
    },
    announceClientChange: setting.expectClientChange,
    withdrawClientChange: setting.withdrawClientChange,
    cancelRun(id) {
      const run = engine.cancel(id, new Failure('flow.cancelled', 'the run was called off by a person'))
      return run && { id, flow: run.flow }
    },
    testCredential: (name, request, signal) => testCredential(name, request, setting, signal),
    invalidateCredential(name) {
      const found = credentialNow(name)
      found?.authorizer?.invalidate?.()
      return found?.told
    },
    async revokeCredential(name) {
      const found = credentialNow(name)
      if (!found) return undefined
      return { ...found.told, revocation: await revoke(found.authorizer, world.clock) }
    },
  }
}

/** A flow as people see it, running or not. */
export function flowState(entry: ProjectFlow, engine: Engine | undefined): FlowState {
  const { flow, prepared, problems } = entry
  const state = engine?.state(entry.name)
  const trigger = prepared?.trigger
  const level = levelOf(entry, engine)
  return {
    name: entry.name,
    file: entry.file,
    version: flow?.version ?? '',
    description: flow?.description,
    state: !prepared ? 'broken' : !flow!.enabled ? 'disabled' : state ? 'running' : 'stopped',
    reason: reasonOf(entry),
    trigger: flow?.trigger && { kind: flow.trigger.kind, summary: trigger?.summary ?? '' },
    next: state && trigger?.next?.(),
    route: trigger?.route,
    parameters: prepared?.parameters ?? {},
    credentials: prepared?.credentials ?? [],
    logLevel: level.level,
    ownLogLevel: level.own,
    logLevelUntil: level.until,
    running: state?.running ?? 0,
    waiting: state?.waiting ?? 0,
    problems,
    steps: (flow?.allSteps ?? []).map(({ id, kind, line, parent, description }) => ({
      id,
      kind,
      line,
      parent,
      ...(description === undefined ? {} : { description }),
    })),
  }
}

function levelOf({ name, flow }: ProjectFlow, engine: Engine | undefined): FlowLevel {
  const own = flow?.logLevel ?? 'info'
  const set = engine?.levels.of(name).set
  return { flow: name, level: set?.level ?? own, own, until: set?.until }
}

function reasonOf({ flow, prepared, problems, lacking, outdated }: ProjectFlow): string | undefined {
  if (!prepared || outdated) {
    const first = problems.find((problem) => problem.severity === 'error')
    const what = first && `${first.file}:${first.line}:${first.column}: ${first.message}`
    return outdated ? `${what}; the version before goes on` : what
  }
  if (!flow!.enabled) return 'enabled: false'
  const names = lacking()
  return names.length === 0 ? undefined : `it cannot use ${names.join(', ')}`
}

export function credentialReports(project: Project, material: SecurityMaterial): readonly CredentialReport[] {
  return material.reports((name) => usersOf(name, project))
}

/** Flows that use a credential; with an engine, those that run in it. */
export function usersOf(credential: string, { flows }: Project, engine?: Engine): string[] {
  return flows
    .filter(
      ({ name, prepared }) => prepared?.credentials.includes(credential) && (!engine || engine.state(name)),
    )
    .map(({ name }) => name)
}

/** Whether all that should run does, and what does not. @param trouble of the message log */
export function readiness(
  project: Project,
  engine: Engine,
  trouble: string | undefined,
  stopping: boolean,
): { ready: boolean; reasons: string[] } {
  const reasons = project.flows
    .filter(({ name, flow, prepared }) => (!prepared || !engine.state(name)) && flow?.enabled !== false)
    .map(({ name }) => `the flow "${name}" does not run`)
  if (trouble !== undefined) reasons.push(trouble)
  if (stopping) reasons.push('the engine is shutting down')
  return { ready: reasons.length === 0, reasons }
}

/** Undefined: it is not loaded, because its file has mistakes or a reference has no value. */
function cancelOn(signal: AbortSignal, cancel: (reason: Failure) => void): void {
  const end = () => cancel(new Failure('flow.cancelled', 'the one who started the run called it off'))
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
}

function refused(flow: string, message: string): RunReport {
  return {
    id: undefined,
    flow,
    status: 'FAILED',
    duration: 0,
    failure: { code: 'request.invalid', message },
    reply: undefined,
  }
}

function messageOf({ body, headers }: ManualRun): Message {
  const { 'content-type': type, ...rest } = headers
  const message = new Message(body === undefined ? Body.empty() : Body.ofBytes(body, type ?? guess(body)))
  for (const [name, value] of Object.entries(rest)) message.setHeader(name, value)
  return message
}

/** What a body given by hand most likely is: JSON when it parses as such, else text. */
function guess(body: Uint8Array): string {
  try {
    JSON.parse(Buffer.from(body).toString('utf8'))
    return 'application/json'
  } catch {
    return 'text/plain; charset=utf-8'
  }
}

/** The flow's values with the given ones in their place, or what is wrong with those. */
function parametersOf(
  { name: flowName, flow, prepared }: ProjectFlow,
  given: Readonly<Record<string, string>>,
): Record<string, ParameterValue> | string {
  const values: Record<string, ParameterValue> = { ...prepared!.parameters }
  for (const [name, text] of Object.entries(given)) {
    const declared = Object.hasOwn(flow!.parameters, name) ? flow!.parameters[name] : undefined
    if (!declared) {
      const known = Object.keys(flow!.parameters).map((word) => `"${word}"`)
      return `the flow "${flowName}" has no parameter "${name}"; ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}`
    }
    const value = convertParameter(text, declared.type)
    if (value === undefined)
      return `the parameter "${name}" of the flow "${flowName}" wants a ${declared.type}`
    values[name] = value
  }
  return values
}

async function reportOf(
  flow: string,
  result: RunResult,
  duration: number,
  { settings, redactor }: ControlSetting,
): Promise<RunReport> {
  const { id, status, message, failure } = result
  const outcome = { id, flow, duration }
  if (failure) return { ...outcome, status, failure: told(failure, redactor), reply: undefined }
  try {
    await message.body.load(settings.limits.body)
  } catch (error) {
    return { ...outcome, status: 'FAILED', failure: told(Failure.from(error), redactor), reply: undefined }
  }
  const { body } = message
  return {
    ...outcome,
    status,
    failure: undefined,
    reply: {
      status: message.replyStatus ?? (body.isEmpty ? 204 : 200),
      headers: message.allHeaders(),
      body: body.bytes(),
    },
  }
}

function told(failure: Failure, redactor: Pick<Redactor, 'text'>): RunFailure {
  const hide = (_key: string, value: unknown) => (typeof value === 'string' ? redactor.text(value) : value)
  return JSON.parse(JSON.stringify(failure.record(), hide)) as RunFailure
}
