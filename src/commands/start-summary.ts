import type { App } from '../app.ts'
import type { FlowState } from '../core/control.ts'
import type { CommandIo } from './command.ts'
import { paint, table } from './paint.ts'

/** What a person wants to know after the start: what runs, when, how to call it, where to look. */
export function startSummary(app: App, io: CommandIo, log: string): string {
  const color = paint(io.color)
  const status = app.control.status()
  const flows = app.control.flows()
  const running = flows.filter(({ state }) => state === 'running')
  const lines = [
    `\n${color.bold('Sluice')} ${status.version} ${app.url === undefined ? '' : `on ${color.cyan(app.url)}`}\n\n`,
  ]

  const timers = running.filter(({ trigger }) => trigger?.kind === 'timer')
  if (timers.length > 0)
    lines.push(
      `${color.bold('Timers')}\n`,
      table(timers.map((flow) => [`  ${flow.name}`, flow.trigger!.summary, `next ${nextTime(flow.next)}`])),
      '\n',
    )
  const endpoints = running.filter(({ route }) => route !== undefined)
  if (endpoints.length > 0)
    lines.push(
      `${color.bold('Endpoints')}\n`,
      table(endpoints.map((flow) => [`  ${flow.name}`, curl(flow, app.url ?? '')])),
      '\n',
    )
  const callable = running.filter(({ trigger }) => trigger === undefined)
  if (callable.length > 0)
    lines.push(
      `${color.bold('Run by hand')}\n`,
      table(callable.map(({ name }) => [`  ${name}`, `sluice run ${name}`])),
      '\n',
    )
  const idle = flows.filter(({ state }) => state !== 'running')
  if (idle.length > 0)
    lines.push(
      `${color.yellow('Not running')}\n`,
      table(idle.map(({ name, state, reason }) => [`  ${name}`, state, reason ?? ''])),
      '\n',
    )
  if (flows.length === 0) lines.push('There are no flows yet: put one into the folder of flows.\n\n')
  lines.push(
    table([
      ...(status.management === undefined
        ? []
        : [[color.dim('Management'), `${status.management}/health  ${status.management}/metrics`]]),
      [color.dim('Message log'), `${status.dataFolder}  ${color.dim(`${log}, ${log} --follow`)}`],
      ...(app.abandoned === 0
        ? []
        : [
            [
              color.yellow('Abandoned'),
              `${app.abandoned} runs were cut off by the last stop: ${log} --status ABANDONED`,
            ],
          ]),
    ]),
  )
  return lines.join('')
}

function nextTime(next: number | undefined): string {
  if (next === undefined) return 'never again'
  return next <= Date.now() ? 'now' : new Date(next).toLocaleString('sv-SE')
}

/** A line to copy: how to call an endpoint. */
export function curl({ route }: FlowState, url: string): string {
  const method = route!.methods[0]!
  const words = ['curl', '-s']
  if (method !== 'GET') words.push('-X', method)
  if (['POST', 'PUT', 'PATCH'].includes(method))
    words.push('-H', "'content-type: application/json'", '-d', "'{}'")
  const path = route!.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `<${name}>`)
  words.push(/[<*?]/.test(path) ? `'${url}/http${path}'` : `${url}/http${path}`)
  return words.join(' ')
}
