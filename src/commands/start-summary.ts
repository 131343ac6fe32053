import { TOKEN_PATH } from '../access/token-service.ts'
import { wantsRole, type EndpointAccess, type Scheme } from '../core/access.ts'
import type { App } from '../app.ts'
import type { FlowState } from '../core/control.ts'
import type { CommandIo } from './command.ts'
import { paint, table } from './paint.ts'
import { sayCount, some } from './run-words.ts'
import { wrap } from './wrap.ts'

/** Flows of a kind that are shown. */
const SHOWN = 20

/** What a person wants to know after the start: what runs, when, how to call it, where to look. */
export function startSummary(app: App, io: CommandIo, log: string): string {
  const color = paint(io.color)
  const status = app.control.status()
  const flows = app.control.flows()
  const running = flows.filter(({ state }) => state === 'running')
  const lines = [
    `\n${color.bold('Sluice')} ${status.version} ${app.url === undefined ? '' : `on ${color.cyan(app.url)}`}\n\n`,
  ]

  const section = (
    title: string,
    all: readonly FlowState[],
    rows: (shown: readonly FlowState[]) => string,
  ): void => {
    if (all.length === 0) return
    const more = all.length - SHOWN
    const rest = more > 0 ? `  … and ${sayCount(more)} more: sluice flow list\n` : ''
    lines.push(`${title}\n${rows(all.slice(0, SHOWN))}${rest}\n`)
  }
  section(
    color.bold('Timers'),
    running.filter(({ trigger }) => trigger?.kind === 'timer'),
    (shown) =>
      table(shown.map((flow) => [`  ${flow.name}`, flow.trigger!.summary, `next ${nextTime(flow.next)}`])),
  )
  section(
    color.bold('Endpoints'),
    running.filter(({ route }) => route !== undefined),
    (shown) => calls(shown, app.url ?? '', io.columns),
  )
  const closed = running.filter(({ route }) => route !== undefined && takesTokens(route.access))
  if (closed.length > 0)
    lines.push(
      `${color.bold('Tokens')} for $TOKEN: \`sluice client create\`, then\n`,
      `${brokenBefore(app.url ?? '', `  ${tokenCurl(undefined, app.url ?? '')}`, io.columns)}\n\n`,
    )
  section(
    color.bold('Run by hand'),
    running.filter(({ trigger }) => trigger === undefined),
    (shown) => table(shown.map(({ name }) => [`  ${name}`, `sluice run ${name}`])),
  )
  section(
    color.yellow('Not running'),
    flows.filter(({ state }) => state !== 'running'),
    (shown) => table(reasons(shown, io.columns)),
  )
  if (flows.length === 0)
    lines.push('There are no flows yet: `sluice new flow` writes one, `sluice init --add` some to try.\n\n')
  if (status.management !== undefined)
    lines.push(
      noted('Management', color.dim, status.management, ['/api', '/openapi', '/health', '/metrics'], io),
    )
  if (app.loginLink !== undefined)
    lines.push(
      `${color.dim('Log in')}       ${color.cyan(app.loginLink)}\n${' '.repeat(13)}${color.dim('once, within 5 minutes, in a browser of this machine')}\n`,
    )
  lines.push(noted('Message log', color.dim, status.dataFolder, [log, `${log} --follow`], io))
  if (app.abandoned > 0)
    lines.push(
      noted(
        'Abandoned',
        color.yellow,
        `${some(app.abandoned, 'run')} cut off by the last stop:`,
        [`${log} --status ABANDONED`],
        io,
      ),
    )
  return lines.join('')
}

function nextTime(next: number | undefined): string {
  if (next === undefined) return 'never again'
  return next <= Date.now() ? 'now' : new Date(next).toLocaleString('sv-SE')
}

/** How to call each; where a line has not enough room for one, each has lines of its own. */
function calls(endpoints: readonly FlowState[], url: string, columns: number): string {
  const onOne = table(endpoints.map((flow) => [`  ${flow.name}`, curl(flow, url)]))
  if (onOne.split('\n').every((line) => line.length <= columns)) return onOne
  return endpoints
    .map((flow) => `  ${flow.name}\n${brokenBefore(url, `    ${curl(flow, url)}`, columns)}\n`)
    .join('')
}

/** A command of the shell on two lines where it is too long for one. */
function brokenBefore(word: string, command: string, columns: number): string {
  return command.length <= columns
    ? command
    : command.replace(new RegExp(` (?='?${RegExp.escape(word)})`), ' \\\n      ')
}

/** A fact with what to type, on one line where there is room for it. */
function noted(
  label: string,
  tone: (text: string) => string,
  fact: string,
  commands: readonly string[],
  { color, columns }: CommandIo,
): string {
  const { dim } = paint(color)
  const indent = 'Message log  '.length
  const start = `${tone(label)}${' '.repeat(indent - label.length)}${fact}`
  const all = commands.join(', ')
  if (indent + fact.length + 2 + all.length <= columns) return `${start}  ${dim(all)}\n`
  return `${start}\n${commands.map((command) => `${' '.repeat(indent)}${dim(command)}\n`).join('')}`
}

/** Why flows do not run; a long reason goes on in rows of its own. */
function reasons(flows: readonly FlowState[], columns: number): string[][] {
  const used = Math.max(...flows.map(({ name, state }) => name.length + state.length)) + 6
  return flows.flatMap(({ name, state, reason = '' }) =>
    wrap(reason, Math.max(40, columns - used)).map((part, i) =>
      i === 0 ? [`  ${name}`, state, part] : ['', '', part],
    ),
  )
}

/** How curl shows who it is. */
const SHOWING: Readonly<Record<Scheme, readonly string[]>> = {
  oauth2: ['-H', '"authorization: Bearer $TOKEN"'],
  basic: ['-u', "'<client id>'"],
  apiKey: ['-H', '"x-api-key: $API_KEY"'],
  certificate: ['--cert', "'<file>'", '--key', "'<file>'"],
}

/** Whether a token lets a caller in. */
export function takesTokens(access: EndpointAccess): boolean {
  return wantsRole(access) && access.schemes?.includes('oauth2') !== false
}

/** A command to copy: how to call an endpoint. */
export function curl({ route }: FlowState, url: string): string {
  const method = route!.methods[0]!
  const words = ['curl', '-s']
  if (wantsRole(route!.access)) words.push(...SHOWING[route!.access.schemes?.[0] ?? 'oauth2'])
  if (method !== 'GET') words.push('-X', method)
  if (['POST', 'PUT', 'PATCH'].includes(method))
    words.push('-H', "'content-type: application/json'", '-d', "'{}'")
  const path = route!.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `<${name}>`)
  words.push(/[<*?]/.test(path) ? `'${url}/http${path}'` : `${url}/http${path}`)
  return words.join(' ')
}

/** A command to copy: how a client gets a token; curl asks for the secret. */
export function tokenCurl(clientId: string | undefined, url: string): string {
  return `curl -s -u ${clientId ?? "'<client id>'"} -d grant_type=client_credentials ${url}${TOKEN_PATH}`
}
