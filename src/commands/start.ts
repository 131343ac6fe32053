import { hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { Stop, type CommandDefinition } from './command.ts'
import { paint } from './paint.ts'
import {
  appSettingFor,
  listenOption,
  logCommandFor,
  managementOption,
  parameterOption,
  settingOptions,
} from './project-setting.ts'
import { checkProcess } from './safe-process.ts'
import { startSummary } from './start-summary.ts'
import { untilAborted } from './until-aborted.ts'
import { waiting } from './waiting.ts'

export const startCommand: CommandDefinition = {
  name: 'start',
  summary: 'Starts the engine: endpoints are served, timers fire, until it is told to stop.',
  options: [
    listenOption,
    managementOption,
    ...settingOptions,
    parameterOption,
    { flags: '--watch', description: 'changed flows take effect by themselves' },
    { flags: '--strict', description: 'end with exit code 1 when a flow is broken' },
    { flags: '--log-level <level>', description: "debug, info, warn or error: of the engine's own log" },
    { flags: '--log-format <format>', description: 'auto, pretty or json' },
  ],
  examples: ['sluice start', 'sluice start --listen 0.0.0.0:8080 --strict'],
  details:
    'SIGTERM and Ctrl-C end it gracefully: what runs may finish (setting shutdown.grace). SIGHUP reads flows again.\nExit code: 0 stopped, 1 not started because of problems, 2 wrong usage, 3 a fault.',
  async run(io, _args, options) {
    checkProcess(io)
    const setting = await appSettingFor(io, options, true)
    const { startApp } = await import('../app.ts')
    const app = await waiting(io, 'starting', startApp(setting))
    const { problems, texts } = app.project
    if (problems.length > 0)
      io.stderr(
        printProblems(problems, (file) => texts.get(file), { color: io.colorErrors, columns: io.columns }),
      )
    if (
      setting.settings.strict &&
      (hasErrors(problems) || app.control.flows().some(({ state }) => state === 'stopped'))
    ) {
      await app.stop()
      throw new Stop(1, 'not started: there are problems, and the setting "strict" is on')
    }
    const summary = startSummary(app, io, await logCommandFor(setting.settings.data, io))
    io.stdout(`${summary}${paint(io.color).dim('Ctrl-C stops it.')}\n`)
    io.ready?.()
    io.onHangup?.(() => void app.hangUp())
    if (app.rings().length > 0) app.log.info({}, `script sandbox: ${app.rings().join('; ')}`)
    await untilAborted(io.signal)
    io.stderr('stopping: what runs may finish; Ctrl-C ends it at once …\n')
    await app.stop()
    return 0
  },
}
