import { mayCall, sayRule, saySchemes, wantsRole, type EndpointAccess } from '../core/access.ts'
import type { FlowState } from '../core/control.ts'
import { didYouMean } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import type { Settings } from '../config.ts'
import { readClients } from './client/files.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { sayLevel } from './flow-level.ts'
import { paint, table } from './paint.ts'
import { appSettingFor, settingOptions, settingsFor } from './project-setting.ts'
import { curl, takesTokens, tokenCurl } from './start-summary.ts'
import { waiting } from './waiting.ts'

/** Callers that are named. */
const MANY = 5

const options = [{ flags: '--json', description: 'as JSON' }, ...settingOptions]

export const flowListCommand: CommandDefinition = {
  name: 'flow list',
  summary: 'Lists the flows: what starts them, and whether they run.',
  options,
  examples: ['sluice flow list'],
  async run(io, _args, given) {
    const { flows } = await flowStates(io, given)
    if (given['json']) io.stdout(`${JSON.stringify(flows, undefined, 2)}\n`)
    else if (flows.length === 0) io.stdout('there are no flows yet: `sluice new flow` writes one\n')
    else io.stdout(printFlows(flows, io))
    return 0
  },
}

export const flowShowCommand: CommandDefinition = {
  name: 'flow show',
  summary: 'Shows a flow: its trigger, steps, parameters and credentials.',
  arguments: [{ name: 'flow', description: 'name of the flow' }],
  options,
  examples: ['sluice flow show lms-items'],
  async run(io, [name], given) {
    const { flows, url } = await flowStates(io, given)
    const flow = flows.find((entry) => entry.name === name)
    if (!flow) {
      const near = didYouMean(
        name!,
        flows.map((entry) => entry.name),
      )
      throw new Stop(1, `there is no flow "${name}"${near === '' ? '; `sluice flow list` lists them' : near}`)
    }
    if (given['json']) io.stdout(`${JSON.stringify(flow, undefined, 2)}\n`)
    else io.stdout(printFlow(flow, url, io, await callersOf(flow, await settingsFor(io, given))))
    return 0
  },
}

/** Of the running engine of this data folder, else of the files. */
async function flowStates(
  io: CommandIo,
  given: Record<string, unknown>,
): Promise<{ flows: readonly FlowState[]; url: string | undefined }> {
  const setting = await appSettingFor(io, given)
  const engine = await connectControl(setting.settings.data)
  if (!engine) {
    const { checkedState } = await import('../app.ts')
    const { flows } = await waiting(io, 'reading the files', checkedState(setting))
    return { flows, url: undefined }
  }
  return { flows: await engine.flows(), url: (await engine.status()).listen }
}

function printFlows(flows: readonly FlowState[], io: CommandIo): string {
  const color = paint(io.color)
  const state = (flow: FlowState) =>
    flow.state === 'running'
      ? color.green('running')
      : flow.state === 'broken'
        ? color.red('broken')
        : color.yellow(flow.state)
  const set = flows.filter(({ logLevelUntil }) => logLevelUntil !== undefined)
  const list = table([
    ['FLOW', 'STATE', 'TRIGGER', 'CREDENTIALS'].map(color.dim),
    ...flows.map((flow) => [
      flow.name,
      state(flow),
      flow.trigger ? `${flow.trigger.kind} ${flow.trigger.summary}` : 'none',
      flow.credentials.join(', ') || '-',
    ]),
  ])
  const levels = set.map((flow) => color.yellow(`${flow.name}: log level ${sayLevel(levelOf(flow))}\n`))
  return levels.length === 0 ? list : `${list}\n${levels.join('')}`
}

function levelOf({ logLevel, ownLogLevel, logLevelUntil }: FlowState): Parameters<typeof sayLevel>[0] {
  return { level: logLevel, own: ownLogLevel, until: logLevelUntil }
}

interface Callers {
  /** Their ids. */
  readonly clients: readonly string[]
  readonly issuers: readonly string[]
}

/** Who may call it by a role; undefined where none is wanted. */
async function callersOf({ route }: FlowState, settings: Settings): Promise<Callers | undefined> {
  const access = route?.access
  if (access === undefined || !wantsRole(access)) return undefined
  const { clients, issuers } = await readClients(settings)
  return {
    clients: clients
      .filter(({ enabled, roles }) => enabled && mayCall(access, roles))
      .map(({ clientId }) => clientId),
    issuers,
  }
}

function whoMayCall(access: EndpointAccess, callers: Callers = { clients: [], issuers: [] }): string {
  if (access === 'public') return 'everybody (access: public)'
  if ('signature' in access) return `whoever signs the body with the signing key "${access.signature}"`
  const { clients, issuers } = callers
  const some = clients.length > MANY ? [...clients.slice(0, MANY), `${clients.length - MANY} more`] : clients
  const others = issuers.length === 0 ? '' : `; callers of ${issuers.join(', ')} with it`
  return `clients with ${sayRule(access)}${saySchemes(access)}: ${some.length === 0 ? 'there is none' : some.join(', ')}${others}`
}

function printFlow(
  flow: FlowState,
  url: string | undefined,
  io: CommandIo,
  callers: Callers | undefined,
): string {
  const color = paint(io.color)
  const at = url ?? 'http://127.0.0.1:8080'
  const facts: string[][] = [
    ['file', flow.file],
    ['version', flow.version],
    ['state', flow.reason === undefined ? flow.state : `${flow.state}: ${flow.reason}`],
  ]
  if (flow.trigger) facts.push(['trigger', `${flow.trigger.kind} ${flow.trigger.summary}`])
  if (flow.next !== undefined) facts.push(['next', new Date(flow.next).toLocaleString('sv-SE')])
  if (flow.route) facts.push(['callers', whoMayCall(flow.route.access, callers)], ['call', curl(flow, at)])
  if (callers && takesTokens(flow.route!.access)) facts.push(['token', tokenCurl(callers.clients[0], at)])
  if (flow.credentials.length > 0) facts.push(['credentials', flow.credentials.join(', ')])
  for (const [name, value] of Object.entries(flow.parameters)) facts.push(['parameter', `${name} = ${value}`])
  facts.push(['log level', sayLevel(levelOf(flow))])
  if (flow.state === 'running') facts.push(['now', `${flow.running} running, ${flow.waiting} waiting`])
  const depth = (index: number): number => (index < 0 ? 0 : 1 + depth(flow.steps[index]!.parent))
  return [
    `${color.bold(flow.name)}${flow.description === undefined ? '' : `  ${flow.description}`}\n`,
    table(facts.map(([name, value]) => [`  ${color.dim(name!)}`, value!])),
    `  ${color.dim('steps')}\n`,
    table(
      flow.steps.map((step) => [
        `  ${'  '.repeat(depth(step.parent) + 1)}${step.kind}`,
        step.id,
        color.dim(`${flow.file}:${step.line}`),
        step.description ?? '',
      ]),
    ),
  ].join('')
}
