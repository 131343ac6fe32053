import { NO_LABELS, type Labels, type Sample } from './family.ts'

/** How often values fell below each of some bounds. Adding one makes nothing. */
export class Tally {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** @param bounds in ms, ascending; a value that is equal to one is below it */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** @param ms */
  add(ms: number): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && ms > bounds[at]!) at++
    this.#counts[at]!++
    this.#sum += ms
  }

  /** As a histogram in seconds. @param sharedLabels an object that lasts @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  samples(name: string, sharedLabels: Labels): Sample[] {
    const metricName = `${name}_bucket`
    let count = 0
    const buckets = this.#counts.map((own, at) => {
      const bound = this.#bounds[at]
      count += own
      return {
        metricName,
        labels: { le: bound === undefined ? '+Inf' : String(bound / 1000) },
        sharedLabels,
        value: count,
      }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels, value: this.#sum / 1000 },
      { metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value: count },
    ]
  }
}
