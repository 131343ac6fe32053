import type { CredentialState } from './credential-state.ts'
import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import type { EndpointAccess } from './access.ts'
import type { Cancellation, Context, TriggerInfo } from './context.ts'
import type { CredentialTestStep } from './credential-test.ts'
import type { Authorizer, Grant, LentToken, Revocation } from './authorizer.ts'
import type { Path } from './document.ts'
import type { DestinationProperties } from './findable.ts'
import type { Explaining, StepExplanation, TriggerExplanation } from './explanation.ts'
import type { Failure } from './failure.ts'
import type { Flow, ParameterValue, Step } from './flow.ts'
import type { Message } from './message.ts'
import type { ProblemCode } from './problem-codes.ts'
import type { Place } from './problem.ts'
import type { Services } from './services.ts'
import type { StoredTokens } from './stores.ts'
import type { World } from './world.ts'

export type { Authorizer, CredentialState, CredentialTestStep, Grant, LentToken, Revocation }

export interface Example {
  readonly title: string
  /** A whole flow or credential file. */
  readonly yaml: string
}

interface Described {
  /** The YAML word, and the file's name. */
  readonly name: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  readonly examples: readonly Example[]
}

/** The flow is over, successfully. */
export const END = Symbol('end')
export type Outcome = void | typeof END

/**
 * Changes the message in place. Synchronous steps return no promise. A leaf step changes the message only once it
 * can no longer fail: retry and catch see the message as it was before the step.
 */
export type Run = (message: Message, context: Context) => Outcome | Promise<Outcome>

export interface PreparedStep {
  readonly run: Run
  /** Looks into the body itself; what its expressions read is known to the engine. A stream is loaded before such a step. */
  readonly readsBody?: boolean
  /** It takes the body as a stream of items, too; other streams are loaded where it reads the body. */
  readonly takesItems?: boolean
  /** What the body is afterwards: a new one, or a stream of items. Left out: what it was. */
  readonly leaves?: 'body' | 'items'
  /** Its nested steps get messages of their own. */
  readonly ownMessages?: boolean
  /** It keeps to the step's `timeout` itself. */
  readonly ownTimeout?: boolean
  stop?(): void
}

/** A compiled expression or template. */
export interface Template {
  /** @throws Failure `expression.failed`, with the expression's place */
  readonly evaluate: (message: Message, context: Context) => unknown
  /** It is always this value. */
  readonly constant?: { readonly value: unknown }
}

/** A piece of a template: text as it stands, or what one `${}` gives. */
export type TemplatePart = string | Template

export interface ProblemReport {
  readonly code: ProblemCode
  readonly message: string
  readonly hint?: string
  readonly severity?: 'error' | 'warning'
  /** From the options on: `['headers', 'accept']`. Nothing: the step's kind. */
  readonly at?: Path
  readonly on?: 'key' | 'value'
  /** In the text of the option, as parsed. */
  readonly offset?: number
  readonly length?: number
  /** Where it is, when it is in another file (a script's). */
  readonly place?: Place
}

/** What a kind gets when one step of one flow is deployed. All paths are from the step's options on. */
export interface Deployment {
  readonly flow: Flow
  readonly step: Step
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly world: World
  readonly services: Services
  problem(report: ProblemReport): void
  /**
   * A bare expression, or exactly one `${}`. Mistakes are reported; what comes back then is never run.
   * @param inside it is evaluated for each item of this step: `item` and `index` are there, and the body is the item's
   */
  expression(text: string, at: Path, inside?: boolean): Template
  /** As `expression`, for a yes or no: null counts as false, other values that are no boolean fail. */
  condition(text: string, at: Path): (message: Message, context: Context) => boolean
  /** Text with `${}` in it. Exactly one `${}` keeps its type, anything else gives text. */
  template(text: string, at: Path): Template
  /** The same, always as text (null as empty). */
  text(value: ParameterValue, at: Path): (message: Message, context: Context) => string
  /** A YAML value with templates as leaves; they keep their types. */
  value(value: unknown, at: Path): Template
  /** Text and `${}` apart, for what encodes them differently. */
  parts(text: string, at: Path): readonly TemplatePart[]
  /** Nested steps, ready to run one after the other. */
  steps(steps: readonly Step[]): Promise<Run>
  /** Whether the step stands, however deep, in one of this kind. */
  isInside(kind: string): boolean
  /** Notes that the step was made from this file, too: the flow is another one when it changes. @param path absolute */
  madeFrom(path: string, text: string): void
  /** Notes that the step calls another flow; that it is there is checked once all flows are known. */
  calls(flow: string, at: Path): void
}

