// kill -9 at random moments under load: the databases open, what was older than a second is there, what was open is
// ABANDONED after the next start, and no tick comes twice.
import { setTimeout as sleep } from 'node:timers/promises'
import { Callers, type Answered, type Open, type Target } from './callers.ts'
import { checkLog, checkReplies, checkTicks } from './findings.ts'
import type { PhaseSetting } from './load-phase.ts'
import { Engine, startReceiver, type Receiver } from './processes.ts'
import { copyDatabases, damageIn, missOf, Records } from './records.ts'
import { isAlive, usageOf, type Descendant } from './usage.ts'
import { WORKS } from './works.ts'

/** ms that an engine lives, from the start of its process on; the shortest ones end before it serves. */
const LIFE = { least: 300, most: 6000 }
/** ms before the kill by which a run must have been answered to be on record, closed. */
const ANSWERED_BEFORE = 1000
/** ms: a run gets its opening record at an age of 1 s; it is looked for twice a second, and written within this. */
const OPENED_AT = 1000 + 500 + 250
/** ms that script processes may outlive their engine. */
const ORPHANED = 5000
/** Ticks that a kill may cut off between their record and their run, or under way. */
const TICKS_A_KILL = 2
/** ms of load after the last start. */
const LAST = 5000

interface Killed {
  /** Epoch ms. */
  readonly at: number
  readonly answered: readonly Answered[]
  readonly open: readonly Open[]
  readonly children: readonly Descendant[]
}

export async function killPhase(setting: PhaseSetting & { readonly kills: number }): Promise<Callers> {
  const receiver = await startReceiver(setting.seed + 1)
  const target: Target = { url: undefined, generation: 0 }
  const callers = new Callers({
    name: 'kill',
    count: setting.callers,
    rate: setting.rate,
    works: WORKS.map((work) => ({ ...work, weight: work.weightAtKills ?? work.weight })),
    chance: setting.chance,
    target,
  })
  const over = new AbortController()
  const load = callers.run(AbortSignal.any([setting.signal, over.signal]))
  const phase = new KillPhase(setting, receiver, target, callers)
  try {
    for (let kill = 1; kill <= setting.kills; kill++) await phase.life(kill)
    await phase.last(over, load)
    return callers
  } finally {
    over.abort()
    await phase.end()
    await load
    await receiver.stop()
    await callers.close()
  }
}

class KillPhase {
  private readonly setting: PhaseSetting & { readonly kills: number }
  private readonly receiver: Receiver
  private readonly target: Target
  private readonly callers: Callers
  private readonly data: string
  private engine: Engine | undefined
  /** Ids of the runs that kills left open since an engine served. */
  private leftOpen: readonly string[] = []
  private killedAt = 0
  private readonly sums = { answered: 0, open: 0, abandoned: 0, young: 0, youngMissing: 0, starts: 0 }

  constructor(
    setting: PhaseSetting & { readonly kills: number },
    receiver: Receiver,
    target: Target,
    callers: Callers,
  ) {
    this.setting = setting
    this.receiver = receiver
    this.target = target
    this.callers = callers
    this.data = `${setting.folder}/data-kill`
  }

  /** From a start to a kill. */
  async life(number: number): Promise<void> {
    const { chance, signal, write, checks, kills } = this.setting
    const ms = chance.between(LIFE.least, LIFE.most)
    const engine = this.start()
    const served = engine.ready().then((url) => url !== undefined && this.serve(url))
    await sleep(ms, undefined, { signal })
    const killed = await this.kill(engine)
    const serves = await served
    const found = this.look(killed)
    checkLog(checks, engine.log)
    write(
      `kill ${number} of ${kills} after ${ms} ms${serves ? '' : ' (before it served)'}: ${found}; ` +
        `sent ${this.callers.calls}`,
    )
    await this.checkOrphans(killed.children)
  }

  /** A last engine, which ends as it should. */
  async last(over: AbortController, load: Promise<void>): Promise<void> {
    const { checks, signal, kills } = this.setting
    const engine = this.start()
    const url = await engine.ready()
    checks
      .of('the engine starts after the last kill', 'yes')
      .tell(url === undefined ? 'no' : 'yes', url !== undefined)
    if (url === undefined) return
    this.serve(url)
    await sleep(LAST, undefined, { signal })
    over.abort()
    await load
    const exit = await engine.stop()
    checks.of('graceful end after the kills', 'exit code 0').tell(`exit code ${exit?.code}`, exit?.code === 0)
    const records = new Records(this.data)
    const open = records.open()
    checks
      .of('runs left open in the end', '0')
      .tell(`${open.length}; ${JSON.stringify(records.totals())}`, open.length === 0)
    records.close()
    checkLog(checks, engine.log)
    const { ticks } = await this.receiver.counts()
    checkTicks(checks, 'ticks over all kills', ticks, TICKS_A_KILL * kills)
    checkReplies(checks, this.callers.tallies, 'every request answered, or cut off by a kill')
  }

