import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Chance } from './chance.ts'
import type { Reply, Sent, Work } from './works.ts'

/** ms that a caller waits for a reply, or for the rest of it. */
const PATIENCE = 90_000
/** ms between looks whether there is an engine. */
const LOOK = 10
/** Misses that are kept as text. */
const KEPT = 10

/** Where the engine is at the moment. */
export interface Target {
  /** Undefined: there is none, or it is about to be killed. */
  url: string | undefined
  /** Which start of the engine it is. */
  generation: number
}

/** A reply that has a run, to be found in the message log. */
export interface Answered {
  readonly run: string
  readonly work: string
  /** Status of the run, as the reply tells. */
  readonly status: string
  /** Code of the failure. */
  readonly code: string | undefined
  /** Epoch ms of the reply. */
  readonly at: number
  readonly generation: number
}

/** A request that has no reply yet. */
export interface Open {
  readonly id: string
  readonly work: Work
  /** Epoch ms. */
  readonly sentAt: number
}

/** What became of the requests of one work. */
export class Tally {
  calls = 0
  usual = 0
  others = 0
  broken = 0
  /** The engine was killed before the reply. */
  cut = 0
  hungUp = 0
  /** Replies that must not be, and requests without one. */
  wrong = 0
  readonly misses: string[] = []
  /** ms of each complete reply. */
  readonly times: number[] = []
  /** Epoch ms of the last reply with the usual status. */
  lastUsual = 0

  miss(text: string): void {
    this.wrong++
    if (this.misses.length < KEPT) this.misses.push(text)
  }
}

export interface CallersSetting {
  /** What their ids begin with. */
  readonly name: string
  /** At once. */
  readonly count: number
  /** Requests a second, at the most. */
  readonly rate: number
  readonly works: readonly Work[]
  readonly chance: Chance
  readonly target: Target
}

/** Callers, each of which sends its next request when it has the reply to the last one. */
export class Callers {
  readonly tallies: ReadonlyMap<string, Tally>
  readonly open = new Map<string, Open>()
  /** To be looked up; whoever does takes them away. */
  answered: Answered[] = []
  private readonly setting: CallersSetting
  private readonly agent: Agent
  private number = 0
  private due = 0

  constructor(setting: CallersSetting) {
    this.setting = setting
    this.tallies = new Map(setting.works.map(({ name }) => [name, new Tally()]))
    this.agent = new Agent({ connections: setting.count, headersTimeout: PATIENCE, bodyTimeout: PATIENCE })
  }

  get calls(): number {
    return this.number
  }

  /** Sends until the signal; resolves when the last reply is there. */
  async run(signal: AbortSignal): Promise<void> {
    this.due = performance.now()
    await Promise.all(Array.from({ length: this.setting.count }, () => this.work(signal)))
  }

  async close(): Promise<void> {
    if (!this.agent.destroyed) await this.agent.destroy()
  }

  private async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.due = Math.max(this.due + 1000 / this.setting.rate, performance.now() - 1000)
      const wait = this.due - performance.now()
      if (wait > 0) await sleep(wait)
      while (this.setting.target.url === undefined && !signal.aborted) await sleep(LOOK)
      if (!signal.aborted) await this.call(this.setting.chance.pick(this.setting.works))
    }
  }

  private async call(work: Work): Promise<void> {
    const { target, chance } = this.setting
    const { url, generation } = target
    const id = `${this.setting.name}-${++this.number}`
    const sent = work.make(id, chance)
    const tally = this.tallies.get(work.name)!
    const isCut = () => target.url === undefined || target.generation !== generation
    const started = performance.now()
    tally.calls++
    this.open.set(id, { id, work, sentAt: Date.now() })
    try {
      const reply = await this.send(`${url}/http${sent.path}`, id, sent)
      if (typeof reply !== 'string') {
        tally.times.push(performance.now() - started)
        this.judge(work, sent, reply, tally)
        this.remember(work, reply, generation)
      } else if (isCut()) tally.cut++
      else if (reply === 'body' && work.mayBreak) tally.broken++
      else tally.miss(`${work.name}: the reply broke off in its ${reply}`)
    } catch (error) {
      if (sent.hangUp !== undefined && (error as Error).name === 'TimeoutError') tally.hungUp++
      else if (isCut()) tally.cut++
      else tally.miss(`${work.name}: no reply: ${String(error)}`)
    } finally {
      this.open.delete(id)
    }
  }

  /** The reply; `body` when it broke off there. */
  private async send(url: string, id: string, { method, body, hangUp }: Sent): Promise<Reply | 'body'> {
    const answer = await request(url, {
      method,
      dispatcher: this.agent,
      headers: { 'content-type': 'application/json', 'x-correlation-id': id },
      body: body ?? null,
      ...(hangUp !== undefined && { signal: AbortSignal.timeout(hangUp) }),
    })
    try {
      const bytes = Buffer.from(await answer.body.arrayBuffer())
      return { status: answer.statusCode, headers: answer.headers, body: bytes }
    } catch (error) {
      if (hangUp !== undefined) throw error
      return 'body'
    }
  }

  private judge({ name, usual, others }: Work, sent: Sent, reply: Reply, tally: Tally): void {
    const { status, body, headers } = reply
    if (status === usual) {
      tally.usual++
      tally.lastUsual = Date.now()
    } else tally.others++
    const allowed = others[status]
    const code = codeOf(reply)
    if (status !== usual && !allowed?.test(code ?? ''))
      return tally.miss(`${name}: ${status} ${code ?? body.toString('utf8', 0, 100)}`)
    if (status === 503 && code === 'flow.overload' && headers['retry-after'] === undefined)
      return tally.miss(`${name}: 503 without Retry-After`)
    if (status !== 200) return
    try {
      const wrong = sent.wrong?.(reply)
      if (wrong !== undefined) tally.miss(`${name}: ${wrong}`)
    } catch (error) {
      tally.miss(`${name}: a reply that cannot be read: ${String(error)}`)
    }
  }

  private remember({ name, logged }: Work, reply: Reply, generation: number): void {
    const run = reply.headers['sluice-run']
    if (typeof run !== 'string') return
    const status = logged?.(reply.status) ?? (reply.status < 400 ? 'COMPLETED' : 'FAILED')
    const code = status === 'FAILED' ? codeOf(reply) : undefined
    this.answered.push({ run, work: name, status, code, at: Date.now(), generation })
  }
}

function codeOf({ status, body }: Reply): string | undefined {
  if (status < 400) return undefined
  try {
    return (JSON.parse(body.toString()) as { code?: string }).code
  } catch {
    return undefined
  }
}
