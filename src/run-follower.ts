import type { FollowRequest } from './core/control.ts'
import { chooses, type FollowChoice, type LineHead } from './core/run-filter.ts'
import type { RunProgress } from './core/stores.ts'
import type { Clock, Timer } from './core/world.ts'
import type { LiveRun, RunEvent } from './run-events.ts'
import { hasMoved, lineEvent, PROGRESS_EVERY, WAIT_FOR_RUN, type LogEvent } from './store/following.ts'
import type { LineRecord } from './store/rows.ts'

/** Lines that wait until it is known of which flow they are: of one run, and in all. */
const HELD_OF_RUN = 200
const HELD = 5000

/** A run that goes on. */
interface Going {
  readonly head: LineHead
  readonly run: LiveRun
  said: RunProgress | undefined
  /** Ticks. */
  saidAt: number
}

/** Lines of a run of which only the id is known. */
interface Held {
  readonly lines: LineRecord[]
  /** Ticks. */
  readonly since: number
}

export interface RunFollowerSetting extends FollowRequest {
  readonly clock: Clock
  readonly show: (event: LogEvent) => void
  /** So many lines found no place. */
  readonly omit: (count: number) => void
  /** The only run that is followed has ended. */
  readonly ended: () => void
}

/** What happens in an engine, as `sluice log --follow` shows it: the same that `Follower` makes of the file. */
export class RunFollower {
  readonly #setting: RunFollowerSetting
  readonly #choice: FollowChoice
  readonly #going = new Map<string, Going>()
  readonly #held = new Map<string, Held>()
  #heldLines = 0
  #timer: Timer | undefined

  constructor(setting: RunFollowerSetting) {
    this.#setting = setting
    this.#choice = chooses(setting.selection)
  }

  /** A run that had begun before. */
  know(run: LiveRun): void {
    const { clock } = this.#setting
    const { id, flow, correlationId } = run
    if (!this.#concerns(id)) return
    this.#going.set(id, { head: { id, flow, correlationId }, run, said: undefined, saidAt: clock.ticks() })
  }

  take(event: RunEvent): void {
    switch (event.kind) {
      case 'opened':
        if (!this.#concerns(event.run.id)) return
        this.know(event.run)
        this.#run(event.run)
        return this.#release(event.run.id, event.run)
      case 'line':
        if (this.#concerns(event.line.run)) this.#line(event.line)
        return
      case 'progress':
        return this.#progress(event.run, event.progress)
      case 'ended': {
        const { id } = event.run
        if (!this.#concerns(id)) return
        this.#going.delete(id)
        this.#release(id, event.run)
        this.#run(event.run)
        if (id === this.#setting.run) this.#setting.ended()
      }
    }
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #concerns(run: string): boolean {
    return this.#setting.run === undefined || this.#setting.run === run
  }

  #run(live: LiveRun): void {
    if (!this.#choice.flow(live.flow)) return
    const { run, searchable } = live.summary()
    if (this.#choice.run({ ...run, searchable })) this.#setting.show({ kind: 'run', run })
  }

  #progress(id: string, progress: RunProgress): void {
    const going = this.#going.get(id)
    const now = this.#setting.clock.ticks()
    if (!going || !hasMoved(going.said, progress) || (going.said && now - going.saidAt < PROGRESS_EVERY))
      return
    going.said = progress
    going.saidAt = now
    const { run, searchable } = going.run.summary()
    if (!this.#choice.run({ ...run, searchable })) return
    this.#setting.show({ kind: 'progress', at: this.#setting.clock.now(), run: { ...run, progress } })
  }

  #line(line: LineRecord): void {
    const going = this.#going.get(line.run)
    if (going) return this.#show(line, going.head)
    if (!this.#choice.text(line.text)) return
    let held = this.#held.get(line.run)
    if (!held) this.#held.set(line.run, (held = { lines: [], since: this.#setting.clock.ticks() }))
    if (held.lines.length === HELD_OF_RUN || this.#heldLines === HELD) return this.#setting.omit(1)
    held.lines.push(line)
    this.#heldLines++
    this.#timer ??= this.#setting.clock.after(WAIT_FOR_RUN, () => this.#giveUp())
  }

  #show(line: LineRecord, head: LineHead | undefined): void {
    if (this.#choice.line(line.text, head)) this.#setting.show(lineEvent(line, head))
  }

  #release(id: string, head: LineHead | undefined): void {
    const held = this.#held.get(id)
    if (!held) return
    this.#held.delete(id)
    this.#heldLines -= held.lines.length
    for (const line of held.lines) this.#show(line, head)
  }

  /** Nothing more will be known of some: they came after the end of their run. */
  #giveUp(): void {
    this.#timer = undefined
    const { clock } = this.#setting
    const before = clock.ticks() - WAIT_FOR_RUN
    for (const [id, { since }] of this.#held) {
      if (since <= before) {
        this.#release(id, undefined)
        continue
      }
      this.#timer = clock.after(since - before, () => this.#giveUp())
      return
    }
  }
}