export interface StepKind<Keys extends TProperties = TProperties> extends Described {
  /** The only place where the options are written down. */
  readonly options: TObject<Keys>
  /** The option that a bare text stands for: `- log: text`. */
  readonly shorthand?: keyof Keys & string
  /** ms, where the step has no `timeout`. */
  readonly timeout?: number
  /** It consists of other steps: there is no `retry` of it. */
  readonly composite?: boolean
  /** Once per deployment: compiles, checks names, reports problems. */
  prepare(options: Static<TObject<Keys>>, deployment: Deployment): PreparedStep | Promise<PreparedStep>
  /** What `sluice explain` tells of a step; options fit the schema, `prepare` may have found mistakes in them. Left out: the summary. */
  explain?(options: Static<TObject<Keys>>, explaining: Explaining): StepExplanation
}

/** How a run ended. */
export interface RunResult {
  /** Undefined: it was not let in, and there is no record of it. */
  readonly id: string | undefined
  readonly status: 'COMPLETED' | 'FAILED' | 'CANCELLED'
  readonly message: Message
  readonly failure?: Failure
  /** The flow failed, and its `onError` said what the caller gets: the message. */
  readonly replied?: boolean
}

export interface RunRequest {
  readonly message: Message
  readonly trigger: TriggerInfo
  readonly correlationId?: string
  readonly traceparent?: string
  readonly caller?: string
  /** Id of the run that asks for it. */
  readonly calledBy?: string
  /** Other values than the deployed ones for this run (`sluice run --param`); checked by who asks. */
  readonly parameters?: Readonly<Record<string, ParameterValue>>
  /** Monotonic ms after which it may not go on, where the flow's own time is longer. */
  readonly deadline?: number
  /** The run is on disk before it begins. */
  readonly durable?: boolean
  /** Gets a function that calls it off: while it waits to be let in, and again when it runs. */
  readonly onStart?: (cancel: (reason: Failure) => void) => void
}

/** What a trigger may do with its flow. */
export interface TriggerHost {
  readonly flow: string
  /** Runs the flow; the result comes synchronously where every step is. Never throws or rejects. */
  process(request: RunRequest): RunResult | Promise<RunResult>
  /** Tells that so many ticks were due for which the flow does not run. */
  missed?(ticks: number): void
}

export interface PreparedTrigger {
  /** Cannot fail: what can fail is in prepare. */
  start(host: TriggerHost): void
  /** Fires no more. Runs that go on are the engine's business. */
  stop(): Promise<void>
  /** For people, one line: `every 1m`, `cron 0 2 * * * Europe/Brussels`, `POST /orders`. */
  readonly summary: string
  /** For people: when it fires next (epoch ms). */
  next?(): number | undefined
  /** For people: the endpoint it serves. */
  readonly route?: {
    readonly methods: readonly string[]
    readonly path: string
    readonly access: EndpointAccess
    /** The content types that are taken; undefined: every one. */
    readonly contentTypes?: readonly string[]
    /** JSON Schema of the body. */
    readonly schema?: object
    /** Whether `Retry-After` may come. */
    readonly limited?: boolean
  }
}

export interface TriggerKind<Keys extends TProperties = TProperties> extends Described {
  readonly options: TObject<Keys>
  readonly shorthand?: keyof Keys & string
  /** ms, of a run, where the flow has no `timeout`. */
  readonly timeout: number
  /** Where the flow has no `concurrency`. */
  concurrency(options: Static<TObject<Keys>>): { running: number; waiting: number }
  prepare(options: Static<TObject<Keys>>, deployment: Deployment): PreparedTrigger | Promise<PreparedTrigger>
  /** What `sluice explain` tells; as with steps. */
  explain?(options: Static<TObject<Keys>>, explaining: Explaining): TriggerExplanation
}

