import type { RunFailure } from '../core/failure.ts'
import type { AttachmentInfo, LineRecord, RunDetail, SnapshotRecord, StepRecord } from '../store/rows.ts'

/** What a step left in the message log, by time. */
export type Note =
  | { readonly kind: 'line'; readonly of: LineRecord }
  | { readonly kind: 'attachment'; readonly of: AttachmentInfo; readonly name: string }
  | { readonly kind: 'snapshot'; readonly of: SnapshotRecord }

/** A step of a run with the steps inside it. */
export interface StepNode {
  readonly step: StepRecord
  readonly inside: readonly (StepNode | MoreNode)[]
  readonly notes: readonly Note[]
  /** Why the run failed, where it failed here. */
  readonly failure: RunFailure | undefined
}

/** Further rounds of one step, which are not shown one by one. */
export interface MoreNode {
  readonly more: number
  readonly failed: number
  readonly id: string
  readonly notes: readonly Note[]
}

export interface StepTree {
  readonly steps: readonly (StepNode | MoreNode)[]
  /** Of no step that is known. */
  readonly notes: readonly Note[]
  /** Why the run failed, where it failed in no step that is known. */
  readonly failure: RunFailure | undefined
}

/** Rounds of one step that are shown, and how many failed ones beyond these. */
const ROUNDS = 5
const FAILED_ROUNDS = 3
/** ms by which a step may seem to outlast the one around it, because times are rounded. */
const ROUNDED = 0.002

interface Round {
  readonly step: StepRecord
  readonly around: Round | undefined
  readonly inside: Round[]
  readonly notes: Note[]
}

/** Steps in the order in which they began, each inside the one it stands in, with its notes. */
export function stepTree(run: RunDetail): StepTree {
  const top: Round[] = []
  const byId = new Map<string, Round[]>()
  const going = new Map<number, Round[]>()
  const failed = failedStep(run)
  const always = new Map<Round, RunFailure | undefined>()
  for (const step of run.steps.toSorted((a, b) => a.start - b.start || a.index - b.index)) {
    const around = roundAround(step, going)
    const round: Round = { step, around, inside: [], notes: [] }
    ;(around?.inside ?? top).push(round)
    add(going, step.index, round)
    add(byId, step.id, round)
    if (step === failed)
      for (let up: Round | undefined = round; up; up = up.around)
        always.set(up, up === round ? run.failure : undefined)
  }
  const notes: Note[] = []
  for (const note of allNotes(run)) {
    const rounds = byId.get(note.of.step)
    if (rounds) lastBegun(rounds, note.of.at - run.startedAt + 1).notes.push(note)
    else notes.push(note)
  }
  return { steps: folded(top, always), notes, failure: failed ? undefined : run.failure }
}

/**
 * The round in which the run failed. No round of a step begins after that one has failed; what was under way beside it
 * was called off, and failed later.
 */
function failedStep({ steps, failure }: RunDetail): StepRecord | undefined {
  const rounds = steps.filter(({ id }) => id === failure?.step)
  const last = rounds.reduce((latest, { start }) => Math.max(latest, start), 0)
  const failed = rounds.filter(({ outcome }) => outcome === 'failed')
  return failed.find((step) => endOf(step) > last || step.start === last) ?? failed.at(-1)
}

/** Of the rounds of the step around this one: the last to begin of those that go on until this one ends. */
function roundAround(step: StepRecord, going: Map<number, Round[]>): Round | undefined {
  const rounds = going.get(step.parent)
  if (!rounds) return undefined
  const goesOn = (round: Round, at: number): boolean => endOf(round.step) + ROUNDED >= at
  const still = rounds.filter((round, i) => i === rounds.length - 1 || goesOn(round, step.start))
  going.set(step.parent, still)
  return still.findLast((round) => goesOn(round, endOf(step))) ?? still.at(-1)
}

function endOf({ start, duration }: StepRecord): number {
  return start + duration
}

function add<Key>(map: Map<Key, Round[]>, key: Key, round: Round): void {
  const rounds = map.get(key)
  if (rounds) rounds.push(round)
  else map.set(key, [round])
}

/** Of rounds in the order in which they began the last one that had begun so many ms after the run; else the first. */
function lastBegun(rounds: readonly Round[], elapsed: number): Round {
  let from = 0
  let to = rounds.length
  while (to - from > 1) {
    const middle = (from + to) >> 1
    if (rounds[middle]!.step.start <= elapsed) from = middle
    else to = middle
  }
  return rounds[from]!
}

function allNotes(run: RunDetail): Note[] {
  const names = attachmentNames(run.attachments)
  return [
    ...run.lines.map((of): Note => ({ kind: 'line', of })),
    ...run.attachments.map((of, i): Note => ({ kind: 'attachment', of, name: names[i]! })),
    ...run.snapshots.map((of): Note => ({ kind: 'snapshot', of })),
  ].sort((a, b) => a.of.at - b.of.at)
}

/** Puts the many rounds of a step together into one entry after the first ones. */
function folded(
  rounds: readonly Round[],
  always: ReadonlyMap<Round, RunFailure | undefined>,
): (StepNode | MoreNode)[] {
  const counts = new Map<number, { shown: number; failed: number; more?: Rest }>()
  const kept: (StepNode | MoreNode)[] = []
  for (const round of rounds) {
    const { step, inside, notes } = round
    let seen = counts.get(step.index)
    if (!seen) counts.set(step.index, (seen = { shown: 0, failed: 0 }))
    const failed = step.outcome === 'failed'
    if (seen.shown++ < ROUNDS || always.has(round) || (failed && seen.failed++ < FAILED_ROUNDS)) {
      kept.push({ step, inside: folded(inside, always), notes, failure: always.get(round) })
      continue
    }
    if (!seen.more) kept.push((seen.more = { id: step.id, more: 0, failed: 0, notes: [] }))
    seen.more.more++
    if (failed) seen.more.failed++
    takeNotes(round, seen.more.notes)
  }
  return kept
}

interface Rest extends MoreNode {
  more: number
  failed: number
  readonly notes: Note[]
}

function takeNotes(round: Round, target: Note[]): void {
  for (const note of round.notes) target.push(note)
  for (const inner of round.inside) takeNotes(inner, target)
}

/** What attachments are called: of several of one name the second is `NAME#2`. */
export function attachmentNames(attachments: readonly AttachmentInfo[]): string[] {
  const counts = new Map<string, number>()
  return attachments.map(({ name }) => {
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count === 1 ? name : `${name}#${count}`
  })
}
