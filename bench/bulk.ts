// Records in pages, each written on its own: how long, next to the same by hand, and in how much memory.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  countsOf,
  peakMemory,
  processorTime,
  residentMemory,
  startByHand,
  startReceiver,
  startSluice,
  type System,
} from './systems.ts'

const PAGES = 100
const RECORDS = 100
/** ms that the receiver takes for a record. */
const RECORD_DELAY = 5
const MANY_PAGES = 1000
/** ms between two looks at the memory. */
const LOOK = 20

export interface BulkPass {
  /** s */
  readonly seconds: number
  /** s of processor time. */
  readonly processor: number
}

export interface Bulk {
  readonly passes: readonly { readonly ours: BulkPass; readonly byHand: BulkPass }[]
  /** MB, the most of each. */
  readonly peak: number
  readonly peakByHand: number
}

/** 10,000 records, interleaved with the same by hand. @throws Error when a record is lost or doubled */
export async function measureBulk(rounds: number): Promise<Bulk> {
  const receiver = await startReceiver({ BENCH_RECORD_DELAY: String(RECORD_DELAY) })
  const ours = await startSluice(receiver)
  const byHand = await startByHand(receiver)
  let kept = 0
  const pass = async (system: System, run: string, pages: number): Promise<BulkPass> => {
    const taken = await bulk(system, run, pages)
    kept += pages * RECORDS
    await checkKept(receiver, kept)
    return taken
  }
  for (const system of [ours, byHand]) await pass(system, `${system.name} warm`, PAGES / 10)
  const passes: { ours: BulkPass; byHand: BulkPass }[] = []
  for (let round = 0; round < rounds; round++) {
    const [a, b] = round % 2 === 0 ? [ours, byHand] : [byHand, ours]
    const first = await pass(a, `${a.name} ${round}`, PAGES)
    const second = await pass(b, `${b.name} ${round}`, PAGES)
    passes.push(a === ours ? { ours: first, byHand: second } : { ours: second, byHand: first })
  }
  const result = { passes, peak: peakMemory(ours.pid), peakByHand: peakMemory(byHand.pid) }
  await Promise.all([ours.stop(), byHand.stop()])
  await receiver.stop()
  return result
}

export interface ManyRecords {
  readonly records: number
  readonly seconds: number
  /** MB: the most until a tenth of the records was written, until half of them, and until the end. */
  readonly peakAtTenth: number
  readonly peakAtHalf: number
  readonly peak: number
}

/** 100,000 records of 1 KB, as fast as they go. @throws Error when a record is lost or doubled */
export async function measureManyRecords(): Promise<ManyRecords> {
  const receiver = await startReceiver()
  const ours = await startSluice(receiver)
  const records = MANY_PAGES * RECORDS
  const over = new AbortController()
  let [peakAtTenth, peakAtHalf, peak] = [0, 0, 0]
  const watch = async () => {
    while (!over.signal.aborted) {
      peak = Math.max(peak, residentMemory(ours.pid))
      const { accepted } = await countsOf(receiver)
      if (accepted <= records / 10) peakAtTenth = peak
      if (accepted <= records / 2) peakAtHalf = peak
      await sleep(LOOK)
    }
  }
  const watching = watch()
  const { seconds } = await bulk(ours, 'many', MANY_PAGES)
  over.abort()
  await watching
  await checkKept(receiver, records)
  await ours.stop()
  await receiver.stop()
  return { records, seconds, peakAtTenth, peakAtHalf, peak }
}

async function bulk(system: System, run: string, pages: number): Promise<BulkPass> {
  const processor = processorTime(system.pid)
  const started = performance.now()
  const answer = await fetch(`${system.url}/http/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ run: run.replaceAll(' ', '-'), pages }),
  })
  const text = await answer.text()
  const seconds = (performance.now() - started) / 1000
  if (text !== JSON.stringify({ count: pages * RECORDS, failed: 0 }))
    throw new Error(`${system.name} answered ${answer.status} ${text}`)
  return { seconds, processor: processorTime(system.pid) - processor }
}

async function checkKept(receiver: System, wanted: number): Promise<void> {
  const { accepted, doubled } = await countsOf(receiver)
  if (accepted !== wanted || doubled > 0)
    throw new Error(`the receiver has ${accepted} of ${wanted} records, and ${doubled} of them twice`)
}
