import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from '../../app.ts'
import type { ReloadReport } from '../../core/control.ts'
import type { Problem } from '../../core/problem.ts'
import type { Clock } from '../../core/world.ts'
import { printProblems } from '../../flow/print.ts'
import type { Observer } from '../../observer.ts'
import type { RunEvent } from '../../run-events.ts'
import { paint } from '../paint.ts'
import { oneLine, shorten } from '../plain-text.ts'
import { sayCount, some } from '../run-words.ts'
import { ProblemBoard, type BoardChange } from './problem-board.ts'
import type { RunFeed } from './run-feed.ts'
import { clockTime } from './run-lines.ts'
import type { Screen } from './screen.ts'

/** Its lines are secrets. */
const ENVIRONMENT_FILE = '.env'

export interface SessionSetting {
  readonly screen: Screen
  readonly feed: RunFeed
  readonly color: boolean
  readonly clock: Pick<Clock, 'now'>
  readonly projectFolder: string
  /** Takes live secrets out of a text. */
  readonly redact: (text: string) => string
  /** What a person has to do so that changed settings take effect. */
  readonly howToRestart: string
  /** Something of what the last line says is different. */
  readonly moved: () => void
}

/** One engine as a person watches it: what was saved, what is wrong, what runs. */
export class Session implements Observer {
  readonly board = new ProblemBoard()
  /** Settings that were changed and take effect with a restart. */
  restart: readonly string[] = []
  readonly #setting: SessionSetting
  #begun = false
  /** What happened before there was something to read of the engine. */
  #early: RunEvent[] = []

  constructor(setting: SessionSetting) {
    this.#setting = setting
  }

  run(event: RunEvent): void {
    if (this.#begun) this.#setting.feed.take(event)
    else this.#early.push(event)
  }

  /** The engine is up; what is wrong is told once by `tellStart`, and from then on what changes. */
  async begin({ project }: App, tellStart: () => Promise<void>): Promise<void> {
    // It is read once; the others have been given by now.
    this.board.take(
      ENVIRONMENT_FILE,
      project.problems.filter(({ file }) => file === ENVIRONMENT_FILE),
    )
    await tellStart()
    this.#begun = true
    for (const event of this.#early) this.#setting.feed.take(event)
    this.#early = []
  }

  reloaded(report: ReloadReport): void {
    const change = this.board.take('flows', report.problems)
    this.#tellRestart(report.restart)
    if (!this.#begun) return
    const { changed, added, removed, broken } = report
    const goOn = broken.filter(
      ({ file, running }) => running && change.added.some((one) => one.file === file),
    )
    this.#say('↻', 'green', 'reloaded', changed)
    this.#say('↻', 'green', 'new:', added)
    this.#say('↻', 'yellow', 'taken away:', removed)
    this.#tell(change)
    this.#say(
      '!',
      'yellow',
      'the version before goes on:',
      goOn.map(({ flow }) => flow),
    )
    this.#setting.moved()
  }

  credentialProblems(problems: readonly Problem[]): void {
    const change = this.board.take('credentials', problems)
    if (this.#begun) this.#tell(change)
    this.#setting.moved()
  }

  /** As `sluice check` prints them. */
  problems(problems: readonly Problem[] = this.board.current): string {
    const { color, screen } = this.#setting
    return printProblems(problems, (file) => this.source(file), { color, columns: screen.columns })
  }

  /** Text of a file of the project, as it is now. */
  source(file: string): string | undefined {
    if (file === ENVIRONMENT_FILE) return undefined
    try {
      return this.#setting.redact(readFileSync(join(this.#setting.projectFolder, file), 'utf8'))
    } catch {
      return undefined
    }
  }

  /** The last line of the screen. */
  status(app: App, keys: boolean): string {
    const { runs, failed } = this.#setting.feed.counts
    const flows = app.control.flows().filter(({ state }) => state === 'running').length
    const errors = this.board.current.filter(({ severity }) => severity === 'error').length
    const warnings = this.board.current.length - errors
    return [
      `${some(flows, 'flow')} up`,
      `${some(runs, 'run')}${failed === 0 ? '' : `, ${sayCount(failed)} failed`}`,
      ...(errors === 0 ? [] : [some(errors, 'error')]),
      ...(warnings === 0 ? [] : [some(warnings, 'warning')]),
      ...(this.restart.length === 0 ? [] : ['settings changed']),
      keys ? '? keys  q quit' : 'Ctrl-C stops it',
    ].join(' · ')
  }

  #tell({ added, mended }: BoardChange): void {
    const colors = paint(this.#setting.color)
    for (const { file, gone, left } of mended) {
      const what = left === 0 ? 'fixed' : `${some(gone, 'problem')} fixed, ${left} left`
      this.#line('✓', colors.green, `${file}: ${what}`)
    }
    if (added.length > 0) this.#setting.screen.print(`\n${this.problems(added)}\n`)
  }

  #tellRestart(names: readonly string[]): void {
    const before = this.restart.join()
    this.restart = names
    if (names.length > 0 && names.join() !== before)
      this.#line(
        '!',
        paint(this.#setting.color).yellow,
        `changed settings that need a restart: ${names.join(', ')} (${this.#setting.howToRestart})`,
      )
  }

  #say(mark: string, tone: 'green' | 'yellow', what: string, names: readonly string[]): void {
    if (names.length === 0) return
    this.#line(mark, paint(this.#setting.color)[tone], `${what} ${names.join(', ')}`)
  }

  #line(mark: string, tone: (text: string) => string, text: string): void {
    const { screen, color, clock } = this.#setting
    const shown = shorten(oneLine(text), Math.max(60, screen.columns - 11))
    screen.print(`${paint(color).dim(clockTime(clock.now()))} ${tone(`${mark} ${shown}`)}\n`)
  }
}
