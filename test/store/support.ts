import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Logger } from '../../src/core/services.ts'
import type { RunRecord } from '../../src/core/stores.ts'
import { createRedactor } from '../../src/security/redaction.ts'
import { openStores, type Stores, type StoresSetting } from '../../src/store/message-log.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { ManualClock } from '../support/clock.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')

export async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Opened extends Stores {
  readonly folder: string
  readonly clock: ManualClock
  readonly log: HeardLog
}

/** Stores on a folder of their own, or on the given one; closed after the test. */
export async function stores(t: TestContext, setting: Partial<StoresSetting> = {}): Promise<Opened> {
  const folder = setting.folder ?? (await dataFolder(t))
  const clock = new ManualClock(NOW)
  const log = new HeardLog()
  const opened = await openStores({ folder, clock, redactor: createRedactor(), log, ...setting })
  t.after(() => opened.close())
  return { ...opened, folder, clock, log }
}

export function reader(t: TestContext, folder: string): MessageLogReader {
  const opened = new MessageLogReader(folder)
  t.after(() => opened.close())
  return opened
}

/** Keeps what the engine's log was told, and lets a test wait for it. */
export class HeardLog implements Logger {
  readonly said: { level: string; fields: object; text: string }[] = []
  private waiting: { words: RegExp; heard: (fields: object) => void }[] = []

  debug(fields: object, text: string): void {
    this.say('debug', fields, text)
  }
  info(fields: object, text: string): void {
    this.say('info', fields, text)
  }
  warn(fields: object, text: string): void {
    this.say('warn', fields, text)
  }
  error(fields: object, text: string): void {
    this.say('error', fields, text)
  }

  /** Resolves with the fields of the first message, said before or later, with these words. */
  hear(words: RegExp): Promise<object> {
    const said = this.said.find(({ text }) => words.test(text))
    return said ? Promise.resolve(said.fields) : new Promise((heard) => this.waiting.push({ words, heard }))
  }

  texts(level: string): string[] {
    return this.said.filter((entry) => entry.level === level).map(({ text }) => text)
  }

  private say(level: string, fields: object, text: string): void {
    this.said.push({ level, fields, text })
    this.waiting = this.waiting.filter(({ words, heard }) => !words.test(text) || heard(fields))
  }
}

let made = 0

/** A completed run of the flow `orders`; ids are in the order in which they are made. */
export function runRecord(over: Partial<RunRecord> = {}): RunRecord {
  const number = ++made
  const id = `0193a5c0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
  return {
    id,
    flow: 'orders',
    version: 'v1',
    trigger: 'endpoint',
    correlationId: over.id ?? id,
    caller: undefined,
    calledBy: undefined,
    startedAt: NOW + number,
    duration: 12.345,
    status: 'COMPLETED',
    failure: undefined,
    credentials: [],
    hosts: [],
    progress: undefined,
    searchable: undefined,
    timings: [],
    omittedSteps: 0,
    ...over,
  }
}

export const VERSION = {
  flow: 'orders',
  version: 'v1',
  file: 'flows/orders.yaml',
  steps: [
    { id: 'log', kind: 'log', line: 3, parent: -1 },
    { id: 'choose', kind: 'choose', line: 5, parent: -1 },
    { id: 'mark', kind: 'set', line: 7, parent: 1 },
    { id: 'fetch', kind: 'http', line: 9, parent: 1 },
    { id: 'respond', kind: 'respond', line: 12, parent: -1 },
  ],
} as const
