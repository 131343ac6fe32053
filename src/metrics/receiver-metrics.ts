import type { Family, Labels } from './family.ts'
import { Tally } from './tally.ts'

/** ms */
const BOUNDS = [5, 25, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000]
/** Hosts that have series of their own; those that come later share one. */
const MOST_HOSTS = 50
/** By the first digit of the status. */
const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const
const OTHER = 'other'

/** By class; undefined where none has come yet. */
type Classes = ({ readonly tally: Tally; readonly labels: Labels } | undefined)[]

/** How long receivers take to answer. A flow may build hosts from messages: their number is bounded. */
export class ReceiverMetrics {
  readonly #redact: (text: string) => string
  readonly #hosts = new Map<string, Classes>()
  readonly #others: Classes = []

  /** @param redact takes live secrets out of the name of a host */
  constructor(redact: (text: string) => string) {
    this.#redact = redact
  }

  /** @param status 0 where no answer came */
  readonly told = (host: string, status: number, ms: number): void => {
    const classes = this.#hosts.get(host) ?? this.#newHost(host)
    const digit = Math.floor(status / 100)
    const at = CLASSES[digit] === undefined ? 0 : digit
    const { tally } = (classes[at] ??= {
      tally: new Tally(BOUNDS),
      labels: { host: classes === this.#others ? OTHER : host, status: CLASSES[at]! },
    })
    tally.add(ms)
  }

  #newHost(host: string): Classes {
    if (this.#hosts.size >= MOST_HOSTS || this.#redact(host) !== host) return this.#others
    const classes: Classes = []
    this.#hosts.set(host, classes)
    return classes
  }

  families(): readonly Family[] {
    const name = 'sluice_receiver_request_duration_seconds'
    return [
      {
        name,
        help: 'How long receivers took to answer, by host and class of the status; "none" is no answer.',
        type: 'histogram',
        samples: () =>
          [...this.#hosts.values(), this.#others]
            .flat()
            .flatMap((found) => found?.tally.samples(name, found.labels) ?? []),
      },
    ]
  }
}
