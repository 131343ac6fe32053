import type { App } from '../app.ts'
import type { AppSetting } from '../assembly.ts'
import { didYouMean } from '../core/problem.ts'
import type { Timer } from '../core/world.ts'
import { realClock } from '../world.ts'
import { Stop, type CommandDefinition, type CommandIo } from './command.ts'
import { printEngineLine } from './dev/engine-lines.ts'
import { KeyBoard, QUIT } from './dev/key-board.ts'
import { RunFeed } from './dev/run-feed.ts'
import { Screen } from './dev/screen.ts'
import { Session } from './dev/session.ts'
import { paint } from './paint.ts'
import {
  appSettingFor,
  listenOption,
  logCommandFor,
  managementOption,
  parameterOption,
  settingOptions,
} from './project-setting.ts'
import { checkProcess } from './safe-process.ts'
import { startSummary } from './start-summary.ts'
import { untilAborted } from './until-aborted.ts'

type Options = Readonly<Record<string, unknown>>

export const devCommand: CommandDefinition = {
  name: 'dev',
  summary: 'Starts the engine and shows what happens: problems as files are saved, runs as they end.',
  options: [
    listenOption,
    managementOption,
    { flags: '--flow <name>', description: 'show runs of this flow only' },
    { flags: '--failures', description: 'show runs that fail only' },
    { flags: '--steps', description: 'show the steps of every run, also of those that end well and quickly' },
    ...settingOptions.filter(({ flags }) => flags !== '--dev'),
    parameterOption,
    { flags: '--log-level <level>', description: "debug, info, warn or error: of the engine's own log" },
  ],
  examples: ['sluice dev', 'sluice dev --flow price-order --steps'],
  details: `As sluice start --watch --dev, for the terminal beside the editor: changed flows, scripts, credentials and \
secrets take effect when they are saved, and a file with mistakes leaves the version before in force. \
Many runs at once are counted, a line a second. The key ? tells what the keys do: run a flow (r), the last \
failure (f), the last runs (l), problems (p), credentials (c), restart (R), quit (q). With --management it prints a link \
that opens the management pages in a browser, once.`,
  async run(io, _args, options) {
    checkProcess(io)
    return await new Dev(io, options).run()
  },
}

/** ms between two drawings of the lines at the bottom. */
const DRAW_EVERY = 100

/** The command as long as it is open; it may see several engines, one after the other. */
class Dev {
  readonly #io: CommandIo
  readonly #options: Options
  readonly #screen: Screen
  #app: App | undefined
  #session!: Session
  #feed!: RunFeed
  #keys: KeyBoard | undefined
  #drawing: Timer | undefined
  /** Somebody wants the engine that is up to be started again. */
  #restart = Promise.withResolvers<'restart'>()

  constructor(io: CommandIo, options: Options) {
    this.#io = io
    this.#options = options
    this.#screen = new Screen(io.stdout, io.screen, paint(io.color).dim)
  }

