import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { MessageLogReader } from '../reading.ts'
import type { AskedQuestion, FoundRuns, LogQuestions, Question, ReadingReport } from '../reading-protocol.ts'
import type { RunSummary } from '../rows.ts'
import { StoreError, type StoreTrouble } from '../store-error.ts'
import { LOG_FILE } from './data-folder.ts'
import { isOfTheRecord, toStoreError } from './database.ts'

const port = parentPort!
const { folder } = workerData as { folder: string }
const reader = new MessageLogReader(folder)

/** Stops when the time is up: a search through a large log must not hold up the others that ask. */
function search({ filter, patience }: LogQuestions['runs']['given']): FoundRuns {
  const until = performance.now() + patience
  const runs: RunSummary[] = []
  for (const { found, reached } of reader.search(filter)) {
    runs.push(...found)
    if (runs.length < filter.limit && performance.now() > until && reached > (filter.since ?? 0))
      return { runs, reached }
  }
  return { runs, reached: undefined }
}

function answer({ kind, given }: Question): unknown {
  switch (kind) {
    case 'runs':
      return search(given)
    case 'run':
      return reader.runWithoutSnapshots(given.id)
    case 'snapshots':
      return reader.snapshots(given.id)
    case 'attachment':
      return reader.attachment(given.run, given.name)
    case 'audit':
      return reader.audit(given)
  }
}

function told(error: unknown): { trouble: StoreTrouble } | { fault: string } {
  if (!(error instanceof StoreError) && isOfTheRecord(error)) return { fault: (error as Error).message }
  const { code, message, hint } = toStoreError(error, join(folder, LOG_FILE))
  return { trouble: { code, message, ...(hint !== undefined && { hint }) } }
}

port.on('message', ({ number, question }: AskedQuestion) => {
  let report: ReadingReport
  try {
    report = { number, found: answer(question) }
  } catch (error) {
    report = { number, ...told(error) }
  }
  port.postMessage(report)
})
