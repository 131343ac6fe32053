import type { RunRecord } from '../core/stores.ts'
import type { Redactor } from '../security/redaction.ts'
import { lines, type RunTexts } from './records.ts'

type Redact = (text: string) => string

/** What stands before the message log: every text and every byte that is kept goes through here. */
export interface Redacting {
  text: Redact
  /** As JSON; bytes as their number, a value that cannot be written as JSON as a note. */
  json(value: unknown): string
  /**
   * Of attachments. Compressed and encrypted content is kept as it is: nothing is found in it. A flow that attaches
   * such content of a receiver keeps what that put into it.
   */
  bytes(content: Uint8Array): Uint8Array
  /** At most `length` characters of a text of which enough is given that the end of a secret is in it. */
  beginning(text: string, length: number): string
  run(run: RunRecord): RunTexts
}

/** Takes live secrets out. */
export type Cleaning = Pick<Redactor, 'text' | 'bytes' | 'beginning'>

export function redacting(redactor: Cleaning): Redacting {
  const text = (given: string) => redactor.text(given)

  /** The numbers that JSON makes of bytes spell a secret as well as its characters do. */
  function inside(this: Record<string, unknown>, key: string, value: unknown): unknown {
    if (typeof value === 'string') return text(value)
    const given = this[key]
    return given instanceof Uint8Array ? `[${given.byteLength} bytes]` : value
  }

  const json = (value: unknown): string => {
    try {
      return text(JSON.stringify(value, inside) ?? 'null')
    } catch (error) {
      return JSON.stringify(text(`[cannot be written as JSON: ${(error as Error).message}]`))
    }
  }

  const bytes = (content: Uint8Array): Uint8Array =>
    redactor.bytes(Buffer.from(content.buffer, content.byteOffset, content.byteLength))

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

  return { text, json, bytes, run, beginning: (given, length) => redactor.beginning(given, length) }
}
