import type { Clock } from '../core/world.ts'
import { connectControl, type FollowedEvent } from '../server/control-client.ts'
import type { Follower, FollowSetting, LogEvent } from '../store/following.ts'
import type { MessageLogReader } from '../store/reading.ts'
import { realClock } from '../world.ts'
import type { CommandIo } from './command.ts'

/** What is shown of a run that is followed, or how many events were left out because the reader was too slow. */
export type Followed = LogEvent | Extract<FollowedEvent, { kind: 'omitted' }>

export interface FollowLogSetting {
  readonly reader: MessageLogReader
  /** The data folder. */
  readonly data: string
  readonly follow: FollowSetting
  readonly io: Pick<CommandIo, 'stderr' | 'signal'>
  readonly clock?: Clock
}

/** What happens from now on, until the signal: told by the engine of the data folder; without one, read from its file. */
export async function* followLog({
  reader,
  data,
  follow,
  io,
  clock = realClock,
}: FollowLogSetting): AsyncGenerator<Followed> {
  const { signal } = io
  const events = await eventsOfEngine(data, follow, signal)
  if (!events) return yield* reader.follow(follow, clock, signal)
  const seen = new Seen(reader, follow, clock)
  yield* seen.before
  if (seen.isOver) return
  for await (const event of events) {
    if (event.kind === 'end') return
    if (event.kind === 'omitted') yield event
    else if (seen.isNew(event as LogEvent)) yield event as LogEvent
    if (signal.aborted) return
  }
  if (signal.aborted) return
  io.stderr('(the engine has ended; what is written to the message log is shown from here on)\n')
  yield* seen.rest(signal)
}

async function eventsOfEngine(
  data: string,
  { selection = {}, run }: FollowSetting,
  signal: AbortSignal,
): Promise<AsyncIterable<FollowedEvent> | undefined> {
  try {
    const engine = await connectControl(data)
    return await engine?.follow({ selection, ...(run === undefined ? {} : { run }) }, signal)
  } catch {
    return undefined
  }
}

/** ms after which the file is looked at again for where to go on, and how many events may be seen until then. */
const LOOK_EVERY = 5000
const EVENTS = 20_000

/** A place in the file, and what was seen since. */
interface Mark {
  readonly follower: Follower
  readonly keys: Set<string>
}

/**
 * What was told by the engine, so that its file can take over without telling it again: the engine tells before it
 * writes, so that all that the file holds at a mark has been told, or is on its way.
 */
export class Seen {
  /** What is shown from before. */
  readonly before: readonly LogEvent[]
  readonly #reader: MessageLogReader
  readonly #follow: FollowSetting
  readonly #clock: Clock
  /** What the file held already when the engine began to tell. */
  #early: ReadonlySet<string>
  #last: Mark
  #mark: Mark
  #markedAt: number

  constructor(reader: MessageLogReader, follow: FollowSetting, clock: Clock) {
    this.#reader = reader
    this.#follow = follow
    this.#clock = clock
    const follower = reader.follower(follow, clock)
    this.before = follower.take()
    this.#early = new Set(this.before.map(keyOf))
    this.#mark = this.#last = { follower, keys: new Set(this.#early) }
    this.#markedAt = clock.ticks()
  }

  /** The only run that is followed has ended before. */
  get isOver(): boolean {
    return this.#mark.follower.isOver
  }

  isNew(event: LogEvent): boolean {
    const now = this.#clock.ticks()
    if (now - this.#markedAt >= LOOK_EVERY || this.#mark.keys.size >= EVENTS) this.#next(now)
    const key = keyOf(event)
    this.#mark.keys.add(key)
    return !this.#early.has(key)
  }

  /** What the file holds and was not told, and what comes. */
  async *rest(signal: AbortSignal): AsyncGenerator<LogEvent> {
    const told = [this.#last.keys, this.#mark.keys]
    for await (const event of this.#last.follower.events(signal))
      if (!told.some((keys) => keys.delete(keyOf(event)))) yield event
  }

  #next(now: number): void {
    this.#markedAt = now
    this.#early = new Set()
    this.#last = this.#mark
    const follower = this.#reader.follower({ ...this.#follow, earlier: 0 }, this.#clock)
    follower.take()
    this.#mark = { follower, keys: new Set() }
  }
}

function keyOf(event: LogEvent): string {
  switch (event.kind) {
    case 'line': {
      const { run, at, step, text } = event.line
      return `line ${run} ${at} ${step} ${text}`
    }
    case 'run':
      return `run ${event.run.id} ${event.run.status}`
    case 'progress':
      return `progress ${event.run.id} ${event.run.progress?.done} ${event.run.progress?.failed}`
  }
}
