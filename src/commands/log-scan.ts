import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../core/world.ts'
import type { Slice } from '../store/searching.ts'
import { realClock } from '../world.ts'
import type { CommandIo } from './command.ts'
import { localTime, shorten } from './plain-text.ts'
import { sayCount } from './run-words.ts'

/** ms after which a person is told how far it is, and how often. */
const PATIENCE = 1000
const TELL_EVERY = 200

/** Goes through slices of the log; tells on a terminal how far it is. Ends early with Ctrl-C. */
export async function* scanning<Found>(
  slices: Iterable<Slice<Found>>,
  io: Pick<CommandIo, 'stderr' | 'terminal' | 'columns' | 'signal'>,
  clock: Pick<Clock, 'ticks'> = realClock,
): AsyncGenerator<Slice<Found>> {
  const progress = new ScanProgress(io, clock)
  try {
    for (const slice of slices) {
      progress.take(slice)
      yield slice
      await setImmediate()
      if (io.signal.aborted) return
    }
  } finally {
    progress.end()
  }
}

class ScanProgress {
  readonly #io: Pick<CommandIo, 'stderr' | 'terminal' | 'columns'>
  readonly #clock: Pick<Clock, 'ticks'>
  #next: number
  #looked = 0
  #shown = false

  constructor(io: Pick<CommandIo, 'stderr' | 'terminal' | 'columns'>, clock: Pick<Clock, 'ticks'>) {
    this.#io = io
    this.#clock = clock
    this.#next = clock.ticks() + PATIENCE
  }

  take({ looked, reached }: Slice<unknown>): void {
    this.#looked += looked
    const { terminal, columns, stderr } = this.#io
    const now = this.#clock.ticks()
    if (!terminal || now < this.#next) return
    this.#next = now + TELL_EVERY
    this.#shown = true
    const text = `looking … ${sayCount(this.#looked)} runs, back to ${localTime(reached).slice(0, 16)}; Ctrl-C ends it`
    stderr(`\r${shorten(text, Math.min(columns, 80) - 1)}\x1b[K`)
  }

  end(): void {
    if (this.#shown) this.#io.stderr('\r\x1b[K')
  }
}
