// Mixed load against one engine for minutes: every request is answered, every answered run is on record, nothing grows.
import { setTimeout as sleep } from 'node:timers/promises'
import { Callers, type Answered, type Target } from './callers.ts'
import type { Chance } from './chance.ts'
import type { Checks } from './checks.ts'
import { checkLog, checkReplies, checkTicks } from './findings.ts'
import { checkGrowth, checkRest, restOf, SAMPLE, type Sample } from './growth.ts'
import { Engine, startReceiver } from './processes.ts'
import { damageIn, missOf, Records } from './records.ts'
import { usageOf, type Usage } from './usage.ts'
import { WORKS } from './works.ts'

/** ms between two lines of progress. */
const PROGRESS = 10_000
/** ms after its reply by which a run must be on record. */
const RECORDED = 3000
/** ms of load before the first rest. */
const WARM = 10_000

export interface PhaseSetting {
  /** Temporary; holds the project. */
  readonly folder: string
  readonly project: string
  readonly seed: number
  readonly chance: Chance
  readonly callers: number
  /** Requests a second. */
  readonly rate: number
  readonly checks: Checks
  readonly signal: AbortSignal
  readonly write: (line: string) => void
}

export async function loadPhase(setting: PhaseSetting & { readonly minutes: number }): Promise<Callers> {
  const { folder, project, seed, chance, checks, signal, write } = setting
  const data = `${folder}/data-load`
  const receiver = await startReceiver(seed)
  const engine = new Engine({ project, data, receiver, logFile: `${folder}/load.log` })
  const target: Target = { url: undefined, generation: 0 }
  const both = ['warm', 'soak'].map(
    (name) => new Callers({ name, count: setting.callers, rate: setting.rate, works: WORKS, chance, target }),
  ) as [Callers, Callers]
  const [warming, callers] = both
  try {
    target.url = await engine.ready()
    if (target.url === undefined) throw new Error('the engine did not start: --keep keeps its log')
    const phase = new LoadPhase(setting, engine, data)
    write(`warm-up: ${WARM / 1000} s of load, then rest`)
    await warming.run(AbortSignal.any([signal, AbortSignal.timeout(WARM)]))
    await warming.close()
    const before = await restOf(engine.pid, signal)
    await phase.load(callers)
    await callers.close()
    checkRest(checks, before, await restOf(engine.pid, signal))
    for (const { answered } of both) await phase.verify(answered, true)
    const exit = await engine.stop()
    checks
      .of('graceful end', 'exit code 0')
      .tell(exit ? `exit code ${exit.code}` : 'killed: it took too long', exit?.code === 0)
    for (const { tallies } of both) checkReplies(checks, tallies)
    phase.checkAlive(callers)
    phase.afterwards()
    const counts = await receiver.counts()
    checkTicks(checks, 'ticks under load', counts.ticks, 0)
    checkLog(checks, engine.log)
    write(
      `receiver: ${counts.requests} requests, ${counts.tokens} tokens; faults: ${JSON.stringify(counts.faults)}`,
    )
    for (const [text, times] of engine.log.told) write(`engine's log, ${times} times: ${text}`)
    return callers
  } finally {
    await engine.kill()
    await receiver.stop()
    for (const each of both) await each.close()
  }
}

class LoadPhase {
  private readonly setting: PhaseSetting & { readonly minutes: number }
  private readonly engine: Engine
  private readonly data: string
  private readonly records: Records
  private readonly samples: Sample[] = []
  /** Epoch ms. */
  private started = 0
  private verified = 0

  constructor(setting: PhaseSetting & { readonly minutes: number }, engine: Engine, data: string) {
    this.setting = setting
    this.engine = engine
    this.data = data
    this.records = new Records(data)
  }

  /** ms */
  private get length(): number {
    return this.setting.minutes * 60_000
  }

  async load(callers: Callers): Promise<void> {
    const { signal, write } = this.setting
    const over = AbortSignal.any([signal, AbortSignal.timeout(this.length)])
    this.started = Date.now()
    const load = callers.run(over)
    let told = 0
    let calls = 0
    while (!over.aborted) {
      await sleep(SAMPLE)
      const at = Date.now() - this.started
      const usage = usageOf(this.engine.pid)
      if (usage) this.samples.push({ at, ...usage })
      callers.answered = await this.verify(callers.answered, false)
      if (this.engine.ended) throw new Error('the engine ended under load: --keep keeps its log')
      if (at - told < PROGRESS) continue
      const rate = ((callers.calls - calls) / (at - told)) * 1000
      write(this.progress(at, rate, callers, usage))
      told = at
      calls = callers.calls
    }
    await load
    signal.throwIfAborted()
  }

  private progress(at: number, rate: number, callers: Callers, usage: Usage | undefined): string {
    const wrong = [...callers.tallies.values()].reduce((sum, tally) => sum + tally.wrong, 0)
    const taken = usage
      ? `  memory ${usage.memory.toFixed(0)} MB + ${usage.childMemory.toFixed(0)} MB of ${usage.children.length}` +
        `  descriptors ${usage.descriptors}  sockets ${usage.sockets}`
      : ''
    return (
      `${(at / 1000).toFixed(0).padStart(5)} s  ${rate.toFixed(0)}/s  sent ${callers.calls}  ` +
      `open ${callers.open.size}  wrong ${wrong}  on record ${this.verified}${taken}`
    )
  }

  /** Looks old replies (or all) up in the message log; gives back those that are too young. */
  async verify(answered: readonly Answered[], all: boolean): Promise<Answered[]> {
    const check = this.setting.checks.of('answered runs on record, as answered', 'all')
    if (all) await sleep(RECORDED)
    const before = Date.now() - RECORDED
    const young: Answered[] = []
    for (const reply of answered) {
      if (reply.at > before) {
        young.push(reply)
        continue
      }
      this.verified++
      const miss = missOf(reply, this.records)
      if (miss !== undefined) check.miss(miss)
    }
    check.tell(`${this.verified} looked up`)
    return young
  }

  /** Nothing stops working for good. */
  checkAlive({ tallies }: Callers): void {
    const check = this.setting.checks.of('every flow works until the end', 'in the last third')
    for (const { name, usual } of WORKS) {
      const { lastUsual } = tallies.get(name)!
      if (usual === undefined || lastUsual >= this.started + (this.length * 2) / 3) continue
      check.miss(
        `${name}: the last ${usual} was ${((lastUsual - this.started) / 1000).toFixed(0)} s after the start`,
      )
    }
    check.tell(`${tallies.size} kinds of requests`)
  }

  /** When the engine has ended. */
  afterwards(): void {
    const { checks } = this.setting
    const { records } = this
    checkGrowth(checks, this.samples, this.length)
    const open = records.open()
    checks.of('runs left open', '0').tell(String(open.length), open.length === 0)
    const faults = records.failedWith('engine.fault')
    checks.of('runs with engine.fault', '0').tell(String(faults), faults === 0)
    const syncs = records.totalsOf('sync')
    checks.of('syncs by timer', 'some completed').tell(JSON.stringify(syncs), (syncs['COMPLETED'] ?? 0) > 0)
    const gone = records.totalsOf('hang-up')
    checks
      .of('runs of callers that went away', 'some cancelled')
      .tell(JSON.stringify(gone), (gone['CANCELLED'] ?? 0) > 0)
    records.close()
    const damage = damageIn(this.data)
    checks.of('databases after the load', 'integrity_check ok').tell(damage ?? 'ok', damage === undefined)
  }
}
