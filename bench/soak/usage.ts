import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process takes of the system. */
export interface Usage {
  /** Resident memory, MB. */
  readonly memory: number
  readonly descriptors: number
  readonly sockets: number
  readonly threads: number
  readonly children: readonly Descendant[]
  /** Resident memory of its children, MB. */
  readonly childMemory: number
}

export interface Descendant {
  readonly pid: number
  /** Ticks of the system since its start: tells it from another process with the same number. */
  readonly since: string
}

/** Undefined where the system does not tell, and when the process is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
    const children = childrenOf(pid)
    return {
      memory: memoryIn(status),
      descriptors: targets.length,
      sockets: targets.filter((target) => target.startsWith('socket:')).length,
      threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1] ?? 0),
      children,
      childMemory: children.reduce((sum, child) => sum + memoryOf(child.pid), 0),
    }
  } catch {
    return undefined
  }
}

/** Whether it is still there. */
export function isAlive({ pid, since }: Descendant): boolean {
  return statOf(pid)?.since === since
}

/** Its children, and theirs. */
function childrenOf(parent: number): Descendant[] {
  const all = readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    return stat ? [{ pid: Number(name), ...stat }] : []
  })
  const below = (above: number): Descendant[] =>
    all.filter((each) => each.parent === above).flatMap(({ pid, since }) => [{ pid, since }, ...below(pid)])
  return below(parent)
}

function statOf(pid: number): { parent: number; since: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { parent: Number(fields[1]), since: fields[19]! }
  } catch {
    return undefined
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function memoryOf(pid: number): number {
  try {
    return memoryIn(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return 0
  }
}

function memoryIn(status: string): number {
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}
