import type { TriggerHost } from '../core/kinds.ts'
import { Alarm } from './alarm.ts'
import { everySchedule, joined, listSchedule, newest, NEVER, within, type Schedule } from './schedule.ts'
import { TickRunner, type TickerSetting } from './tick-runner.ts'
import type { TimerPlan } from './timer-plan.ts'

/** ms after which the wall clock is looked at again: it may have been set. */
const RECHECK = 30_000
/** ms that an occurrence may be late, jitter apart, and still counts as on time. */
const ON_TIME = 60_000
/** ms by which the wall clock must be set back to count as set, not as kept right. */
const SET_BACK = 1000
/** Missed occurrences that are made up for at most. */
const MOST_MISSED = 1000

/** A timer that goes: waits for the next occurrence, records it, runs the flow. */
export class Ticker {
  private readonly plan: TimerPlan
  private readonly host: TriggerHost
  private readonly setting: TickerSetting
  private readonly alarm: Alarm
  private readonly runner: TickRunner
  private schedule: Schedule
  /** Where a period counts from. */
  private first: number
  /** ms that the wall clock is ahead of the monotonic one. */
  private ahead: number
  /** The occurrence that comes next, and the ms by which chance delays it. */
  private aim: number | undefined
  private delay = 0
  /** Up to here, included, all occurrences are dealt with. */
  private cursor = 0
  /** From here up to `cursor` every occurrence was recorded; before, some were left out. */
  private recordedFrom = 0
  /** Missed occurrences that wait to be made up for. */
  private missed = 0
  /** The occurrence for which it was told that the clock was set back. */
  private toldOf: number | undefined

  constructor(plan: TimerPlan, host: TriggerHost, setting: TickerSetting) {
    this.plan = plan
    this.host = host
    this.setting = setting
    this.alarm = new Alarm(setting.world.clock)
    this.runner = new TickRunner(plan, host, setting, this.alarm)
    const now = setting.world.clock.now()
    this.first = now
    this.ahead = now - setting.world.clock.ticks()
    this.schedule = this.scheduleFrom(now)
    this.aim = this.schedule.next(now - 1)
    void this.go()
  }

  /** When it fires next, as far as that can be said; epoch ms. Undefined: never again. */
  get next(): number | undefined {
    const now = this.setting.world.clock.now()
    if (this.missed > 0) return now
    if (this.aim === undefined || this.aim + this.delay > now) return this.aim && this.aim + this.delay
    return this.plan.overlap === 'skip' && this.runner.running > 0
      ? this.schedule.next(Math.max(now, this.cursor))
      : now
  }

