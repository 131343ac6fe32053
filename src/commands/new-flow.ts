import { didYouMean } from '../core/problem.ts'
import type { CredentialReport } from '../core/control.ts'
import { flowSchema, stepKeys } from '../flow/schema.ts'
import {
  credentialOptions,
  exampleOptions,
  flowSkeleton,
  mainOption,
  type SkeletonKind,
  type SkeletonStep,
} from '../reference/flow-skeleton.ts'
import { steps } from '../steps/index.ts'
import { triggers } from '../triggers/index.ts'
import { UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { unknown } from './credential-test.ts'
import { folderOptions, pathOf, refuseExisting, told, writeChecked } from './new-file.ts'
import { appSettingFor, settingsFor } from './project-setting.ts'
import { canAsk, Questions } from './questions.ts'

/** A flow that others call has none. */
const NO_TRIGGER = 'none'
const TRIGGERS = [...triggers.map(({ name }) => name), NO_TRIGGER]
const STEPS = steps.map(({ name }) => name)
/** The flags of each trigger. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  timer: ['every', 'cron', 'timezone'],
  endpoint: ['path', 'method'],
}

type Options = Readonly<
  Record<
    'trigger' | 'every' | 'cron' | 'timezone' | 'path' | 'method' | 'credential' | 'description',
    string | undefined
  >
> & { readonly step?: readonly string[] }

export const newFlowCommand: CommandDefinition = {
  name: 'new flow',
  summary: 'Writes a new flow, with every option of its trigger and steps explained.',
  arguments: [
    { name: 'name', optional: true, description: 'name of the flow; "orders/new" is flows/orders/new.yaml' },
  ],
  options: [
    {
      flags: '--trigger <kind>',
      description: `what starts it: ${TRIGGERS.join(', ')} (other flows call it)`,
    },
    { flags: '--every <duration>', description: 'timer: a period, like 5m' },
    { flags: '--cron <pattern>', description: 'timer: a cron pattern, like "0 2 * * *"' },
    { flags: '--timezone <zone>', description: 'timer: of the pattern, like Europe/Brussels' },
    { flags: '--path <path>', description: 'endpoint: the path under /http (default: its name)' },
    {
      flags: '--method <method>',
      description: 'endpoint: GET, POST, ...; several with commas (default: POST)',
    },
    {
      flags: '--step <kind[=text]>',
      description: `a step, in order (default: log): ${STEPS.join(', ')}; the text is what stands behind the kind`,
      repeatable: true,
    },
    { flags: '--credential <name>', description: 'for its steps that may have one' },
    { flags: '--description <text>', description: 'what it is for' },
    ...folderOptions,
  ],
  examples: [
    'sluice new flow',
    'sluice new flow orders --trigger endpoint --step script --step log',
    'sluice new flow copy-items --cron "0 2 * * *" \\\n    --step http=admin/Items --credential lms_admin',
    'sluice new flow price --trigger none --step set',
  ],
  details: `On a terminal it asks for what is missing. An existing file is never overwritten. What it writes passes \`sluice check\`; \
where the values do not, their mistakes are shown and nothing is written.
Exit code: 0 written, 1 not written, 2 wrong usage, 3 a fault.`,
  async run(io, [given], all) {
    const options = all as Options
    checkFlags(options)
    const settings = await settingsFor(io, all)
    const questions = canAsk(io) ? new Questions(io) : undefined
    try {
      const name = await nameOf(given, questions)
      const path = pathOf(settings.flows, name)
      await refuseExisting(io, path)
      const trigger = await triggerOf(name, options, questions)
      const wanted = await stepsOf(options, questions)
      const credential = await credentialFor(wanted, options, questions, io, all)
      const text = flowSkeleton({
        about: `A flow: a list of steps, the first of which may start it. Options with a # before them are off; what follows "# " explains. \`sluice check\` tells mistakes.`,
        description: options.description ?? `What the flow "${name}" is for.`,
        trigger,
        steps: wanted.map((step) => withCredential(step, credential)),
        flow: flowSchema,
        stepKeys,
      })
      const shown = await writeChecked(io, all, path, 'flow', text)
      io.stdout(
        told(shown, [
          ['npx sluice check', 'after each change of it'],
          [`npx sluice run ${name}`, 'once, now, whatever its trigger'],
          ['npx sluice start --watch', 'serves endpoints and fires timers'],
        ]),
      )
      return 0
    } finally {
      questions?.close()
    }
  },
}

/** The trigger that flags of its own speak of, where it is not named. */
function namedTrigger(options: Options): string | undefined {
  return (
    options.trigger ?? Object.keys(FLAGS).find((kind) => FLAGS[kind]!.some((flag) => given(options, flag)))
  )
}

function given(options: Options, flag: string): boolean {
  return options[flag as keyof Options] !== undefined
}

function checkFlags(options: Options): void {
  const trigger = namedTrigger(options)
  if (trigger === undefined) return
  if (!TRIGGERS.includes(trigger))
    throw new UsageError(
      `--trigger: there is no trigger "${trigger}"${didYouMean(trigger, TRIGGERS)}; there are: ${TRIGGERS.join(', ')}`,
    )
  for (const [kind, flags] of Object.entries(FLAGS)) {
    const foreign = flags.find((flag) => kind !== trigger && given(options, flag))
    if (foreign !== undefined)
      throw new UsageError(`--${foreign} goes with --trigger ${kind}, not with ${trigger}`)
  }
  if (given(options, 'every') && given(options, 'cron'))
    throw new UsageError('--every and --cron: a timer has one of them')
}

async function nameOf(given: string | undefined, questions: Questions | undefined): Promise<string> {
  const name = given?.replace(/\.ya?ml$/, '')
  const complaint = name === undefined ? undefined : badName(name)
  if (complaint !== undefined) throw new UsageError(complaint)
  if (name !== undefined) return name
  if (!questions)
    throw new UsageError('the name of the flow is missing: sluice new flow NAME --trigger KIND --step KIND')
  return questions.ask('Name of the flow', undefined, badName)
}

function badName(name: string): string | undefined {
  if (/^[a-z0-9][a-z0-9-]*(\/[a-z0-9-]+)*$/.test(name)) return undefined
  return `"${name}" cannot be the name of a flow: small letters, digits and "-", with "/" between folders`
}

async function triggerOf(
  name: string,
  options: Options,
  questions: Questions | undefined,
): Promise<SkeletonStep | undefined> {
  const named = namedTrigger(options)
  if (named === undefined && !questions)
    throw new UsageError(
      `what starts the flow is missing: --trigger ${TRIGGERS.join('|')}, with --every or --cron for a timer`,
    )
  const trigger =
    named ??
    (await questions!.ask(`What starts it: ${TRIGGERS.join(', ')}`, 'endpoint', (answer) =>
      TRIGGERS.includes(answer) ? undefined : `one of ${TRIGGERS.join(', ')}${didYouMean(answer, TRIGGERS)}`,
    ))
  if (trigger === NO_TRIGGER) return undefined
  const kind: SkeletonKind = triggers.find((kind) => kind.name === trigger)!
  if (trigger === 'timer') return { kind, given: await timerOptions(options, questions) }
  const example = exampleOptions(kind)
  const path = options.path ?? (questions ? await questions.ask('Path under /http', `/${name}`) : `/${name}`)
  const methods = options.method ?? (named === undefined ? await questions!.ask('Method', 'POST') : 'POST')
  const method = methods.split(/[\s,]+/).map((word) => word.toUpperCase())
  return { kind, given: { ...example, path, method: method.length === 1 ? method[0] : method } }
}

async function timerOptions(
  { every, cron, timezone }: Options,
  questions: Questions | undefined,
): Promise<Record<string, string>> {
  const zone = timezone === undefined ? {} : { timezone }
  if (every !== undefined) return { every, ...zone }
  if (cron !== undefined) return { cron, ...zone }
  if (!questions) throw new UsageError('when the timer fires is missing: --every 5m, or --cron "0 2 * * *"')
  const answer = await questions.ask('When: a period (5m), or a cron pattern (0 2 * * *)', '5m')
  return /\s/.test(answer) ? { cron: answer, ...zone } : { every: answer, ...zone }
}

async function stepsOf(options: Options, questions: Questions | undefined): Promise<SkeletonStep[]> {
  if (options.step !== undefined) return options.step.map(stepOf)
  if (!questions) return [stepOf('log')]
  const answer = await questions.ask(`Steps, in order, of ${STEPS.join(', ')}`, 'log', (answer) => {
    const strange = kindsIn(answer).find((kind) => !STEPS.includes(kind))
    return strange === undefined ? undefined : `there is no step "${strange}"${didYouMean(strange, STEPS)}`
  })
  return kindsIn(answer).map(stepOf)
}

function kindsIn(answer: string): string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== '')
}

