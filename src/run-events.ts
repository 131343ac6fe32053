import type { DeployedVersion, MessageLog, RunProgress, RunRecord, RunStatus } from './core/stores.ts'
import { redacting, type Cleaning, type Redacting } from './store/redacting.ts'
import {
  fromJson,
  toFailure,
  toSteps,
  type AttachmentInfo,
  type LineRecord,
  type RunDetail,
} from './store/rows.ts'
import { appendTimings, packTimings } from './store/timings.ts'

/** What happens to runs, as the message log is told it. */
export type RunEvent =
  /** It is older than a second, or begins with a timer. */
  | { readonly kind: 'opened'; readonly run: LiveRun }
  | { readonly kind: 'progress'; readonly run: string; readonly progress: RunProgress }
  | { readonly kind: 'line'; readonly line: LineRecord }
  | { readonly kind: 'attachment'; readonly run: string; readonly attachment: AttachmentInfo }
  | { readonly kind: 'ended'; readonly run: LiveRun }

export interface LiveRun {
  readonly id: string
  readonly flow: string
  readonly trigger: string
  readonly status: RunStatus
  /** Epoch ms. */
  readonly startedAt: number
  /** ms with fractions; 0 while it goes on. */
  readonly duration: number
  /** All of it but lines, attachments and snapshots; made when it is asked for, and only good once it has ended. */
  detail(): RunDetail
}

/** The message log, with a listener that is told what it is told. */
export function observed(
  log: MessageLog,
  redactor: Cleaning,
  listener: (event: RunEvent) => void,
): MessageLog {
  const redact = redacting(redactor)
  const versions = new Map<string, DeployedVersion>()
  const liveRun = (run: RunRecord): LiveRun => {
    const { id, flow, trigger, status, startedAt, duration } = run
    const version = versions.get(`${flow} ${run.version}`)
    return { id, flow, trigger, status, startedAt, duration, detail: () => detailOf(run, version, redact) }
  }
  return {
    deployed(version) {
      versions.set(`${version.flow} ${version.version}`, version)
      log.deployed(version)
    },
    open(run) {
      listener({ kind: 'opened', run: liveRun(run) })
      return log.open(run)
    },
    progress(run, progress) {
      listener({ kind: 'progress', run, progress })
      log.progress(run, progress)
    },
    close(run) {
      listener({ kind: 'ended', run: liveRun(run) })
      log.close(run)
    },
    line(run, at, level, step, text, fields) {
      const kept = fields === undefined ? undefined : fromJson(redact.json(fields))
      listener({ kind: 'line', line: { run, at, level, step, text: redact.text(text), fields: kept } })
      log.line(run, at, level, step, text, fields)
    },
    attachment(run, at, step, name, content, contentType) {
      const size = Buffer.byteLength(content)
      const attachment = {
        at,
        step,
        name: redact.text(name),
        contentType: redact.text(contentType),
        size,
      }
      listener({ kind: 'attachment', run, attachment })
      log.attachment(run, at, step, name, content, contentType)
    },
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

function detailOf(run: RunRecord, version: DeployedVersion | undefined, redact: Redacting): RunDetail {
  const texts = redact.run(run)
  const packed: unknown[] = []
  appendTimings(packed, run.timings, run.omittedSteps)
  const { steps, omitted } = toSteps(packTimings(packed, 0, packed.length), version?.steps ?? [])
  const { progress } = run
  return {
    id: run.id,
    flow: run.flow,
    trigger: run.trigger,
    status: run.status,
    startedAt: run.startedAt,
    duration: run.duration,
    correlationId: texts.correlation ?? run.id,
    caller: texts.caller ?? undefined,
    calledBy: run.calledBy,
    failure: toFailure(texts.failure),
    credentials: run.credentials,
    hosts: texts.hosts?.split('\n') ?? [],
    progress: progress && {
      ...progress,
      kind: version?.steps.find(({ id }) => id === progress.step)?.kind ?? '',
    },
    version: run.version,
    file: version?.file,
    steps,
    omittedSteps: omitted,
    searchable: texts.searchable === null ? {} : (fromJson(texts.searchable) as Record<string, string>),
    lines: [],
    attachments: [],
    snapshots: [],
    related: undefined,
  }
}
