import type { DeployedVersion, MessageLog, RunRecord, RunStatus } from '../core/stores.ts'
import { NO_LABELS, type Family, type Labels, type Sample } from './family.ts'
import { Tally } from './tally.ts'

/** ms */
const BOUNDS = [1, 5, 25, 100, 250, 500, 1000, 2500, 10_000, 60_000, 600_000, 3_600_000]
/** Of a flow, whose runs may still end. */
const VERSIONS = 10
const ENDS: readonly RunStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED']
/** Outcomes in the timings of a run. */
const FAILED = 1
const SKIPPED = 2

interface StepCount {
  readonly labels: Labels
  count: number
  /** µs */
  sum: number
  failed: number
}

class FlowCounts {
  readonly labels: Labels
  /** By status. */
  readonly ended: Record<string, number> = Object.fromEntries(ENDS.map((status) => [status, 0]))
  /** Epoch ms of the last end, by status. */
  readonly last: Record<string, number> = {}
  readonly duration = new Tally(BOUNDS)
  /** By code. */
  readonly refused = new Map<string, number>()
  missed = 0
  /** Of all its versions, by id and kind. */
  readonly steps = new Map<string, StepCount>()
  /** Of a version, as the timings of its runs number them. */
  readonly versions = new Map<string, readonly StepCount[]>()

  constructor(flow: string) {
    this.labels = { flow }
  }

  deployed({ version, steps }: DeployedVersion): void {
    this.versions.delete(version)
    this.versions.set(
      version,
      steps.map(({ id, kind }) => this.#step(id, kind)),
    )
    for (const old of this.versions.keys()) if (this.versions.size > VERSIONS) this.versions.delete(old)
  }

  #step(step: string, kind: string): StepCount {
    const key = `${step} ${kind}`
    let count = this.steps.get(key)
    if (!count)
      this.steps.set(key, (count = { labels: { ...this.labels, step, kind }, count: 0, sum: 0, failed: 0 }))
    return count
  }
}

/** What is counted of runs and their steps, when each ends. Counts of a flow stay when it is taken away. */
export class RunMetrics {
  readonly #flows = new Map<string, FlowCounts>()

  /** The message log, counting what it is told. */
  counting(log: MessageLog): MessageLog {
    return {
      deployed: (version) => {
        this.#countsOf(version.flow).deployed(version)
        log.deployed(version)
      },
      open: (run) => log.open(run),
      progress: (run, progress) => log.progress(run, progress),
      close: (run) => {
        this.#ended(run)
        log.close(run)
      },
      line: (run, at, level, step, text, fields) => log.line(run, at, level, step, text, fields),
      attachment: (run, at, step, name, content, contentType) =>
        log.attachment(run, at, step, name, content, contentType),
      snapshot: (run, at, step, level, snapshot) => log.snapshot(run, at, step, level, snapshot),
      flush: () => log.flush(),
      get backlog() {
        return log.backlog
      },
      get lost() {
        return log.lost
      },
      get trouble() {
        return log.trouble
      },
    }
  }

  /** A message was not let in. @param code of its failure */
  refused(flow: string, code: string): void {
    const { refused } = this.#countsOf(flow)
    refused.set(code, (refused.get(code) ?? 0) + 1)
  }

  missed(flow: string, ticks: number): void {
    this.#countsOf(flow).missed += ticks
  }

  #countsOf(flow: string): FlowCounts {
    let counts = this.#flows.get(flow)
    if (!counts) this.#flows.set(flow, (counts = new FlowCounts(flow)))
    return counts
  }

  #ended({ flow, version, status, startedAt, duration, timings }: RunRecord): void {
    const counts = this.#countsOf(flow)
    counts.ended[status] = (counts.ended[status] ?? 0) + 1
    counts.last[status] = startedAt + duration
    counts.duration.add(duration)
    const steps = counts.versions.get(version)
    if (steps === undefined) return
    for (let at = 0; at < timings.length; at += 4) {
      const outcome = timings[at + 3]!
      const step = steps[timings[at]!]
      if (step === undefined || outcome === SKIPPED) continue
      step.count++
      step.sum += timings[at + 2]!
      if (outcome === FAILED) step.failed++
    }
  }

  families(): readonly Family[] {
    const duration = 'sluice_run_duration_seconds'
    const steps = 'sluice_step_duration_seconds'
    return [
      {
        name: 'sluice_runs_total',
        help: 'Runs that ended.',
        type: 'counter',
        samples: () =>
          this.#each((flow, { ended }) =>
            Object.entries(ended).map(([status, value]) => ({ labels: { flow, status }, value })),
          ),
      },
      {
        name: duration,
        help: 'How long runs took, from their start to their end.',
        type: 'histogram',
        samples: () => this.#each((_flow, { duration: tally, labels }) => tally.samples(duration, labels)),
      },
      {
        name: 'sluice_last_run_timestamp_seconds',
        help: 'When the last run ended, by how it ended (Unix time).',
        type: 'gauge',
        samples: () =>
          this.#each((flow, { last }) =>
            Object.entries(last).map(([status, at]) => ({ labels: { flow, status }, value: at / 1000 })),
          ),
      },
      {
        name: 'sluice_messages_refused_total',
        help: 'Messages that were not let in and never became a run, by the code of the failure.',
        type: 'counter',
        samples: () =>
          this.#each((flow, { refused }) => {
            const codes = refused.has('flow.overload') ? refused : new Map([['flow.overload', 0], ...refused])
            return [...codes].map(([code, value]) => ({ labels: { flow, code }, value }))
          }),
      },
      {
        name: 'sluice_timer_ticks_missed_total',
        help: 'Ticks of timers that were due and for which the flow did not run.',
        type: 'counter',
        samples: () => this.#each((flow, { missed }) => [{ labels: { flow }, value: missed }]),
      },
      {
        name: steps,
        help: 'How long steps took, with all their attempts.',
        type: 'summary',
        samples: () =>
          this.#eachStep(({ labels: sharedLabels, sum, count }) => [
            { metricName: `${steps}_sum`, labels: NO_LABELS, sharedLabels, value: sum / 1e6 },
            { metricName: `${steps}_count`, labels: NO_LABELS, sharedLabels, value: count },
          ]),
      },
      {
        name: 'sluice_step_failures_total',
        help: 'Steps that failed, also where the flow went on.',
        type: 'counter',
        samples: () =>
          this.#eachStep(({ labels: sharedLabels, failed }) => [
            { labels: NO_LABELS, sharedLabels, value: failed },
          ]),
      },
    ]
  }

  #each(samples: (flow: string, counts: FlowCounts) => readonly Sample[]): Sample[] {
    return [...this.#flows].flatMap(([flow, counts]) => samples(flow, counts))
  }

  #eachStep(samples: (count: StepCount) => readonly Sample[]): Sample[] {
    return this.#each((_flow, { steps }) => [...steps.values()].flatMap(samples))
  }
}