  /** Resolves when a tick that is recorded already has been handed over. */
  async stop(): Promise<void> {
    this.alarm.switchOff()
    await this.runner.firing
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
      this.aim = undefined
      while (!this.alarm.off) {
        const wait = this.untilNext()
        if (wait === undefined) return
        if (wait > 0) await this.alarm.wait(Math.min(wait, RECHECK))
        else await this.catchUp()
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
    let found: { at: number | undefined } | undefined
    while (!found && !this.alarm.off) found = await this.runner.lastFire()
    if (!found || this.alarm.off) return
    const last = found.at
    const now = setting.world.clock.now()
    this.first = now
    this.schedule = this.scheduleFrom(now)
    this.cursor = this.recordedFrom = now - 1
    if ('once' in plan.times) {
      if (last !== undefined) this.schedule = NEVER
    } else if ('every' in plan.times) {
      if (last === undefined || plan.misfire !== 'all') return
      const before = within(everySchedule(plan.times.every, last), plan.from, plan.to)
      this.schedule = joined(before, now, this.schedule)
      this.cursor = this.recordedFrom = Math.min(last, now - 1)
      await this.catchUp()
    } else if (last === undefined) {
      // Known from now on: what is missed before it ever fired is missed all the same.
      this.cursor = this.recordedFrom = now
      while (!this.alarm.off && (await this.runner.record(now)) === undefined);
    } else {
      this.cursor = this.recordedFrom = last
      await this.catchUp()
    }
  }

  /** ms; undefined where nothing comes any more. */
  private untilNext(): number | undefined {
    const { plan, setting } = this
    const now = setting.world.clock.now()
    this.lookAtClock(now)
    const next = this.schedule.next(this.cursor)
    if (next !== this.aim) {
      this.aim = next
      this.delay = Math.round(setting.world.random() * plan.jitter)
    }
    return next === undefined ? undefined : next + this.delay - now
  }

  /** The wall clock may have been set back: a period goes on; other ticks come again only if they were left out. */
  private lookAtClock(now: number): void {
    const { clock } = this.setting.world
    const back = Math.round(this.ahead - (now - clock.ticks()))
    this.ahead = now - clock.ticks()
    if ('every' in this.plan.times) {
      if (back >= SET_BACK) this.moveBack(back)
      return
    }
    if (this.cursor - now > ON_TIME && this.toldOf !== this.cursor)
      this.setting.log.warn(
        { flow: this.host.flow, last: new Date(this.cursor).toISOString() },
        'the clock was set back: the timer has dealt with later ticks already; none is fired twice',
      )
    this.toldOf = this.cursor
    if (now < this.recordedFrom) this.cursor = this.recordedFrom = now
  }

  private moveBack(ms: number): void {
    this.first -= ms
    this.cursor -= ms
    this.recordedFrom -= ms
    if (this.aim !== undefined) this.aim -= ms
    this.schedule = this.scheduleFrom(this.first)
  }

  /** Deals with all occurrences that are due. Where the state store does not work, it is to be called again. */
  private async catchUp(): Promise<void> {
    const { misfire, jitter } = this.plan
    const until = this.setting.world.clock.now() - this.delay
    const due = newest(this.schedule, this.cursor, until, MOST_MISSED + 1)
    const last = due.at(-1)
    if (last === undefined) return
    const onTime = until - last <= Math.max(ON_TIME, jitter)
    const chosen = misfire === 'all' ? due.slice(-MOST_MISSED) : misfire === 'last' || onTime ? [last] : []
    this.leaveOut(due, due.length - chosen.length, 'missed ticks of the timer are left out')
    const several = chosen.length > 1
    this.missed = several ? chosen.length : 0
    for (const time of chosen) {
      const { recorded, run } = await this.runner.fire(time)
      if (!recorded) return
      this.cursor = time
      if (!several) return
      this.missed--
      await run
      if (this.alarm.off) return
    }
    if (several) await this.goOn(chosen.length)
  }

  /**
   * Deals with what came due while `before` missed ticks were made up for, as `overlap` says. As long as they become
   * fewer, they are made up for, too.
   */
  private async goOn(before: number): Promise<void> {
    const due = newest(this.schedule, this.cursor, this.setting.world.clock.now(), MOST_MISSED + 1)
    if (this.plan.overlap === 'skip') {
      if (due.length < before) return
      this.leaveOut(due, due.length, 'ticks of the timer are skipped: missed ones were being made up for')
      await this.runner.record(this.cursor)
      return
    }
    const chosen = due.slice(-MOST_MISSED)
    this.leaveOut(due, due.length - chosen.length, 'missed ticks of the timer are left out')
    for (const time of chosen) {
      if (this.alarm.off || !(await this.runner.fire(time)).recorded) return
      this.cursor = time
    }
  }

  /** The first `count` of the ticks that are due. */
  private leaveOut(due: readonly number[], count: number, text: string): void {
    if (count === 0) return
    this.host.missed?.(count)
    const first = this.schedule.next(this.cursor)!
    const last = due[count - 1]!
    this.setting.log.info(
      {
        flow: this.host.flow,
        misfire: this.plan.misfire,
        ...(due.length <= MOST_MISSED && { ticks: count }),
        first: new Date(first).toISOString(),
        last: new Date(last).toISOString(),
      },
      text,
    )
    this.cursor = last
    this.recordedFrom = last + 1
  }
}
