import { readDocument, type Document, type Path, type Target } from '../core/document.ts'
import { parseDuration } from '../core/duration.ts'
import type { Place } from '../core/problem.ts'
import type { CredentialFile } from '../security/credential-file.ts'
import type { ClientOptions } from './client-options.ts'

/** Texts that mean themselves in YAML, wherever they stand. */
const WORD = '[A-Za-z][A-Za-z0-9_./-]*'
const HASH = String.raw`\$[A-Za-z0-9+/=$,-]+`
const COMMENT = /^#[\x20-\x7e]*$/
const HASHES = new RegExp(`^(secretHash|apiKeyHash): (${HASH})$`)
const HASH_LIST = /^(secretHash|apiKeyHash):$/
const HASH_ITEM = new RegExp(`^ {2}- (${HASH})$`)
const CLIENT_ID = /^clientId: ([A-Za-z][A-Za-z0-9_.@-]*)$/
const ROLES = new RegExp(`^roles: \\[(${WORD}(?:, ${WORD})*)?\\]$`)
const LIFETIME = /^tokenLifetime: (untilNext|\d{1,4}[mh])$/
const ENABLED = /^enabled: (true|false)$/
const DESCRIPTION = /^description: ([A-Za-z](?:[A-Za-z0-9_.,()/ -]*[A-Za-z0-9.)])?)$/
/** Words that are no texts. */
const NO_TEXT = /^(?:true|false|null)$/i

export interface PlainClient {
  readonly document: Document
  readonly options: ClientOptions
}

/**
 * Reads a file that is written as the commands write it, line by line: many clients are read in a tenth of the time that
 * their YAML takes. Undefined: it is to be read as YAML.
 */
export function readPlainClient({ file, text }: CredentialFile): PlainClient | undefined {
  const found: Record<string, unknown> = {}
  const lines = text.split('\n')
  if (lines.pop() !== '') return undefined
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line === '' || COMMENT.test(line)) continue
    const read = HASH_LIST.test(line) ? hashList(lines, at) : entryOf(line)
    if (!read || Object.hasOwn(found, read.key)) return undefined
    found[read.key] = read.value
    at += read.more ?? 0
  }
  if (found['type'] !== 'client') return undefined
  const options: Record<string, unknown> = { ...found }
  for (const key of ['secretHash', 'apiKeyHash'])
    if (typeof found[key] === 'string') options[key] = [found[key]]
  const lifetime = found['tokenLifetime']
  if (lifetime !== undefined && lifetime !== 'untilNext') {
    const time = parseDuration(String(lifetime))
    if (time === undefined || time < 60_000 || time > 86_400_000) return undefined
    options['tokenLifetime'] = time
  }
  return { document: new PlainDocument(file, text, found), options: options as ClientOptions }
}

interface Entry {
  readonly key: string
  readonly value: unknown
  /** Lines that belong to it beside the first one. */
  readonly more?: number
}

function entryOf(line: string): Entry | undefined {
  if (line === 'type: client') return { key: 'type', value: 'client' }
  const hash = HASHES.exec(line)
  if (hash) return { key: hash[1]!, value: hash[2]! }
  const roles = ROLES.exec(line)
  if (roles) {
    const words = roles[1]?.split(', ') ?? []
    return words.some((word) => NO_TEXT.test(word)) ? undefined : { key: 'roles', value: words }
  }
  const enabled = ENABLED.exec(line)?.[1]
  if (enabled !== undefined) return { key: 'enabled', value: enabled === 'true' }
  const match = CLIENT_ID.exec(line) ?? LIFETIME.exec(line) ?? DESCRIPTION.exec(line)
  const value = match?.[1]
  if (value === undefined || NO_TEXT.test(value)) return undefined
  return { key: line.slice(0, line.indexOf(':')), value }
}

function hashList(lines: readonly string[], at: number): Entry | undefined {
  const value: string[] = []
  for (let next = at + 1; next < lines.length; next++) {
    const item = HASH_ITEM.exec(lines[next]!)?.[1]
    if (item === undefined) break
    value.push(item)
  }
  if (value.length === 0) return undefined
  return { key: HASH_LIST.exec(lines[at]!)![1]!, value, more: value.length }
}

/** Is read as YAML only when somebody asks for a place in it. */
class PlainDocument implements Document {
  readonly file: string
  readonly text: string
  readonly value: unknown

  constructor(file: string, text: string, value: unknown) {
    this.file = file
    this.text = text
    this.value = value
  }

  place(path: Path, target?: Target): Place {
    return this.#yaml().place(path, target)
  }

  written(path: Path): string | undefined {
    return this.#yaml().written(path)
  }

  #yaml(): Document {
    return readDocument(this.file, this.text).document!
  }
}
