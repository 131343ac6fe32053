import type { RunRecord } from '../core/stores.ts'
import { lines, type RunTexts } from './records.ts'

type Redact = (text: string) => string

/** What stands before the message log: every text and every byte that is kept goes through here. */
export interface Redacting {
  text: Redact
  /** As JSON; a value that cannot be written as JSON is replaced by a note. */
  json(value: unknown): string
  bytes(content: Uint8Array): Uint8Array
  run(run: RunRecord): RunTexts
}

export function redacting(text: Redact, cleanBytes: (bytes: Buffer) => Buffer): Redacting {
  const inside = (_key: string, value: unknown): unknown => (typeof value === 'string' ? text(value) : value)

  const json = (value: unknown): string => {
    try {
      return text(JSON.stringify(value, inside) ?? 'null')
    } catch (error) {
      return JSON.stringify(text(`[cannot be written as JSON: ${(error as Error).message}]`))
    }
  }

  const bytes = (content: Uint8Array): Uint8Array =>
    cleanBytes(Buffer.from(content.buffer, content.byteOffset, content.byteLength))

  const run = (record: RunRecord): RunTexts => {
    const own = record.correlationId === record.id
    const hosts = lines(record.hosts)
    const correlation = own ? null : record.correlationId
    const caller = record.caller ?? null
    const clean = own && caller === null && hosts === null
    const together = clean ? '' : `${correlation ?? ''}\n${caller ?? ''}\n${hosts ?? ''}`
    const same = clean || text(together) === together
    return {
      correlation: same || correlation === null ? correlation : text(correlation),
      caller: same || caller === null ? caller : text(caller),
      hosts: same || hosts === null ? hosts : text(hosts),
      failure: record.failure === undefined ? null : json(record.failure),
      searchable: record.searchable === undefined ? null : JSON.stringify(record.searchable, inside),
    }
  }

  return { text, json, bytes, run }
}
