import { setTimeout as sleep } from 'node:timers/promises'
import type { Checks } from './checks.ts'
import { percentile } from './findings.ts'
import { usageOf, type Usage } from './usage.ts'

/** ms between two samples. */
export const SAMPLE = 1000
/** ms that an engine is left alone, so that idle connections end. */
const REST = 8000
/** Samples at its end, of which the lowest counts: timers go on. */
const LAST_SAMPLES = 6

/** Descriptors and sockets that may be more at rest than they were before. */
const MORE_AT_REST = 6
/** Script processes that may be more. */
const MORE_PROCESSES = 2
/** By so much memory may grow between the beginning and the end, and MB more. */
const GROWTH = 1.15
const GROWTH_MB = 24
/** The same for sockets and descriptors under load: of their lowest tenth, because what leaks is there at all times. */
const LOWEST = 0.1
const MORE_UNDER_LOAD = 1.25
const MORE_FEW = 24

export interface Sample extends Usage {
  /** ms since the load began. */
  readonly at: number
}

export type Rest = Pick<Usage, 'descriptors' | 'sockets'> & { readonly processes: number }

/** What a process takes when nobody calls. Undefined where the system does not tell. */
export async function restOf(pid: number, signal: AbortSignal): Promise<Rest | undefined> {
  await sleep(REST, undefined, { signal })
  const samples: Usage[] = []
  for (let i = 0; i < LAST_SAMPLES; i++) {
    await sleep(SAMPLE, undefined, { signal })
    const usage = usageOf(pid)
    if (usage) samples.push(usage)
  }
  if (samples.length === 0) return undefined
  const lowest = (value: (usage: Usage) => number) => Math.min(...samples.map(value))
  return {
    descriptors: lowest(({ descriptors }) => descriptors),
    sockets: lowest(({ sockets }) => sockets),
    processes: lowest(({ children }) => children.length),
  }
}

export function checkRest(checks: Checks, before: Rest | undefined, after: Rest | undefined): void {
  if (!before || !after) return checks.of('descriptors at rest', 'as before').tell(NOT_MEASURED)
  for (const key of ['descriptors', 'sockets', 'processes'] as const) {
    const most = before[key] + (key === 'processes' ? MORE_PROCESSES : MORE_AT_REST)
    checks
      .of(`${key} at rest`, `<= ${most}`)
      .tell(`${before[key]} before, ${after[key]} after`, after[key] <= most)
  }
}

const NOT_MEASURED = 'not measured on this system'

/**
 * The second fifth of the time against the last one.
 * @param length ms of the load
 */
export function checkGrowth(checks: Checks, samples: readonly Sample[], length: number): void {
  if (samples.length < 10) return checks.of('memory under load', 'flat').tell(NOT_MEASURED)
  const between = (from: number, to: number) =>
    samples.filter(({ at }) => at >= length * from && at < length * to)
  const early = between(0.2, 0.4)
  const late = between(0.8, 1)
  const compare = (
    name: string,
    value: (sample: Sample) => number,
    factor: number,
    more: number,
    { unit = '', rank = 0.5 },
  ) => {
    const first = percentile(early.map(value), rank)
    const last = percentile(late.map(value), rank)
    const most = first * factor + more
    const peak = Math.max(...samples.map(value))
    checks
      .of(name, `<= ${most.toFixed(0)}${unit} at the end`)
      .tell(`${first.toFixed(0)} -> ${last.toFixed(0)}${unit}, peak ${peak.toFixed(0)}${unit}`, last <= most)
  }
  compare("memory of the engine's process", ({ memory }) => memory, GROWTH, GROWTH_MB, { unit: ' MB' })
  compare('memory of its script processes', ({ childMemory }) => childMemory, GROWTH, GROWTH_MB * 2, {
    unit: ' MB',
  })
  compare('descriptors under load', ({ descriptors }) => descriptors, MORE_UNDER_LOAD, MORE_FEW, {
    rank: LOWEST,
  })
  compare('sockets under load', ({ sockets }) => sockets, MORE_UNDER_LOAD, MORE_FEW, { rank: LOWEST })
}
