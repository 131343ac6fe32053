import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { LOG_FILE, openDataFolder, type DataFolder } from './data-folder.ts'
import { toStoreError } from './database.ts'
import { LogWriter } from './log-writer.ts'
import type { RetentionLimits, StoreAnswer, StoreReport, StoreRequest, ThreadSetting } from './protocol.ts'
import { retention } from './retention.ts'
import { StateFile } from './state-file.ts'
import type { StoreTrouble } from '../store-error.ts'

const port = parentPort!
const { folder, abandon } = workerData as ThreadSetting
const logFile = join(folder, LOG_FILE)

function report(message: StoreReport): void {
  port.postMessage(message)
}

function trouble(error: unknown, file: string): StoreTrouble {
  const { code, message, hint } = toStoreError(error, file)
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

function serve(files: DataFolder, writer: LogWriter): void {
  const state = new StateFile(files.state)
  let closed = false
  let retaining = false

  const write = (batch: number, records: unknown[]): void => {
    try {
      report({ kind: 'written', batch, lost: writer.write(records) })
    } catch (error) {
      report({ kind: 'unwritten', batch, trouble: trouble(error, logFile) })
    }
  }

  const answer = (request: number, ask: () => StoreAnswer): void => {
    try {
      report({ kind: 'answer', request, value: ask() })
    } catch (error) {
      report({ kind: 'failed', request, trouble: trouble(error, join(folder, 'state.db')) })
    }
  }

  const retain = (limits: RetentionLimits): void => {
    if (retaining) return
    retaining = true
    const slice = retention(files.log, limits)
    let runs = 0
    const next = (): void => {
      if (closed) return
      try {
        const removed = slice()
        if (removed !== undefined) {
          runs += removed
          setImmediate(next)
          return
        }
        report({ kind: 'retained', runs })
      } catch (error) {
        report({ kind: 'retention-failed', trouble: trouble(error, logFile) })
      }
      retaining = false
    }
    next()
  }

  const close = (): void => {
    closed = true
    state.commit()
    files.close()
    report({ kind: 'closed' })
    port.close()
  }

  port.on('message', (message: StoreRequest) => {
    switch (message.kind) {
      case 'write':
        return write(message.batch, message.records)
      case 'atomically':
        return state.atomically(
          message.operations,
          (value) => report({ kind: 'answer', request: message.request, value }),
          (error) =>
            report({
              kind: 'failed',
              request: message.request,
              trouble: trouble(error, join(folder, 'state.db')),
            }),
        )
      case 'last-fire':
        return answer(message.request, () => {
          state.commit()
          return state.lastFire(message.timer)
        })
      case 'tokens':
        return answer(message.request, () => {
          state.commit()
          return state.tokens(message.credential)
        })
      case 'retain':
        return retain(message)
      case 'close':
        return close()
    }
  })
}

try {
  const files = openDataFolder(folder)
  const writer = new LogWriter(files.log)
  const abandoned = abandon ? writer.abandonOpen() : 0
  serve(files, writer)
  report({ kind: 'ready', abandoned })
} catch (error) {
  report({ kind: 'refused', trouble: trouble(error, logFile) })
}
