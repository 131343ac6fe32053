import { didYouMean, hasErrors } from '../core/problem.ts'
import { printProblems } from '../flow/print.ts'
import { Stop, type CommandDefinition } from './command.ts'
import { explanationLines } from './explanation-lines.ts'
import { appSettingFor, parameterOption, settingOptions } from './project-setting.ts'

export const explainCommand: CommandDefinition = {
  name: 'explain',
  summary:
    'Tells in plain words what a flow does: when it starts, each step in order, what happens on errors.',
  arguments: [{ name: 'flow', description: 'name of the flow, or its file' }],
  options: [{ flags: '--json', description: 'as JSON' }, ...settingOptions, parameterOption],
  examples: ['sluice explain lms-items', 'sluice explain flows/lms-items.yaml'],
  details:
    'Nothing is started, nothing is sent, and no secret is told. Expressions stand as they are written, in\nbackticks. Of a flow with problems it tells what is sound.\n\nExit code: 0 fine, 1 the flow has errors or is not there, 2 wrong usage, 3 a fault.',
  async run(io, [name], given) {
    const setting = await appSettingFor(io, given)
    const { names, flows, texts } = await (
      await import('../explain-project.ts')
    ).explainProject(setting, (one, file) => one === name || file === name)
    const [flow] = flows
    if (!flow) throw new Stop(1, notThere(name!, names))
    if (given['json']) io.stdout(`${JSON.stringify(flow, undefined, 2)}\n`)
    else {
      const problems = printProblems(flow.problems, (file) => texts.get(file), { color: io.color })
      const lines = flow.readable ? explanationLines(flow, io) : ''
      io.stdout(flow.problems.length === 0 ? lines : `${problems}${lines && '\n'}${lines}`)
    }
    return hasErrors(flow.problems) ? 1 : 0
  },
}

function notThere(name: string, names: readonly string[]): string {
  const near = didYouMean(name, names)
  if (near !== '') return `there is no flow "${name}"${near}`
  return names.length === 0
    ? `there is no flow "${name}": there are no flows at all`
    : `there is no flow "${name}"; sluice flow list shows those that are there`
}
