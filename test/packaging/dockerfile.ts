import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Instruction {
  readonly name: string
  readonly text: string
}

/** The instructions of the Dockerfile, by stage. */
export function dockerStages(): Instruction[][] {
  const text = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8')
  const stages: Instruction[][] = []
  for (const line of text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, '')
    .split('\n')) {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line)
    if (!match) {
      if (line.trim() !== '') throw new Error(`no instruction: ${line}`)
      continue
    }
    if (match[1] === 'FROM') stages.push([])
    stages.at(-1)!.push({ name: match[1]!, text: match[2]! })
  }
  return stages
}

/** What a container is started with. */
export function imageSetting() {
  const last = dockerStages().at(-1)!
  const text = (name: string) => last.findLast((instruction) => instruction.name === name)!.text
  const exec = (name: string) => JSON.parse(text(name).replace(/^.*?\[/, '[')) as string[]
  return {
    user: text('USER'),
    workingFolder: text('WORKDIR'),
    volume: text('VOLUME'),
    stopSignal: text('STOPSIGNAL') as NodeJS.Signals,
    command: [...exec('ENTRYPOINT'), ...exec('CMD')],
    health: exec('HEALTHCHECK'),
    environment: Object.fromEntries(
      text('ENV')
        .split(/\s+/)
        .map((pair) => pair.split('=') as [string, string]),
    ),
  }
}
