import { connectControl } from '../server/control-client.ts'
import { MessageLogReader } from '../store/reading.ts'
import { Stop, type CommandDefinition } from './command.ts'
import { dataOption, settingsFor } from './project-setting.ts'
import { runIdOf } from './run-id.ts'
import { shortId } from './run-list.ts'

export const cancelCommand: CommandDefinition = {
  name: 'cancel',
  summary: 'Cancels a run that is going on in the running engine.',
  arguments: [
    {
      name: 'run',
      description: 'id of the run, or enough of its end (as sluice log shows it) or of its beginning',
    },
  ],
  options: [dataOption],
  examples: ['sluice log --status PROCESSING', 'sluice cancel 8f2a4c6e1b3d'],
  details: `It ends as CANCELLED as soon as the step that it is in lets it.
Exit code: 0 cancelled, 1 it is not going on, 2 wrong usage, 3 a fault.`,
  async run(io, [text = ''], given) {
    const { data } = await settingsFor(io, given)
    const engine = await connectControl(data)
    if (!engine) throw new Stop(1, 'no engine runs on this data folder; so no run goes on')
    using reader = new MessageLogReader(data)
    const id = runIdOf(text, reader)
    const cancelled = await engine.cancelRun(id)
    if (!cancelled)
      throw new Stop(
        1,
        `the run ${shortId(id)} is not going on: sluice log ${shortId(id)} shows how it ended`,
      )
    io.stdout(`cancelled ${shortId(id)}, a run of "${cancelled.flow}"\n`)
    return 0
  },
}
