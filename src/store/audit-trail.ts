import type { Audit, AuditEntry } from '../core/audit.ts'
import type { Clock, Timer } from '../core/world.ts'
import { RUNS, type Batches } from './batches.ts'
import { pushAudit } from './records.ts'
import type { Redacting } from './redacting.ts'

/** ms in which entries of the same kind are counted. */
const WINDOW = 60_000
/** Kinds of entries that are told apart in that time, and how many of them may be refusals, which anybody can cause. */
const MOST_KINDS = 1000
const MOST_REFUSED = 60
/** Characters. */
const LONGEST_NAME = 200
const LONGEST_DETAIL = 500
/** Rough size of an entry in memory, bytes. */
const SIZE = 400

interface Counted {
  readonly entry: AuditEntry
  /** Beside those that were recorded. */
  count: number
}

/** The audit log on its way to `log.db`: redacted, cut, bounded. */
export class AuditTrail implements Audit {
  readonly #batches: Batches
  readonly #redact: Pick<Redacting, 'beginning'>
  readonly #clock: Clock
  #counted = new Map<string, Counted>()
  #refused = 0
  #timer: Timer | undefined

  constructor(batches: Batches, redact: Pick<Redacting, 'beginning'>, clock: Clock) {
    this.#batches = batches
    this.#redact = redact
    this.#clock = clock
  }

  record(entry: AuditEntry): void {
    this.#push(entry, 1)
  }

  count(entry: AuditEntry): void {
    this.#timer ??= this.#clock.after(WINDOW, () => this.settle())
    const { what, who, address, object, outcome, detail } = entry
    const key = JSON.stringify([what, who, address, object, outcome, detail])
    const known = this.#counted.get(key)
    if (known) known.count++
    else if (this.#hasRoom(entry)) {
      this.#counted.set(key, { entry, count: 0 })
      this.#push(entry, 1)
    } else this.#countRest(entry)
  }

  /** Records what was only counted so far. */
  settle(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const counted = this.#counted
    this.#counted = new Map()
    this.#refused = 0
    for (const { entry, count } of counted.values()) if (count > 0) this.#push(entry, count)
  }

  #hasRoom({ outcome }: AuditEntry): boolean {
    if (this.#counted.size >= MOST_KINDS) return false
    return outcome !== 'refused' || this.#refused++ < MOST_REFUSED
  }

  /** Who it was is not told any more. */
  #countRest({ what, outcome }: AuditEntry): void {
    const rest = this.#counted.get(`rest ${what} ${outcome}`)
    if (rest) rest.count++
    else
      this.#counted.set(`rest ${what} ${outcome}`, {
        entry: { what, who: 'others', outcome, detail: 'too many within a minute to tell them apart' },
        count: 1,
      })
  }

  #push({ what, who, address, object, outcome, detail }: AuditEntry, count: number): void {
    const records = this.#batches.room(RUNS)
    if (records === undefined) return
    const cut = (text: string | undefined, length: number): string | null =>
      text === undefined ? null : this.#redact.beginning(text, length)
    pushAudit(
      records,
      this.#clock.now(),
      [
        what,
        cut(who, LONGEST_NAME),
        cut(address, LONGEST_NAME),
        cut(object, LONGEST_NAME),
        outcome,
        cut(detail, LONGEST_DETAIL),
      ],
      count,
    )
    this.#batches.pushed(SIZE, 0)
  }
}
