import type { AttachmentInfo, LineRecord, RunDetail, SnapshotRecord, StepRecord } from '../store/rows.ts'

/** What a step left in the message log, by time. */
export type Note =
  | { readonly kind: 'line'; readonly of: LineRecord }
  | { readonly kind: 'attachment'; readonly of: AttachmentInfo }
  | { readonly kind: 'snapshot'; readonly of: SnapshotRecord }

/** A step of a run with the steps inside it. */
export interface StepNode {
  readonly step: StepRecord
  readonly inside: (StepNode | MoreNode)[]
  readonly notes: Note[]
}

/** Further rounds of one step, which are not shown one by one. */
export interface MoreNode {
  readonly more: number
  readonly failed: number
  readonly id: string
  readonly notes: Note[]
}

export interface StepTree {
  readonly steps: readonly (StepNode | MoreNode)[]
  /** Of no step that is known. */
  readonly notes: readonly Note[]
}

/** Rounds of one step that are shown, and how many failed ones beyond these. */
const ROUNDS = 5
const FAILED_ROUNDS = 3

/** Steps in the order in which they began, each inside the one it stands in, with its notes. */
export function stepTree(run: RunDetail): StepTree {
  const nodes: StepNode[] = run.steps
    .toSorted((a, b) => a.start - b.start || a.index - b.index)
    .map((step) => ({ step, inside: [], notes: [] }))
  const top: StepNode[] = []
  const latest = new Map<number, StepNode>()
  const byId = new Map<string, StepNode[]>()
  for (const node of nodes) {
    const parent = latest.get(node.step.parent)
    if (parent) parent.inside.push(node)
    else top.push(node)
    latest.set(node.step.index, node)
    const same = byId.get(node.step.id)
    if (same) same.push(node)
    else byId.set(node.step.id, [node])
  }
  const notes: Note[] = []
  for (const note of allNotes(run)) {
    const rounds = byId.get(note.of.step)
    const elapsed = note.of.at - run.startedAt + 1
    const node = rounds?.findLast(({ step }) => step.start <= elapsed) ?? rounds?.[0]
    if (node) node.notes.push(note)
    else notes.push(note)
  }
  return { steps: folded(top), notes }
}

function allNotes(run: RunDetail): Note[] {
  return [
    ...run.lines.map((of): Note => ({ kind: 'line', of })),
    ...run.attachments.map((of): Note => ({ kind: 'attachment', of })),
    ...run.snapshots.map((of): Note => ({ kind: 'snapshot', of })),
  ].sort((a, b) => a.of.at - b.of.at)
}

/** Puts the many rounds of a step together into one entry after the first ones. */
function folded(nodes: readonly (StepNode | MoreNode)[]): (StepNode | MoreNode)[] {
  const rounds = new Map<number, { shown: number; failed: number; more: MoreNode | undefined }>()
  const kept: (StepNode | MoreNode)[] = []
  for (const node of nodes) {
    if (!('step' in node)) continue
    node.inside.splice(0, node.inside.length, ...folded(node.inside))
    const { index, id, outcome } = node.step
    let seen = rounds.get(index)
    if (!seen) rounds.set(index, (seen = { shown: 0, failed: 0, more: undefined }))
    const failed = outcome === 'failed'
    if (seen.shown++ < ROUNDS || (failed && seen.failed++ < FAILED_ROUNDS)) {
      kept.push(node)
      continue
    }
    const before: MoreNode = seen.more ?? { more: 0, failed: 0, id, notes: [] }
    const more: MoreNode = {
      id,
      more: before.more + 1,
      failed: before.failed + (failed ? 1 : 0),
      notes: [...before.notes, ...notesOf(node)],
    }
    if (seen.more) kept[kept.indexOf(seen.more)] = more
    else kept.push(more)
    seen.more = more
  }
  return kept
}

function notesOf(node: StepNode | MoreNode): Note[] {
  return 'step' in node ? [...node.notes, ...node.inside.flatMap(notesOf)] : node.notes
}
