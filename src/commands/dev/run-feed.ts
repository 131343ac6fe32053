import type { RunProgress } from '../../core/stores.ts'
import type { Clock, Timer } from '../../core/world.ts'
import type { LiveRun, RunEvent } from '../../run-events.ts'
import type { AttachmentInfo, LineRecord, RunDetail } from '../../store/rows.ts'
import { paint } from '../paint.ts'
import { sayCount } from '../run-words.ts'
import { Flood } from './flood.ts'
import {
  attachmentLine,
  clockTime,
  countedFailures,
  countedRuns,
  INDENT,
  liveLine,
  logLine,
  runHead,
  runTree,
  sayGoing,
  type LineIo,
} from './run-lines.ts'

export interface RunFeedSetting {
  readonly clock: Clock
  readonly color: boolean
  readonly columns: () => number
  /** Only runs of this flow. */
  readonly flow?: string
  /** Nothing of runs that end well. */
  readonly failuresOnly: boolean
  /** Runs that end well are shown with their steps, too. */
  readonly steps: boolean
  /** Progress is told by a line now and then, because nobody draws `going`. */
  readonly tellsProgress: boolean
  /** Text of a file as failures name it. */
  readonly source: (file: string) => string | undefined
  /** Whole lines. */
  readonly print: (text: string) => void
  /** `going` or `counts` is different. */
  readonly moved: () => void
}

/** ms after which a run that goes on is shown before it ends; what takes longer is shown with its steps. */
const LONG = 1000
/** ms between two looks at what was counted and at what goes on. */
const TURN = 1000
/** ms between two lines about the progress of a run. */
const PROGRESS_EVERY = 10_000
/** Lines of a run that are kept until it ends. */
const KEPT_LINES = 200

/** A run that has not ended. */
interface Going {
  head: LiveRun | undefined
  /** Its head and its lines so far were printed. */
  shown: boolean
  lines: LineRecord[]
  omitted: number
  attachments: AttachmentInfo[]
  progress: RunProgress | undefined
  /** Ticks at which its progress was told, and what was told. */
  toldAt: number
  told: RunProgress | undefined
}

/** Runs as they happen: what happens to them in, lines out. Floods are counted, second by second. */
export class RunFeed {
  readonly #setting: RunFeedSetting
  readonly #going = new Map<string, Going>()
  readonly #ended = new Flood<LiveRun>(5, 20)
  readonly #failures = new Flood<RunDetail>(1, 5)
  readonly #lines = new Flood<LineRecord>(10, 20)
  #timer: Timer | undefined
  #runs = 0
  #failed = 0
  #lastFailure: RunDetail | undefined

  constructor(setting: RunFeedSetting) {
    this.#setting = setting
  }

  /** Runs that have ended so far. */
  get counts(): { readonly runs: number; readonly failed: number } {
    return { runs: this.#runs, failed: this.#failed }
  }

  get lastFailure(): RunDetail | undefined {
    return this.#lastFailure
  }

  take(event: RunEvent): void {
    switch (event.kind) {
      case 'opened':
        if (this.shows(event.run.flow)) this.#of(event.run.id).head = event.run
        break
      case 'progress': {
        const going = this.#going.get(event.run)
        if (going) going.progress = event.progress
        break
      }
      case 'line':
        this.#line(event.line)
        break
      case 'attachment':
        this.#of(event.run).attachments.push(event.attachment)
        break
      case 'ended':
        this.#end(event.run)
    }
    this.#wait()
  }

  shows(flow: string): boolean {
    return this.#setting.flow === undefined || this.#setting.flow === flow
  }

  /** Runs that have gone on for a while, a line each. */
  going(): string[] {
    const now = this.#setting.clock.now()
    return [...this.#going.values()]
      .filter(({ head }) => head !== undefined && now - head.startedAt >= LONG)
      .map(({ head, progress }) => `▶ ${sayGoing(head!.flow, progress, now - head!.startedAt)}`)
  }

  /** Tells what was only counted so far; nothing comes any more. */
  stop(): void {
    this.#timer?.cancel()
    this.#tellCounted()
  }

  get #io(): LineIo {
    return { color: this.#setting.color, columns: this.#setting.columns() }
  }

  #of(run: string): Going {
    let going = this.#going.get(run)
    if (!going) {
      going = {
        head: undefined,
        shown: false,
        lines: [],
        omitted: 0,
        attachments: [],
        progress: undefined,
        toldAt: this.#setting.clock.ticks(),
        told: undefined,
      }
      this.#going.set(run, going)
    }
    return going
  }

  #line(line: LineRecord): void {
    const going = this.#of(line.run)
    if (going.shown) this.#liveLine(going.head!.flow, line)
    else if (going.lines.length < KEPT_LINES) going.lines.push(line)
    else going.omitted++
  }

