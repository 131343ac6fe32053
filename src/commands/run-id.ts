import type { MessageLogReader } from '../store/reading.ts'
import { Stop } from './command.ts'

/** The id of the run that begins or ends with this text. @throws Stop where there is none, or several */
export function runIdOf(text: string, reader: MessageLogReader): string {
  const [id, ...others] = reader.find(text)
  if (id === undefined) {
    const none = reader.flows().length === 0
    throw new Stop(
      1,
      none
        ? `there is no run "${text}"; no runs yet`
        : `there is no run "${text}"; \`sluice log\` lists them`,
    )
  }
  if (others.length > 0)
    throw new Stop(
      1,
      `"${text}" is the beginning or end of several runs; give more of the id:\n${[id, ...others].map((entry) => `  ${entry}`).join('\n')}`,
    )
  return id
}