  async run(): Promise<number> {
    const io = this.#io
    let setting = await this.#readSetting(io)
    const release = this.#takeKeys()
    io.onHangup?.(() => this.#hangUp())
    io.screen?.onResize(() => this.#screen.draw())
    const over = new AbortController()
    const stopped = untilAborted(AbortSignal.any([io.signal, over.signal])).then(() => 'stop' as const)
    try {
      this.#screen.show(['starting …'])
      await this.#start(setting)
      while ((await Promise.race([this.#restart.promise, stopped])) === 'restart') {
        const next = await this.#settingAgain()
        this.#restart = Promise.withResolvers()
        if (next) setting = await this.#startAgain(setting, next)
      }
      this.#say('stopping: what runs may finish; Ctrl-C ends it at once …')
      return 0
    } finally {
      this.#screen.show([])
      over.abort()
      await this.#stop().finally(release)
    }
  }

  #readSetting(io: CommandIo): Promise<AppSetting> {
    return appSettingFor(io, { ...this.#options, watch: true, dev: true, logFormat: 'json' }, true)
  }

  async #start(setting: AppSetting): Promise<void> {
    const { color } = this.#io
    const screen = this.#screen
    const flow = this.#options['flow'] as string | undefined
    const moved = (): void => this.#drawSoon()
    const feed = new RunFeed({
      clock: realClock,
      color,
      columns: () => screen.columns,
      ...(flow === undefined ? {} : { flow }),
      failuresOnly: this.#options['failures'] === true,
      steps: this.#options['steps'] === true,
      tellsProgress: !screen.isLive,
      source: (file) => session.source(file),
      print: (text) => screen.print(text),
      moved,
    })
    const session = new Session({
      screen,
      feed,
      color,
      projectFolder: this.#io.projectFolder,
      clock: realClock,
      redact: (text) => this.#io.faults?.redact(text) ?? text,
      howToRestart: this.#io.screen?.takeKeys ? 'press R' : 'start sluice dev again',
      moved,
    })
    const { startApp } = await import('../app.ts')
    const app = await startApp({
      ...setting,
      writeLog: (line) => screen.print(printEngineLine(line, { color, columns: screen.columns })),
      observer: session,
    })
    this.#feed = feed
    this.#session = session
    this.#app = app
    this.#keys = new KeyBoard({
      app,
      session,
      feed,
      screen,
      color,
      dataFolder: setting.settings.data,
      ...(flow === undefined ? {} : { flow }),
      quit: () => this.#quit(),
      restart: () => this.#restart.resolve('restart'),
      moved: () => this.#draw(),
    })
    await session.begin(app, () => this.#tellStart(app, setting, flow))
    this.#draw()
    this.#io.ready?.()
  }

  async #tellStart(app: App, setting: AppSetting, flow: string | undefined): Promise<void> {
    const io = { ...this.#io, columns: this.#screen.columns }
    this.#screen.print(startSummary(app, io, await logCommandFor(setting.settings.data, io)))
    const names = app.control.flows().map(({ name }) => name)
    if (flow !== undefined && !names.includes(flow))
      this.#screen.print(`There is no flow "${flow}" yet${didYouMean(flow, names)}: no run is shown.\n`)
    const problems = this.#session.problems()
    this.#screen.print(problems === '' ? '\n' : `\n${problems}\n`)
  }

  /** Undefined: they have mistakes, which are shown. */
  async #settingAgain(): Promise<AppSetting | undefined> {
    try {
      return await this.#readSetting({ ...this.#io, stderr: (text) => this.#screen.print(text) })
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      this.#screen.print('not restarted: the settings have mistakes\n')
      return undefined
    }
  }

  /** Where it does not start with the new settings, it does with the former ones. */
  async #startAgain(former: AppSetting, next: AppSetting): Promise<AppSetting> {
    this.#say('restarting: what runs may finish …')
    await this.#stop()
    if (this.#io.signal.aborted) return former
    try {
      await this.#start(next)
      return next
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      if (!/^(SLUICE_|store\.)/.test(code ?? '')) throw error
      this.#screen.print(`${message}\nthe former settings stay in force\n`)
      await this.#start(former)
      return former
    }
  }

  #say(text: string): void {
    this.#screen.show([])
    this.#screen.print(`${text}\n`)
  }

  async #stop(): Promise<void> {
    const app = this.#app
    if (!app) return
    this.#app = undefined
    this.#keys = undefined
    await app.stop()
    this.#feed.stop()
  }

  /** At most so often; runs may end by the thousand. */
  #drawSoon(): void {
    if (!this.#io.screen) return
    this.#drawing ??= realClock.after(DRAW_EVERY, () => this.#draw())
  }

  #draw(): void {
    this.#drawing?.cancel()
    this.#drawing = undefined
    const { screen } = this.#io
    if (!screen || !this.#app) return
    const status = this.#session.status(this.#app, screen.takeKeys !== undefined)
    this.#screen.show([...this.#feed.going().slice(-5), ...(this.#keys?.lines ?? [status])])
  }

  #takeKeys(): () => void {
    const { screen } = this.#io
    return (
      screen?.takeKeys?.({
        pressed: (key) => {
          if (key === '\x03') screen.interrupt()
          else if (key === '\x1a') screen.suspend()
          else if (this.#keys) this.#keys.press(key)
          else if (QUIT.has(key)) this.#quit()
        },
        left: () => this.#screen.hold(true),
        back: () => this.#screen.hold(false),
      }) ?? (() => {})
    )
  }

  /** Keys may repeat, and a launcher may pass on a signal that came to the whole group: once is enough. */
  #quit(): void {
    if (!this.#io.signal.aborted) this.#io.screen?.interrupt()
  }

  /** The window was closed; or, where there is none, flows are to be read again. */
  #hangUp(): void {
    const { screen } = this.#io
    if (screen) {
      this.#screen.close()
      this.#quit()
    } else void this.#app?.hangUp()
  }
}
