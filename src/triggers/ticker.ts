import { letGo } from '../net/answer-stream.ts'
import type { RunResult, TriggerHost } from '../core/kinds.ts'
import { Message } from '../core/message.ts'
import type { Logger } from '../core/services.ts'
import type { StateStore } from '../core/stores.ts'
import type { World } from '../core/world.ts'
import { everySchedule, listSchedule, newest, within, type Schedule } from './schedule.ts'

/** ms after which the wall clock is looked at again: it may have been set. */
const RECHECK = 30_000
/** ms that an occurrence may be late and still counts as on time. */
const ON_TIME = 60_000
/** ms until the state store is tried again. */
const RETRY = 5_000
/** Missed occurrences that are made up for at most. */
const MOST_MISSED = 1000

/** What a timer does, as prepared. Times are epoch ms. */
export interface TimerPlan {
  /** Name in the state store. */
  readonly key: string
  /** `schedule`: as it says. `every`: a period in ms from the start on. `once`: a single time. */
  readonly times: { readonly schedule: Schedule } | { readonly every: number } | { readonly once: true }
  readonly from: number | undefined
  readonly to: number | undefined
  /** ms */
  readonly jitter: number
  readonly overlap: 'skip' | 'queue' | 'allow'
  readonly misfire: 'skip' | 'last' | 'all'
}

export interface TickerSetting {
  readonly world: World
  readonly state: StateStore
  readonly log: Logger
}

/** A timer that goes: waits for the next occurrence, records it, runs the flow. */
export class Ticker {
  /** The occurrence that comes next; undefined where there is none. */
  upcoming: number | undefined
  private readonly plan: TimerPlan
  private readonly host: TriggerHost
  private readonly setting: TickerSetting
  private schedule: Schedule
  /** The occurrence that was dealt with last. */
  private cursor = 0
  /** ms by which the upcoming occurrence is delayed. */
  private delay = 0
  private running = 0
  private stopped = false
  private wake: (() => void) | undefined
  private firing: Promise<unknown> = Promise.resolve()

  constructor(plan: TimerPlan, host: TriggerHost, setting: TickerSetting) {
    this.plan = plan
    this.host = host
    this.setting = setting
    const now = setting.world.clock.now()
    this.schedule = this.scheduleFrom(now)
    this.upcoming = this.schedule.next(now - 1)
    void this.go()
  }

  /** Resolves when a tick that is recorded already has been handed over. */
  async stop(): Promise<void> {
    this.stopped = true
    this.wake?.()
    await this.firing
  }

  private scheduleFrom(first: number): Schedule {
    const { times, from, to } = this.plan
    if ('schedule' in times) return within(times.schedule, from, to)
    return within(
      'every' in times ? everySchedule(times.every, first) : listSchedule([Math.max(first, from ?? first)]),
      from,
      to,
    )
  }

  private async go(): Promise<void> {
    try {
      await this.begin()
      while (!this.stopped) {
        const wait = this.untilNext()
        if (wait === undefined) return
        if (wait > 0) await this.sleep(Math.min(wait, RECHECK))
        else await this.catchUp(this.setting.world.clock.now() - this.delay, ON_TIME)
      }
    } catch (error) {
      this.setting.log.error(
        { err: error, flow: this.host.flow },
        'a fault in the engine: the timer stands still',
      )
    }
  }

  /** Finds out where it was left, and makes up for what was missed since. */
  private async begin(): Promise<void> {
    const { plan, setting } = this
    const last = await this.insist(() => setting.state.lastFire(plan.key))
    const now = setting.world.clock.now()
    this.cursor = now - 1
    if (this.stopped) return
    if ('once' in plan.times) {
      this.schedule = last === undefined ? this.scheduleFrom(now) : listSchedule([])
    } else if ('every' in plan.times) {
      this.schedule = this.scheduleFrom(now)
      if (last === undefined || plan.misfire !== 'all') return
      const former = within(everySchedule(plan.times.every, last), plan.from, plan.to)
      await this.fireAll(newest(former, last, now - 1, MOST_MISSED))
    } else if (last === undefined) {
      // Known from now on: what is missed before it ever fired is missed all the same.
      this.cursor = now
      await this.record(now)
    } else {
      this.cursor = last
      await this.catchUp(now, -1)
    }
  }

