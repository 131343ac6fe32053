import { SETTINGS_FILE } from '../config.ts'
import { hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import type { CommandDefinition } from './command.ts'
import { appSettingOf, parameterOption, readSettings, settingOptions } from './project-setting.ts'

export const checkCommand: CommandDefinition = {
  name: 'check',
  summary: 'Checks all flows and credentials, without starting anything.',
  options: [
    ...settingOptions,
    parameterOption,
    { flags: '--secrets', description: 'secrets and other references without a value are errors' },
    { flags: '--json', description: 'the problems as JSON' },
  ],
  examples: ['sluice check', 'sluice check --secrets'],
  details: 'Exit code: 0 no errors (there may be warnings), 1 errors, 2 wrong usage, 3 a fault.',
  async run(io, _args, options) {
    const { settings, problems: ofSettings, text } = await readSettings(io, options)
    const setting = appSettingOf(settings, io, options)
    const { flows, problems: ofFiles, texts } = await (await import('../app.ts')).checkProject(setting)
    const found = [...ofSettings, ...ofFiles]
    const problems = options['secrets']
      ? found.map((problem) =>
          problem.code.endsWith('/unset') ? { ...problem, severity: 'error' as const } : problem,
        )
      : found
    const textOf = (file: string) => (file === SETTINGS_FILE ? text : texts.get(file))
    if (options['json']) io.stdout(`${JSON.stringify(problems, undefined, 2)}\n`)
    else if (problems.length > 0) io.stdout(printProblems(problems, textOf, { color: io.color }))
    else if (flows.length === 0) io.stdout(`no flows in ${settings.flows}\n`)
    else io.stdout(`${flows.length} ${flows.length === 1 ? 'flow' : 'flows'}, no problems\n`)
    return hasErrors(problems) ? 1 : 0
  },
}
