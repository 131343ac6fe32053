/** Misses that are told one by one. */
const TOLD = 8

/** One thing that must hold. */
export class Check {
  readonly name: string
  readonly wanted: string
  found = ''
  missed = 0
  readonly misses: string[] = []

  constructor(name: string, wanted: string) {
    this.name = name
    this.wanted = wanted
  }

  miss(text: string): void {
    this.missed++
    if (this.misses.length < TOLD) this.misses.push(text)
  }

  /** What was found, and whether that is as it should be. */
  tell(found: string, holds = true): void {
    this.found = found
    if (!holds) this.miss(`found ${found}, wanted ${this.wanted}`)
  }
}

/** All that must hold, in the order in which it was first asked for. */
export class Checks {
  private readonly all = new Map<string, Check>()

  of(name: string, wanted: string): Check {
    let check = this.all.get(name)
    if (!check) this.all.set(name, (check = new Check(name, wanted)))
    return check
  }

  get failed(): boolean {
    return [...this.all.values()].some(({ missed }) => missed > 0)
  }

  print(write: (line: string) => void): void {
    write('')
    for (const { name, wanted, found, missed, misses } of this.all.values()) {
      write(`${missed === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(46)}  ${wanted.padEnd(28)}  ${found}`)
      for (const text of misses) write(`          ${text}`)
      if (missed > misses.length) write(`          and ${missed - misses.length} more`)
    }
  }
}
