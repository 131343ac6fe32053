/** What of one kind was only counted within a second. */
export interface Counted<Item> {
  readonly key: string
  readonly count: number
  readonly last: Item
  /** ms each took. */
  readonly durations: readonly number[]
}

interface Group<Item> {
  seen: number
  last: Item | undefined
  durations: number[]
  /** The second before had more than may be shown: now all are counted, so that lines do not come in bursts. */
  flooded: boolean
}

/** Lets the first few of each kind through in a second, and counts the others. */
export class Flood<Item> {
  readonly #each: number
  readonly #all: number
  readonly #groups = new Map<string, Group<Item>>()
  #shown = 0

  /** @param each so many of one kind in a second @param all so many of all kinds */
  constructor(each: number, all: number) {
    this.#each = each
    this.#all = all
  }

  get isQuiet(): boolean {
    return this.#groups.size === 0
  }

  /** Whether it is to be shown; else it is counted. */
  take(key: string, item: Item, duration: number): boolean {
    let group = this.#groups.get(key)
    if (!group) this.#groups.set(key, (group = { seen: 0, last: undefined, durations: [], flooded: false }))
    group.seen++
    const shown = !group.flooded && group.seen <= this.#each && this.#shown < this.#all
    if (shown) this.#shown++
    else {
      group.last = item
      group.durations.push(duration)
    }
    return shown
  }

  /** A second is over: what was only counted. */
  turn(): Counted<Item>[] {
    const counted: Counted<Item>[] = []
    for (const [key, group] of this.#groups) {
      const { seen, last, durations } = group
      if (durations.length > 0) counted.push({ key, count: durations.length, last: last!, durations })
      if (seen === 0) this.#groups.delete(key)
      group.flooded = seen > this.#each
      group.seen = 0
      group.durations = []
    }
    this.#shown = 0
    return counted
  }
}
