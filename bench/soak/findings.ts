import type { Tally } from './callers.ts'
import type { Checks } from './checks.ts'
import type { EngineLog } from './engine-log.ts'

/** ms; ticks come every second. */
const PERIOD = 1000

/**
 * Each tick at most once; and all of them, but for those that a kill cut off.
 * @param ticks how often each has come, by its time
 */
export function checkTicks(
  checks: Checks,
  name: string,
  ticks: Readonly<Record<string, number>>,
  mayMiss: number,
): void {
  const times = Object.keys(ticks).map((time) => Date.parse(time))
  if (times.length === 0) return checks.of(name, 'some').tell('none', false)
  const doubled = Object.entries(ticks).filter(([, count]) => count > 1)
  const due = (Math.max(...times) - Math.min(...times)) / PERIOD + 1
  const check = checks.of(name, mayMiss === 0 ? 'each once' : `at most once, <= ${mayMiss} cut off`)
  for (const [time, count] of doubled) check.miss(`the tick of ${time} came ${count} times`)
  const missing = due - times.length
  check.tell(`${due} due, ${times.length} came, ${doubled.length} doubled`, missing <= mayMiss)
}

export function checkReplies(
  checks: Checks,
  tallies: ReadonlyMap<string, Tally>,
  name = 'every request answered as its flow may',
): void {
  const check = checks.of(name, 'all')
  let total = 0
  let cut = 0
  for (const [work, { calls, misses, wrong, cut: own }] of tallies) {
    total += calls
    cut += own
    for (const miss of misses) check.miss(miss)
    if (wrong > misses.length) check.miss(`${work}: ${wrong - misses.length} more`)
  }
  check.tell(`${total} requests${cut === 0 ? '' : `, ${cut} cut off by kills`}`)
}

export function checkLog(checks: Checks, log: EngineLog): void {
  const check = checks.of("faults in the engine's log", 'none')
  for (const fault of log.faults) check.miss(fault.slice(0, 1000))
  check.tell(String(check.missed))
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

const COLUMNS = ['calls', 'usual', 'others', 'broken', 'cut', 'hung up', 'wrong', 'p50 ms', 'p99 ms'] as const

export function printTallies(tallies: ReadonlyMap<string, Tally>, write: (line: string) => void): void {
  const line = (cells: readonly string[]) =>
    write(cells.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(9))).join(''))
  write('')
  line(['', ...COLUMNS])
  for (const [name, { calls, usual, others, broken, cut, hungUp, wrong, times }] of tallies) {
    const [median, late] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(0)) as [string, string]
    line([name, ...[calls, usual, others, broken, cut, hungUp, wrong].map(String), median, late])
  }
}
