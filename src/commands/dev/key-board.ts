import type { App } from '../../app.ts'
import type { FlowState } from '../../core/control.ts'
import { MessageLogReader } from '../../store/reading.ts'
import type { RunFilter } from '../../store/run-conditions.ts'
import { printCredentialList } from '../credential.ts'
import { paint, table } from '../paint.ts'
import { bytes, oneLine, printable, shorten } from '../plain-text.ts'
import { printRuns } from '../run-list.ts'
import { printRun } from '../run-tree.ts'
import { sayFailure } from '../run-words.ts'
import { Choice } from './choice.ts'
import type { RunFeed } from './run-feed.ts'
import { INDENT } from './run-lines.ts'
import type { Screen } from './screen.ts'
import type { Session } from './session.ts'

export interface KeyBoardSetting {
  readonly app: App
  readonly session: Session
  readonly feed: RunFeed
  readonly screen: Screen
  readonly color: boolean
  readonly dataFolder: string
  /** Only runs of this flow are looked at. */
  readonly flow?: string
  readonly quit: () => void
  readonly restart: () => void
  /** The lines that `lines` gives are different. */
  readonly moved: () => void
}

const HELP: readonly (readonly [string, string])[] = [
  ['r', 'run a flow now, with an empty message; Enter: the last one again'],
  ['f', 'the last failure with all that is known of it'],
  ['l', 'the last runs'],
  ['p', 'the problems that there are now'],
  ['c', 'the credentials and how they stand'],
  ['R', 'restart the engine: for changed settings and .env'],
  ['Enter', 'an empty line'],
  ['q', 'quit; what runs may finish. Ctrl-C twice: at once'],
]
/** q, and Ctrl-D. */
export const QUIT: ReadonlySet<string> = new Set(['q', '\x04'])
const LISTED = 10
/** Lines of a reply that are shown. */
const REPLY_LINES = 8

/** What the keys do. */
export class KeyBoard {
  readonly #setting: KeyBoardSetting
  #choice: Choice | undefined
  #lastRun: string | undefined

  constructor(setting: KeyBoardSetting) {
    this.#setting = setting
  }

  /** Lines that a question needs; undefined where there is none. */
  get lines(): string[] | undefined {
    return this.#choice?.lines()
  }

  press(key: string): void {
    if (this.#choice) return this.#answer(this.#choice, key)
    const { screen, session, quit, restart } = this.#setting
    if (QUIT.has(key)) return quit()
    switch (key) {
      case 'r':
        return this.#ask()
      case 'f':
        return this.#log((reader) => this.#lastFailure(reader))
      case 'l':
        return this.#log((reader) => this.#lastRuns(reader))
      case 'p':
        return this.#show(session.problems() || 'no problems\n')
      case 'c':
        return this.#show(printCredentialList(this.#setting.app.control.credentials(), this.#io))
      case 'R':
        return restart()
      case '?':
      case 'h':
        return this.#show(
          table(HELP.map(([name, text]) => [`  ${paint(this.#setting.color).bold(name)}`, text])),
        )
      case '\r':
      case '\n':
        return screen.print('\n')
      default:
    }
  }

  get #io(): { readonly color: boolean; readonly columns: number } {
    return { color: this.#setting.color, columns: this.#setting.screen.columns }
  }

  #show(text: string): void {
    this.#setting.screen.print(`\n${text}\n`)
  }

  #ask(): void {
    const { app, screen, moved } = this.#setting
    const flows = app.control.flows().filter(({ state }) => state === 'running')
    if (flows.length === 0) return screen.print('no flow is up\n')
    if (flows.length === 1) return this.#run(flows[0]!.name)
    this.#choice = new Choice(
      'Run which flow?',
      flows.map((flow) => ({ name: flow.name, about: aboutOf(flow) })),
      this.#lastRun,
    )
    moved()
  }

  #answer(choice: Choice, key: string): void {
    const name = choice.press(key)
    if (name !== undefined) this.#choice = undefined
    this.#setting.moved()
    if (typeof name === 'string') this.#run(name)
  }

  #run(name: string): void {
    this.#lastRun = name
    this.#runToEnd(name).catch((error: unknown) =>
      this.#setting.app.log.error({ err: error }, `a fault while the flow "${name}" was run`),
    )
  }

  async #runToEnd(name: string): Promise<void> {
    const { app, screen, feed, color } = this.#setting
    const report = await app.control.run(name, { headers: {}, parameters: {} })
    const colors = paint(color)
    if (!report) return screen.print(colors.red(`the flow "${name}" is not up any more\n`))
    const { id, failure, reply, status } = report
    if (failure && (id === undefined || !feed.shows(name)))
      return screen.print(`${colors.red(`✗ ${oneLine(name)} ${status}: ${sayFailure(failure)}`)}\n`)
    if (!reply) return
    const type = reply.headers['content-type']
    const head = `reply ${reply.status}${type === undefined ? '' : ` ${type}`}, ${bytes(reply.body.length)}`
    screen.print(`${INDENT}${colors.dim(oneLine(head))}\n${replyLines(reply.body, this.#io.columns)}`)
  }

  #log(show: (reader: MessageLogReader) => string): void {
    const { app, dataFolder } = this.#setting
    const read = (): string => {
      using reader = new MessageLogReader(dataFolder)
      return show(reader)
    }
    void app
      .flush()
      .then(read)
      .catch((error: Error) => `the message log cannot be read: ${error.message}\n`)
      .then((text) => this.#show(text))
  }

  #lastFailure(reader: MessageLogReader): string {
    const { feed, flow } = this.#setting
    const last = feed.lastFailure
    const filter: RunFilter = {
      statuses: ['FAILED'],
      limit: 1,
      ...(flow === undefined ? {} : { flows: [flow] }),
    }
    const id = last?.id ?? reader.runs(filter)[0]?.id
    // While the disk takes nothing it is known here only.
    const run = (id === undefined ? undefined : reader.run(id)) ?? last
    return run ? printRun(run, this.#io) : 'no run has failed\n'
  }

  #lastRuns(reader: MessageLogReader): string {
    const { flow } = this.#setting
    const runs = reader.runs({ limit: LISTED, ...(flow === undefined ? {} : { flows: [flow] }) })
    return runs.length === 0 ? 'no runs yet\n' : printRuns(runs.toReversed(), this.#io)
  }
}

function aboutOf({ trigger, route }: FlowState): string {
  if (route) return `${route.methods.join(', ')} ${route.path}`
  return trigger ? `${trigger.kind} ${trigger.summary}` : ''
}

/** The beginning of a reply that is text. */
function replyLines(body: Uint8Array, columns: number): string {
  const text = Buffer.from(body.subarray(0, 8000)).toString('utf8').trimEnd()
  if (text === '' || /[\0-\x08\x0e-\x1f\ufffd]/.test(text)) return ''
  const lines = printable(text).split('\n')
  const shown = lines
    .slice(0, REPLY_LINES)
    .map((line) => `${INDENT}${shorten(line, Math.max(40, columns - 12))}\n`)
  return shown.join('') + (lines.length > REPLY_LINES ? `${INDENT}…\n` : '')
}
