import { letGo } from '../net/answer-stream.ts'
import type { TriggerHost } from '../core/kinds.ts'
import { Message } from '../core/message.ts'
import type { Logger } from '../core/services.ts'
import type { StateStore } from '../core/stores.ts'
import type { World } from '../core/world.ts'
import type { Alarm } from './alarm.ts'
import { LeftOut } from './left-out.ts'
import type { TimerPlan } from './timer-plan.ts'

/** ms until the state store is tried again. */
const RETRY = 5_000

export interface TickerSetting {
  readonly world: World
  readonly state: StateStore
  readonly log: Logger
}

/** What became of a tick; `run` resolves when its run has ended. */
export interface Fired {
  /** False: the state store does not work, or the timer was stopped; nothing has happened. */
  readonly recorded: boolean
  readonly run?: Promise<void>
}

/** Records the ticks of a timer and runs the flow for them. */
export class TickRunner {
  /** Runs that are not over. */
  running = 0
  /** Settles when the tick that is being recorded has been handed over. */
  firing: Promise<unknown> = Promise.resolve()
  private readonly plan: TimerPlan
  private readonly host: TriggerHost
  private readonly setting: TickerSetting
  private readonly alarm: Alarm
  private readonly leftOut: LeftOut
  /** The occurrence whose recording failed last. */
  private unsure: number | undefined
  private troubled = false

  constructor(plan: TimerPlan, host: TriggerHost, setting: TickerSetting, alarm: Alarm) {
    this.plan = plan
    this.host = host
    this.setting = setting
    this.alarm = alarm
    this.leftOut = new LeftOut(host.flow, setting.log)
  }

  /** What was recorded last; undefined: to be asked again. */
  lastFire(): Promise<{ readonly at: number | undefined } | undefined> {
    return this.ask(async () => ({ at: await this.setting.state.lastFire(this.plan.key) }))
  }

  /** True when it is on disk now and was not there before; undefined: to be asked again. */
  async record(scheduledAt: number): Promise<boolean | undefined> {
    const operation = { kind: 'fire', timer: this.plan.key, scheduledAt } as const
    const recorded = await this.ask(() => this.setting.state.atomically([operation]))
    if (recorded === undefined) this.unsure = scheduledAt
    return recorded
  }

  fire(scheduledAt: number): Promise<Fired> {
    const firing = this.recordAndRun(scheduledAt)
    this.firing = firing
    return firing
  }

  private async recordAndRun(scheduledAt: number): Promise<Fired> {
    const { host, setting, plan } = this
    const about = { flow: host.flow, scheduledAt: new Date(scheduledAt).toISOString() }
    const recorded = await this.record(scheduledAt)
    if (recorded === undefined) return { recorded: false }
    if (recorded) {
      if (plan.overlap !== 'skip' || this.running === 0)
        return { recorded: true, run: this.run(scheduledAt, about) }
      host.missed?.(1)
      this.leftOut.add(scheduledAt, 'info', 'tick skipped: the run before it is not over')
    } else if (this.unsure === scheduledAt) {
      host.missed?.(1)
      setting.log.warn(
        about,
        'tick not run: it is on record as fired, maybe since the attempt to record it that failed',
      )
    } else setting.log.debug(about, 'tick left out: it has been fired before')
    return { recorded: true }
  }

  private async run(scheduledAt: number, about: { flow: string; scheduledAt: string }): Promise<void> {
    const { world, log } = this.setting
    const firedAt = new Date(world.clock.now()).toISOString()
    this.running++
    const outcome = this.host.process({
      message: new Message(),
      trigger: { kind: 'timer', data: { scheduledAt: about.scheduledAt, firedAt } },
      durable: true,
    })
    if (outcome instanceof Promise || outcome.id !== undefined) this.leftOut.end()
    const { id, message, failure } = await outcome
    this.running--
    letGo(message.body)
    if (id !== undefined) return
    this.host.missed?.(1)
    const text = `tick not run: ${failure!.message}`
    if (failure!.code === 'flow.stopped') log.warn(about, text)
    else this.leftOut.add(scheduledAt, this.plan.overlap === 'skip' ? 'info' : 'warn', text)
  }

  /** Without the state store a timer must not fire: where it does not work, undefined comes after a while. */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    const { log } = this.setting
    const { flow } = this.host
    try {
      const answer = await question()
      if (this.troubled) log.info({ flow }, 'the state store works again: the timer goes on')
      this.troubled = false
      return answer
    } catch (error) {
      if (this.alarm.off) return undefined
      if (!this.troubled)
        log.error(
          { err: error, flow },
          `the timer waits: the state store does not work; it is tried every ${RETRY / 1000} s`,
        )
      this.troubled = true
      await this.alarm.wait(RETRY)
      return undefined
    }
  }
}
