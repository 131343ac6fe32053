import { parentPort, workerData } from 'node:worker_threads'
import { MessageLogReader } from '../reading.ts'
import type { AskedQuestion, FoundRuns, LogQuestions, Question, ReadingReport } from '../reading-protocol.ts'
import type { RunSummary } from '../rows.ts'
import { StoreError } from '../store-error.ts'

const port = parentPort!
const reader = new MessageLogReader((workerData as { folder: string }).folder)

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
      return reader.run(given.id)
    case 'attachment':
      return reader.attachment(given.run, given.name)
    case 'audit':
      return reader.audit(given)
  }
}

port.on('message', ({ number, question }: AskedQuestion) => {
  let report: ReadingReport
  try {
    report = { number, found: answer(question) }
  } catch (error) {
    const { code, message, hint } =
      error instanceof StoreError ? error : new StoreError('store.fault', (error as Error).message)
    report = { number, trouble: { code, message, ...(hint !== undefined && { hint }) } }
  }
  port.postMessage(report)
})