/** `http` or `http=https://...`. */
function stepOf(text: string): SkeletonStep {
  const at = text.indexOf('=')
  const name = at === -1 ? text : text.slice(0, at)
  const kind: SkeletonKind | undefined = steps.find((kind) => kind.name === name)
  if (!kind)
    throw new UsageError(
      `--step: there is no step "${name}"${didYouMean(name, STEPS)}; there are: ${STEPS.join(', ')}`,
    )
  if (at === -1) return { kind, given: exampleOptions(kind) }
  const value = text.slice(at + 1)
  return { kind, given: { [mainOption(kind)]: /^\d+$/.test(value) ? Number(value) : value } }
}

async function credentialFor(
  wanted: readonly SkeletonStep[],
  options: Options,
  questions: Questions | undefined,
  io: CommandIo,
  all: Record<string, unknown>,
): Promise<CredentialReport | undefined> {
  const isOffered = wanted.some(({ kind }) => credentialOptions(kind).length > 0)
  if (options.credential !== undefined && !isOffered)
    throw new UsageError('--credential: none of the steps has one; add --step http')
  if (!isOffered || (options.credential === undefined && (!questions || options.step !== undefined)))
    return undefined
  const { checkedState } = await import('../app.ts')
  const { credentials } = await checkedState(await appSettingFor(io, { logLevel: 'error', ...all }))
  const names = credentials.map(({ name }) => name)
  if (options.credential === undefined && names.length === 0) return undefined
  const name =
    options.credential ??
    (await questions!.ask(`Credential: ${names.join(', ')} or none`, 'none', (answer) =>
      answer === 'none' || names.includes(answer)
        ? undefined
        : `there is none of this name${didYouMean(answer, names)}`,
    ))
  const found = credentials.find((credential) => credential.name === name)
  if (!found && options.credential !== undefined) throw unknown(name, names)
  return found
}

/** With the credential where the step may have one, and an address where the credential may go. */
function withCredential(
  { kind, given }: SkeletonStep,
  credential: CredentialReport | undefined,
): SkeletonStep {
  const [option] = credentialOptions(kind)
  if (!credential || option === undefined) return { kind, given }
  const main = mainOption(kind)
  const host = credential.hosts[0]?.replace('*', 'api')
  const isExample = given[main] === exampleOptions(kind)[main]
  const address =
    credential.baseUrl !== undefined || host === undefined
      ? 'items'
      : host.includes('://')
        ? `${host}/items`
        : `https://${host}/items`
  return { kind, given: { ...given, ...(isExample && { [main]: address }), [option]: credential.name } }
}
