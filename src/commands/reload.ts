import type { ReloadReport } from '../core/control.ts'
import { printProblems } from '../flow/print.ts'
import { hasErrors } from '../core/problem.ts'
import { connectControl } from '../server/control-client.ts'
import { Stop, type CommandDefinition } from './command.ts'
import { dataOption, settingsFor } from './project-setting.ts'
import { waiting } from './waiting.ts'

export const reloadCommand: CommandDefinition = {
  name: 'reload',
  summary: 'Makes the running engine read flows, scripts and parameters again.',
  options: [dataOption, { flags: '--json', description: 'as JSON' }],
  examples: ['sluice reload'],
  details: `What is different and sound takes over at once; runs that are under way end on the version that they began with. \
A file with mistakes leaves the version before in force. SIGHUP does the same; with the setting "watch" it happens by itself.
Exit code: 0 done, 1 a file has mistakes, 2 wrong usage, 3 a fault.`,
  async run(io, _args, options) {
    const { data } = await settingsFor(io, options)
    const engine = await connectControl(data)
    if (!engine)
      throw new Stop(1, 'no engine runs on this data folder; flows are read when it starts: sluice start')
    const report = await waiting(io, 'the engine reads the files', engine.reload())
    if (options['json']) io.stdout(`${JSON.stringify(report, undefined, 2)}\n`)
    else {
      if (report.problems.length > 0)
        io.stdout(
          `${printProblems(report.problems, () => undefined, { color: io.color, columns: io.columns })}\n`,
        )
      io.stdout(printReload(report))
    }
    return hasErrors(report.problems) ? 1 : 0
  },
}

/** What became of the flows, a line each. */
export function printReload({ changed, added, removed, broken, unchanged, restart }: ReloadReport): string {
  const lines = [
    ...changed.map((flow) => `changed    ${flow}`),
    ...added.map((flow) => `runs now   ${flow}`),
    ...removed.map((flow) => `taken away ${flow}`),
    ...broken.map(
      ({ flow, running }) => `broken     ${flow}${running ? '; the version before goes on' : ''}`,
    ),
    `unchanged  ${unchanged} ${unchanged === 1 ? 'flow' : 'flows'}`,
    ...(restart.length === 0 ? [] : [`with the next start: ${restart.join(', ')}`]),
  ]
  return `${lines.join('\n')}\n`
}