/** Fields that every kind of credential may have; the security material takes care of them. */
export interface CredentialFrame {
  readonly name: string
  readonly description: string | undefined
  readonly baseUrl: URL | undefined
  readonly allowedHosts: readonly string[]
}

export interface CredentialKind<Keys extends TProperties = TProperties> extends Described {
  /** Own options; the common ones (`description, baseUrl, allowedHosts, apiHeaders, apiQuery`, where there is a secret `rotateAfter, secretSince`) are added for it. */
  readonly options: TObject<Keys>
  /** Its token may be another credential's assertion. */
  readonly lends?: true
  /** It asks a token service: a client certificate goes there, and to the receiver only with `tls.useForApi`. */
  readonly asksService?: true
  /** Checks what the schema cannot say. References are resolved: texts are texts, secrets are `Secret`. */
  check?(
    options: Static<TObject<Keys>>,
    problem: (report: ProblemReport) => void,
    origin: CredentialOrigin,
  ): void
  prepare(options: Static<TObject<Keys>>, frame: CredentialFrame, setting: CredentialSetting): Authorizer
  /** The tenants that steps may name; none where tokens are those of a single one. */
  tenants?(options: Static<TObject<Keys>>): readonly string[]
  /** What `sluice credential show` tells of the settings, in the integrator's words; no secrets. */
  describe?(options: Static<TObject<Keys>>): Readonly<Record<string, string>>
  /**
   * What it puts on a request, and where, for `sluice explain`: `a key in the header X-API-Key`; no secrets.
   * References without a value still stand in the options as they were written.
   */
  explain?(options: Static<TObject<Keys>>): string
  /** The properties of a destination of BTP that say the same to other programs; no secrets. Left out: no authentication. */
  asDestination?(options: Static<TObject<Keys>>): DestinationProperties
}

/** Where a credential was written. */
export interface CredentialOrigin {
  /** Elsewhere, for another system: what is only a matter of good taste here does not count. */
  readonly imported: boolean
  /** Its token requests go by the Cloud Connector, to virtual hosts. */
  readonly onPremise: boolean
}

export interface CredentialSetting {
  readonly world: World
  readonly log: Services['log']
  readonly storedTokens: StoredTokens
  /** The token of another credential. @throws Failure `credential.*` */
  borrow(credential: string, until: Cancellation): Promise<LentToken>
  /** From now on this text is redacted at every sink. Returns how to end that. @param ms that it is still good for */
  redact(secret: string): (ms?: number) => void
  /** What others say, without what is redacted now: before it is cleaned, cut or told. */
  hide(text: string): string
}

/** Kinds of any options: what registries hold. */
export type AnyStepKind = Omit<StepKind, 'options' | 'prepare' | 'explain' | 'shorthand'> & {
  options: TSchema
  shorthand?: string
  prepare(options: never, deployment: Deployment): PreparedStep | Promise<PreparedStep>
  explain?(options: never, explaining: Explaining): StepExplanation
}
export type AnyTriggerKind = Omit<
  TriggerKind,
  'options' | 'prepare' | 'explain' | 'concurrency' | 'shorthand'
> & {
  options: TSchema
  shorthand?: string
  concurrency(options: never): { running: number; waiting: number }
  prepare(options: never, deployment: Deployment): PreparedTrigger | Promise<PreparedTrigger>
  explain?(options: never, explaining: Explaining): TriggerExplanation
}
export type AnyCredentialKind = Omit<
  CredentialKind,
  'options' | 'check' | 'prepare' | 'describe' | 'tenants' | 'explain' | 'asDestination'
> & {
  options: TSchema
  check?(options: never, problem: (report: ProblemReport) => void, origin: CredentialOrigin): void
  prepare(options: never, frame: CredentialFrame, setting: CredentialSetting): Authorizer
  tenants?(options: never): readonly string[]
  describe?(options: never): Readonly<Record<string, string>>
  explain?(options: never): string
  asDestination?(options: never): DestinationProperties
}

export function defineStep<Keys extends TProperties>(kind: StepKind<Keys>): AnyStepKind {
  return kind
}

export function defineTrigger<Keys extends TProperties>(kind: TriggerKind<Keys>): AnyTriggerKind {
  return kind
}

export function defineCredential<Keys extends TProperties>(kind: CredentialKind<Keys>): AnyCredentialKind {
  return kind
}