  #liveLine(flow: string, line: LineRecord): void {
    if (this.#lines.take(flow, line, 0)) this.#setting.print(liveLine(flow, line, this.#io))
  }

  #end(run: LiveRun): void {
    const going = this.#going.get(run.id)
    this.#going.delete(run.id)
    if (!this.shows(run.flow)) return
    this.#runs++
    if (run.status !== 'COMPLETED') this.#endBadly(run, going)
    else if (!this.#setting.failuresOnly && this.#ended.take(run.flow, run, run.duration))
      this.#setting.print(runHead(run, this.#io) + this.#below(run, going))
    this.#setting.moved()
  }

  /** What is worth to be seen of a run that ended well. */
  #below(run: LiveRun, going: Going | undefined): string {
    if (this.#setting.steps || run.duration >= LONG)
      return runTree(withNotes(run.detail(), going), this.#io, this.#setting.source)
    if (!going) return ''
    return [
      ...going.lines.map((line) => logLine(line, this.#io)),
      ...going.attachments.map((attachment) => attachmentLine(attachment, this.#io)),
      this.#omitted(going),
    ].join('')
  }

  #endBadly(run: LiveRun, going: Going | undefined): void {
    const detail = withNotes(run.detail(), going)
    if (run.status === 'FAILED') {
      this.#failed++
      this.#lastFailure = detail
    }
    const { code, step } = detail.failure ?? {}
    if (!this.#failures.take([run.flow, run.status, code, step].join(' '), detail, run.duration)) return
    const tree = runTree(detail, this.#io, this.#setting.source)
    this.#setting.print(`${runHead(run, this.#io)}${tree}${going ? this.#omitted(going) : ''}`)
  }

  #omitted({ omitted }: Going): string {
    if (omitted === 0) return ''
    const text = `… and ${sayCount(omitted)} more lines: sluice log RUN shows them`
    return `${INDENT}${paint(this.#setting.color).dim(text)}\n`
  }

  #wait(): void {
    if (this.#isQuiet) return
    this.#timer ??= this.#setting.clock.after(TURN, () => this.#turn())
  }

  get #isQuiet(): boolean {
    return this.#going.size === 0 && this.#ended.isQuiet && this.#failures.isQuiet && this.#lines.isQuiet
  }

  #turn(): void {
    this.#timer = undefined
    this.#tellCounted()
    for (const going of this.#going.values()) if (going.head) this.#goOn(going, going.head)
    this.#setting.moved()
    this.#wait()
  }

  #tellCounted(): void {
    const { clock, print, color } = this.#setting
    const at = clock.now()
    let text = ''
    for (const counted of this.#lines.turn())
      text += `${clockTime(at)}         ${paint(color).dim(`${counted.key}: ${sayCount(counted.count)} more lines`)}\n`
    for (const counted of this.#ended.turn())
      text += counted.count === 1 ? runHead(counted.last, this.#io) : countedRuns(counted, at, this.#io)
    for (const counted of this.#failures.turn()) text += countedFailures(counted, at, this.#io)
    print(text)
  }

  /** It has not ended within a while. */
  #goOn(going: Going, head: LiveRun): void {
    const { clock, failuresOnly, tellsProgress, print } = this.#setting
    const age = clock.now() - head.startedAt
    if (age < LONG) return
    if (!going.shown && !failuresOnly) {
      going.shown = true
      print(runHead(head, this.#io))
      for (const line of going.lines) this.#liveLine(head.flow, line)
      going.lines = []
    }
    const { progress } = going
    if (!tellsProgress || failuresOnly || progress === undefined || progress === going.told) return
    if (clock.ticks() - going.toldAt < PROGRESS_EVERY) return
    going.told = progress
    going.toldAt = clock.ticks()
    print(`${clockTime(clock.now())} … ${sayGoing(head.flow, progress, age)}\n`)
  }
}

function withNotes(detail: RunDetail, going: Going | undefined): RunDetail {
  return going ? { ...detail, lines: going.lines, attachments: going.attachments } : detail
}
