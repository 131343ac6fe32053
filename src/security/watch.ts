import { watch, type FSWatcher } from 'node:fs'
import { basename } from 'node:path'
import type { Logger } from '../core/services.ts'
import type { Clock, Timer } from '../core/world.ts'
import { see, type Place, type Sight } from './sight.ts'

/** ms without another event after which it is looked: files are written in pieces, and some are gone while they are replaced. */
const QUIET = 100
/** ms after an event when it is looked, though more of them come. */
const LONGEST = 1000
/** ms between two looks where no event comes; some file systems send none. */
const SELDOM = 5000
/** The system has no watch left. */
const SHORT: ReadonlySet<string> = new Set(['ENOSPC', 'EMFILE'])

export interface WatchSetting {
  readonly clock: Clock
  readonly log: Logger
  /** For the log: `credentials`. */
  readonly what: string
  /** A folder of YAML files; left out: only files. All paths are absolute; nothing has to be there. */
  readonly folder?: string
  /** Further files; asked for at each look. */
  readonly files: () => readonly string[]
  /** Something is different; false: it could not be read, and is to be read again. What changes meanwhile is looked at afterwards. */
  readonly changed: () => Promise<boolean>
}

/**
 * Notices changes of the files of a folder and of the files they refer to: by events of their folders (a file that is
 * replaced loses its own watch), and by looking at them every few seconds. Secrets are not read for that.
 */
export class Watch {
  /** Resolves after the first look. */
  readonly begun: Promise<void>
  readonly #setting: WatchSetting
  #watchers: FSWatcher[] = []
  #state: string | undefined
  #timer: Timer | undefined
  /** Monotonic ms of the first event that was not looked at. */
  #since: number | undefined
  /** An event said that the content of a file changed. */
  #certain = false
  #looking: Promise<void> | undefined
  #warned = false
  /** The last fault that was told. */
  #fault = ''
  #closed = false

  /** Begins with a look, which finds what changed while the engine read. */
  constructor(setting: WatchSetting) {
    this.#setting = setting
    this.begun = this.#look()
  }

  /** Reads again, whatever can be seen. */
  async again(): Promise<void> {
    while (this.#looking) await this.#looking
    this.#certain = true
    this.#timer?.cancel()
    await this.#look()
  }

  /** Resolves when nothing of it goes on any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#unwatch(this.#watchers)
    await this.#looking
  }

  #look(): Promise<void> {
    this.#since = undefined
    this.#looking = this.#compare()
      .catch((error: unknown) => this.#tellFault(error))
      .then(() => {
        this.#looking = undefined
        this.#wait()
      })
    return this.#looking
  }

  async #compare(): Promise<void> {
    const { folder, files, changed } = this.#setting
    const sight = await see(folder, files())
    if (this.#closed || (sight.state === this.#state && !this.#certain)) return
    // Not seen before it is read: where that fails, it is read again.
    this.#state = undefined
    this.#certain = false
    this.#watch(sight)
    if (!(await changed())) return
    this.#state = sight.state
    this.#fault = ''
    // What is referred to may be another file now.
    this.#notice(false)
  }

  /** The same one once: it is tried every few seconds. */
  #tellFault(error: unknown): void {
    const fault = String(error)
    if (fault === this.#fault) return
    this.#fault = fault
    this.#setting.log.error({ err: error }, `a fault while ${this.#setting.what} were read`)
  }

  #wait(): void {
    if (this.#closed || this.#looking) return
    const { clock } = this.#setting
    const left = this.#since === undefined ? SELDOM : Math.min(QUIET, this.#since + LONGEST - clock.ticks())
    this.#timer?.cancel()
    this.#timer = clock.after(Math.max(0, left), () => void this.#look())
  }

  #notice(certain: boolean): void {
    this.#since ??= this.#setting.clock.ticks()
    this.#certain ||= certain
    this.#wait()
  }

  /** The new ones first: no moment is without. */
  #watch({ places }: Sight): void {
    const former = this.#watchers
    this.#watchers = [...places].flatMap(([folder, place]) => this.#watchFolder(folder, place) ?? [])
    this.#unwatch(former)
  }

  #watchFolder(folder: string, { open, names }: Place): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        const certain = name === null || names.has(name)
        if (certain || open || name === basename(folder)) this.#notice(certain)
      })
      return watcher.on('error', (error) => this.#warn(folder, error))
    } catch (error) {
      this.#warn(folder, error as Error)
      return undefined
    }
  }

  /** Once. A folder that is gone is no trouble: its place is watched. */
  #warn(folder: string, error: NodeJS.ErrnoException): void {
    if (this.#warned || this.#closed || error.code === 'ENOENT') return
    this.#warned = true
    const hint = SHORT.has(error.code!) && { hint: 'Raise the limits fs.inotify.max_user_* of the system.' }
    this.#setting.log.warn(
      { folder, code: error.code, ...hint },
      `changes of "${folder}" are not told by the system (${error.code}); ${this.#setting.what} are looked at every ${SELDOM / 1000} s`,
    )
  }

  #unwatch(watchers: readonly FSWatcher[]): void {
    for (const watcher of watchers) watcher.close()
  }
}
