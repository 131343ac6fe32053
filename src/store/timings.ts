/** Steps of one run whose timings are kept: the first ones and, where there are more, the last ones. */
const KEPT_FIRST = 3000
const KEPT_LAST = 1000
const FIELDS = 4

/** What happened to one step of a run. Times in µs from the run's start. */
export interface StepTiming {
  /** In the steps of the flow's version. */
  readonly step: number
  readonly start: number
  readonly duration: number
  readonly outcome: StepOutcome
}

export type StepOutcome = 'done' | 'failed' | 'skipped' | 'ended'
const OUTCOMES: readonly StepOutcome[] = ['done', 'failed', 'skipped', 'ended']

/**
 * Puts the kept ones of `timings` on the end of `target`, after the number of those left out: those of the middle that
 * are `omitted` in it already, and those that are left out here.
 */
export function appendTimings(target: unknown[], timings: readonly number[], omitted: number): void {
  const steps = Math.floor(timings.length / FIELDS)
  if (steps <= KEPT_FIRST + KEPT_LAST) {
    target.push(omitted)
    for (let i = 0; i < steps * FIELDS; i++) target.push(timings[i])
    return
  }
  target.push(omitted + steps - KEPT_FIRST - KEPT_LAST)
  for (let i = 0; i < KEPT_FIRST * FIELDS; i++) target.push(timings[i])
  for (let i = (steps - KEPT_LAST) * FIELDS; i < steps * FIELDS; i++) target.push(timings[i])
}

/** Packs what `appendTimings` left at `from`..`to` of `source`: about six bytes a step. */
export function packTimings(source: readonly unknown[], from: number, to: number): Uint8Array | null {
  if (to - from <= 1) return null
  const bytes: number[] = []
  varint(bytes, source[from] as number)
  let before = 0
  for (let i = from + 1; i + FIELDS <= to; i += FIELDS) {
    const start = Math.max(0, Math.round(source[i + 1] as number))
    varint(bytes, (source[i] as number) * FIELDS + (source[i + 3] as number))
    varint(bytes, start >= before ? (start - before) * 2 : (before - start) * 2 - 1)
    varint(bytes, Math.max(0, Math.round(source[i + 2] as number)))
    before = start
  }
  return Uint8Array.from(bytes)
}

/** The reverse of `packTimings`, with the number of steps that were left out in the middle. */
export function unpackTimings(packed: Uint8Array | null): {
  readonly timings: readonly StepTiming[]
  readonly omitted: number
} {
  if (packed === null || packed.length === 0) return { timings: [], omitted: 0 }
  let position = 0
  const next = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = packed[position++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const omitted = next()
  const timings: StepTiming[] = []
  let before = 0
  while (position < packed.length) {
    const head = next()
    const moved = next()
    const start = before + (moved % 2 === 0 ? moved / 2 : -(moved + 1) / 2)
    timings.push({
      step: Math.floor(head / FIELDS),
      start,
      duration: next(),
      outcome: OUTCOMES[head % FIELDS]!,
    })
    before = start
  }
  return { timings, omitted }
}

function varint(bytes: number[], value: number): void {
  while (value >= 128) {
    bytes.push((value % 128) | 128)
    value = Math.floor(value / 128)
  }
  bytes.push(value)
}