  async end(): Promise<void> {
    this.target.url = undefined
    await this.engine?.kill()
  }

  private start(): Engine {
    const { project, folder } = this.setting
    const logFile = `${folder}/kill.log`
    this.engine = new Engine({ project, data: this.data, receiver: this.receiver, logFile })
    return this.engine
  }

  /** What was open is ABANDONED before anybody is served; then the load goes on. */
  private serve(url: string): true {
    const check = this.setting.checks.of('open runs ABANDONED after the next start', 'all')
    const records = new Records(this.data)
    for (const id of this.leftOpen) {
      const found = records.run(id)
      if (found?.status !== 'ABANDONED') check.miss(`${id} is ${found?.status ?? 'gone'}`)
      this.sums.abandoned++
    }
    for (const id of records.open(this.killedAt)) check.miss(`${id} is still PROCESSING`)
    records.close()
    this.leftOpen = []
    check.tell(`${this.sums.abandoned} runs, ${++this.sums.starts} starts`)
    this.target.generation++
    this.target.url = url
    return true
  }

  private async kill(engine: Engine): Promise<Killed> {
    const { callers, target } = this
    const children = usageOf(engine.pid)?.children ?? []
    const { answered } = callers
    const open = target.url === undefined ? [] : [...callers.open.values()]
    callers.answered = []
    target.url = undefined
    const at = Date.now()
    await engine.kill()
    return { at, answered, open, children }
  }

  /** What the kill left on disk, looked at in a copy. */
  private look({ at, answered, open }: Killed): string {
    const { checks, folder } = this.setting
    const copy = `${folder}/copy`
    copyDatabases(this.data, copy)
    const damage = damageIn(copy)
    const opens = checks.of('databases open after a kill', 'integrity_check ok')
    if (damage !== undefined) opens.miss(damage)
    let records: Records
    try {
      records = new Records(copy, false)
    } catch (error) {
      if (this.sums.starts > 0) opens.miss(String(error))
      return 'no tables yet'
    }
    this.lookForAnswered(answered, at, records)
    this.lookForOpen(open, at, records)
    this.leftOpen = [...new Set([...this.leftOpen, ...records.open()])]
    this.killedAt = at
    records.close()
    const { young, youngMissing } = this.sums
    opens.tell(`${checks.of('databases open after a kill', '').missed} damaged`)
    return `${answered.length} answered, ${this.leftOpen.length} left open, ${youngMissing} of ${young} younger than 1 s not on record so far`
  }

  private lookForAnswered(answered: readonly Answered[], at: number, records: Records): void {
    const check = this.setting.checks.of('runs answered 1 s before a kill on record', 'all')
    for (const reply of answered) {
      const miss = missOf(reply, records)
      if (reply.at > at - ANSWERED_BEFORE || reply.generation !== this.target.generation) {
        this.sums.young++
        if (miss !== undefined) this.sums.youngMissing++
        continue
      }
      this.sums.answered++
      if (miss !== undefined) check.miss(`${at - reply.at} ms before the kill: ${miss}`)
    }
    const { young, youngMissing } = this.sums
    check.tell(`${this.sums.answered} runs; of ${young} younger ones ${youngMissing} missing`)
  }

  private lookForOpen(open: readonly Open[], at: number, records: Records): void {
    const check = this.setting.checks.of(`runs open for ${OPENED_AT} ms at a kill on record`, 'all')
    const correlations = records.correlations()
    for (const { id, work, sentAt } of open) {
      if (work.waits || at - sentAt < OPENED_AT) continue
      this.sums.open++
      if (!correlations.has(id))
        check.miss(`${work.name}: no record of ${id}, sent ${at - sentAt} ms before the kill`)
    }
    check.tell(`${this.sums.open} runs`)
  }

  private async checkOrphans(children: readonly Descendant[]): Promise<void> {
    const check = this.setting.checks.of(
      'script processes end with their engine',
      `within ${ORPHANED / 1000} s`,
    )
    const end = Date.now() + ORPHANED
    while (children.some(isAlive) && Date.now() < end) await sleep(50)
    const left = children.filter(isAlive)
    if (left.length > 0)
      check.miss(`${left.length} of ${children.length} go on: ${left.map(({ pid }) => pid).join()}`)
    check.tell(`${check.missed} kills with orphans`)
  }
}
