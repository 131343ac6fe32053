import type { Rotation } from '../../access/client-text.ts'
import { Stop, UsageError } from '../command.ts'
import type { Change, Changes } from './change.ts'

/** How what a client shows is replaced, as the flags say. @throws UsageError */
export function rotationOf(given: Record<string, unknown>): Rotation {
  if (given['finish'] && given['now']) throw new UsageError('--finish and --now exclude each other')
  return given['finish'] ? 'finish' : given['now'] ? 'now' : 'add'
}

/** The same for what comes in a file, which is there for all but `finish`. @param what is in the file @throws UsageError */
export function rotationWithFile(
  given: Record<string, unknown>,
  file: string | undefined,
  what: string,
): Rotation {
  const rotation = rotationOf(given)
  if (rotation === 'finish' && file !== undefined)
    throw new UsageError('--finish and a file exclude each other')
  if (rotation !== 'finish' && file === undefined) throw new UsageError(`the file of the ${what} is missing`)
  return rotation
}

/** Takes all but the newest away. @param what `secret`, `API key`; the client has `count` of it */
export function finished(name: string, what: string, count: number, changes: () => Changes): Change {
  if (count > 1) return { changes: changes(), told: `"${name}" has its newest ${what} only.` }
  return { changes: {}, told: `"${name}" has ${count === 0 ? `no ${what}` : `one ${what} only`}` }
}

/** Of secrets and API keys there are two at the most. @param what `secrets` @param command of which `--finish` takes one away @throws Stop */
export function refuseThird(
  name: string,
  what: string,
  command: string,
  rotation: Rotation,
  count: number,
): void {
  if (rotation === 'add' && count > 1)
    throw new Stop(
      1,
      `"${name}" has two ${what}; \`sluice client ${command} ${name} --finish\` takes the older one away`,
    )
}

/** Until when those before go on; empty: there are none. @param command of which `--finish` takes them away */
export function sayBefore(name: string, command: string, rotation: Rotation, count: number): string {
  if (count === 0) return ''
  const [those, have, go] = count === 1 ? ['The one', 'has', 'goes'] : ['Those', 'have', 'go']
  return rotation === 'now'
    ? ` ${those} before ${have} ended.`
    : ` ${those} before ${go} on until: sluice client ${command} ${name} --finish`
}