  /** ms; undefined where nothing comes any more. */
  private untilNext(): number | undefined {
    const { plan, setting } = this
    const now = setting.world.clock.now()
    if ('every' in plan.times && this.cursor > now) {
      // The wall clock was set back; a period is counted in time that passed.
      this.schedule = this.scheduleFrom(now)
      this.cursor = now
    }
    const next = this.schedule.next(this.cursor)
    if (next !== this.upcoming) {
      this.upcoming = next
      this.delay = setting.world.random() * plan.jitter
    }
    return next === undefined ? undefined : next + this.delay - now
  }

  /** Deals with all occurrences up to `until`. The last one is on time when it is at most `tolerance` ms old. */
  private async catchUp(until: number, tolerance: number): Promise<void> {
    const due = newest(this.schedule, this.cursor, until, MOST_MISSED)
    const last = due.at(-1)
    if (last === undefined) {
      this.cursor = Math.max(this.cursor, until)
      return
    }
    const { misfire } = this.plan
    const onTime = until - last <= tolerance
    const chosen = misfire === 'all' ? due : misfire === 'last' || onTime ? [last] : []
    this.cursor = last
    if (chosen.length < due.length)
      this.setting.log.info(
        { flow: this.host.flow, missed: due.length - chosen.length, misfire },
        'missed ticks of the timer are left out',
      )
    await this.fireAll(chosen)
  }

  /** Several at once are made up for one after the other, whatever `overlap` says. */
  private async fireAll(times: readonly number[]): Promise<void> {
    for (const time of times) {
      if (this.stopped) return
      const firing = this.fire(time)
      this.firing = firing
      const { run } = await firing
      if (times.length > 1) await run
    }
  }

  private async fire(scheduledAt: number): Promise<{ run?: Promise<void> }> {
    const { host, setting, plan } = this
    const about = { flow: host.flow, scheduledAt: new Date(scheduledAt).toISOString() }
    const recorded = await this.record(scheduledAt)
    if (recorded === undefined) return {}
    if (!recorded) {
      setting.log.debug(about, 'tick left out: it has been fired before')
    } else if (plan.overlap === 'skip' && this.running > 0) {
      setting.log.debug(about, 'tick skipped: the run before it is not over')
    } else return { run: this.run(scheduledAt, about) }
    return {}
  }

  private async run(scheduledAt: number, about: { flow: string; scheduledAt: string }): Promise<void> {
    const { world, log } = this.setting
    const firedAt = new Date(world.clock.now()).toISOString()
    this.running++
    const result: RunResult = await this.host.process({
      message: new Message(),
      trigger: { kind: 'timer', data: { scheduledAt: new Date(scheduledAt).toISOString(), firedAt } },
      durable: true,
    })
    this.running--
    letGo(result.message.body)
    if (result.failure?.code !== 'flow.overload' && result.failure?.code !== 'flow.stopped') return
    const text = `tick not run: ${result.failure.message}`
    if (this.plan.overlap === 'skip') log.debug(about, text)
    else log.warn(about, text)
  }

  /** True when it is on disk now and was not there before; undefined when the timer was stopped. */
  private record(scheduledAt: number): Promise<boolean | undefined> {
    const operation = { kind: 'fire', timer: this.plan.key, scheduledAt } as const
    return this.insist(() => this.setting.state.atomically([operation]))
  }

  /** Tries until it succeeds or the timer is stopped: without the state store a timer must not fire. */
  private async insist<T>(action: () => Promise<T>): Promise<T | undefined> {
    while (!this.stopped) {
      try {
        return await action()
      } catch (error) {
        this.setting.log.error(
          { err: error, flow: this.host.flow },
          `the timer waits: the state store does not work; it is tried again in ${RETRY / 1000} s`,
        )
        await this.sleep(RETRY)
      }
    }
    return undefined
  }

  private sleep(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.setting.world.clock.after(ms, () => this.wake?.())
      this.wake = () => {
        this.wake = undefined
        timer.cancel()
        resolve()
      }
    })
  }
}
