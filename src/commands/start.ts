import type { App } from '../app.ts'
import type { FlowState } from '../core/control.ts'
import { hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { paint, table } from './paint.ts'
import { appSettingFor, logCommandFor, parameterOption, settingOptions } from './project-setting.ts'

export const startCommand: CommandDefinition = {
  name: 'start',
  summary: 'Starts the engine: endpoints are served, timers fire, until it is told to stop.',
  options: [
    { flags: '--listen <address>', description: 'host:port of the endpoints (default: 127.0.0.1:8080)' },
    ...settingOptions,
    parameterOption,
    { flags: '--watch', description: 'changed flows take effect by themselves' },
    { flags: '--strict', description: 'end with exit code 1 when a flow is broken' },
    { flags: '--log-level <level>', description: "debug, info, warn or error: of the engine's own log" },
    { flags: '--log-format <format>', description: 'auto, pretty or json' },
  ],
  examples: ['sluice start', 'sluice start --listen 0.0.0.0:8080 --strict'],
  details:
    'SIGTERM and Ctrl-C end it gracefully: what runs may finish (setting shutdown.grace). SIGHUP reads flows again.',
  async run(io, _args, options) {
    const setting = await appSettingFor(io, options)
    const { startApp } = await import('../app.ts')
    const app = await startApp(setting)
    const { problems, texts } = app.project
    if (problems.length > 0)
      io.stderr(printProblems(problems, (file) => texts.get(file), { color: io.colorErrors }))
    if (
      setting.settings.strict &&
      (hasErrors(problems) || app.control.flows().some(({ state }) => state === 'stopped'))
    ) {
      await app.stop()
      throw new Stop(1, 'not started: there are problems, and the setting "strict" is on')
    }
    io.stdout(summary(app, io, await logCommandFor(setting.settings.data, io)))
    io.ready?.()
    io.onHangup?.(() => {
      app.control
        .reload()
        .catch((error: unknown) => app.log.error({ err: error }, 'a fault while flows were read'))
    })
    if (app.rings().length > 0) app.log.info({}, `script sandbox: ${app.rings().join('; ')}`)
    await until(io.signal)
    io.stderr('stopping: what runs may finish …\n')
    await app.stop()
    return 0
  },
}

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    // A timer keeps the process alive where nothing else does (no endpoint is served).
    const alive = setInterval(() => {}, 60_000)
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(alive)
        resolve()
      },
      { once: true },
    )
  })
}

/** What a person wants to know after the start: what runs, when, how to call it, where to look. */
function summary(app: App, io: CommandIo, log: string): string {
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
    `${color.dim('Ctrl-C stops it.')}\n`,
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
