import { isUtf8 } from 'node:buffer'
import { originsOf, undoEscapes } from './escapes.ts'

/**
 * Takes live secrets and tokens out of what people may see: whole ones, in clear and in the encodings they travel in.
 * Parts are not looked for, or whoever writes logs and reads them could guess a secret character by character: a text is
 * cut after it was redacted, never before. Compressed and encrypted content, hexadecimal digits, and what a flow
 * scatters over several texts are beyond it.
 */
export interface Redactor {
  /**
   * From now on this text is replaced. Shorter than 8 characters: nothing happens.
   * Returns how to end that; the same secret may be added several times.
   */
  add(secret: string): () => void
  /** The text with `[secret]` in the place of secrets; the same string where there is none. */
  text(text: string): string
  /**
   * What `text` makes of the first `length` characters (UTF-16 units), without the beginning of a secret that ends
   * behind them: the text given should go on far enough to show one.
   */
  beginning(text: string, length: number): string
  /** As `text`, for UTF-8 and what stands in other bytes as UTF-8; the same buffer where there is none. */
  bytes(bytes: Buffer): Buffer
}

const MARK = '[secret]'
/** Escapes in escapes: JSON in a form in a log line. */
const LAYERS = 3
/** Characters; what is shorter is a word of its own in too many texts. */
export const SHORTEST_SECRET = 8
/** Characters that the search looks at together. */
const BLOCK = 3
const TABLE = 1 << 16

export function createRedactor(): Redactor {
  const secrets = new Map<string, { uses: number; readonly patterns: readonly string[] }>()
  let search: Search | undefined
  let changed = false

  function find(text: string): readonly number[] {
    if (changed) {
      search = secrets.size === 0 ? undefined : createSearch(patternsOf(secrets.values()))
      changed = false
    }
    return search === undefined ? NOTHING : findIn(text, search)
  }

  return {
    add(secret) {
      if (secret.length < SHORTEST_SECRET) return () => {}
      const known = secrets.get(secret)
      if (known) known.uses++
      else {
        secrets.set(secret, { uses: 1, patterns: spellingsOf(secret) })
        changed = true
      }
      let ended = false
      return () => {
        if (ended) return
        ended = true
        const entry = secrets.get(secret)!
        if (--entry.uses > 0) return
        secrets.delete(secret)
        changed = true
      }
    },
    text(text) {
      const found = find(text)
      return found.length === 0 ? text : cover(text, found)
    },
    beginning(text, length) {
      const found = find(text)
      return found.length === 0 ? text.slice(0, length) : cover(text, found, length)
    },
    bytes(bytes) {
      const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
      const text = bytes.toString(encoding)
      const found = find(text)
      return found.length === 0 ? bytes : Buffer.from(cover(text, found), encoding)
    },
  }
}

type Search = (text: string) => readonly number[]

const NOTHING: readonly number[] = []

/** Start and end of what is found in a text as it is, and with its escapes undone. */
function findIn(text: string, search: Search): readonly number[] {
  if (text.length < SHORTEST_SECRET) return NOTHING
  let found = search(text)
  const layers = [text]
  while (layers.length <= LAYERS) {
    const undone = undoEscapes(layers.at(-1)!)
    if (undone === undefined) break
    const inside = search(undone)
    if (inside.length > 0) found = found.concat(layers.reduceRight(originsOf, inside))
    layers.push(undone)
  }
  return found
}

function patternsOf(entries: Iterable<{ readonly patterns: readonly string[] }>): Set<string> {
  const patterns = new Set<string>()
  for (const entry of entries) for (const pattern of entry.patterns) patterns.add(pattern)
  return patterns
}

/**
 * Searches for all patterns in one pass that skips most characters. Patterns are lined up at their ends, because the
 * ends of tokens differ where their beginnings (`eyJhbGciOi`) do not. Gives start and end of every occurrence, by end.
 * @see Wu and Manber, A fast algorithm for multi-pattern searching (1994)
 */
function createSearch(patterns: Iterable<string>): Search {
  const shifts = new Uint8Array(TABLE).fill(SHORTEST_SECRET - BLOCK + 1)
  const ending = new Map<number, string[]>()
  for (const pattern of patterns) {
    for (let shift = SHORTEST_SECRET - BLOCK; shift >= 0; shift--) {
      const block = blockAt(pattern, pattern.length - 1 - shift)
      if (shifts[block]! > shift) shifts[block] = shift
      if (shift > 0) continue
      const others = ending.get(block)
      if (others) others.push(pattern)
      else ending.set(block, [pattern])
    }
  }
  return (text) => {
    let found: number[] | undefined
    let last = SHORTEST_SECRET - 1
    while (last < text.length) {
      const block = blockAt(text, last)
      const shift = shifts[block]!
      if (shift > 0) {
        last += shift
        continue
      }
      last++
      for (const pattern of ending.get(block)!) {
        if (!text.startsWith(pattern, last - pattern.length) || pattern.length > last) continue
        found ??= []
        found.push(last - pattern.length, last)
      }
    }
    return found ?? NOTHING
  }
}

function blockAt(text: string, last: number): number {
  return (
    ((text.charCodeAt(last - 2) << 10) ^ (text.charCodeAt(last - 1) << 5) ^ text.charCodeAt(last)) &
    (TABLE - 1)
  )
}

/** Replaces the found ranges that begin before `end`, up to which the text is kept; what overlaps becomes one mark. */
function cover(text: string, found: readonly number[], end = text.length): string {
  const ranges: [start: number, end: number][] = []
  for (let i = 0; i < found.length; i += 2) ranges.push([found[i]!, found[i + 1]!])
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let covered = ''
  let at = 0
  for (let i = 0; i < ranges.length && ranges[i]![0] < end;) {
    const start = ranges[i]![0]
    let last = ranges[i]![1]
    for (i++; i < ranges.length && ranges[i]![0] < last; i++) last = Math.max(last, ranges[i]![1])
    covered += text.slice(at, start) + MARK
    at = last
  }
  return at < end ? covered + text.slice(at, end) : covered
}

/**
 * The texts to look for: the secret as it is and in forms (escapes are undone before), inside base64 as it is and as it
 * stands in JSON, URLs, forms and Basic headers; each as bytes read as Latin-1, too.
 */
function spellingsOf(secret: string): string[] {
  const patterns = new Set([secret, secret.replaceAll(' ', '+')])
  // Of a secret that has something like an escape in it, that is undone, too.
  for (let text: string | undefined = secret; (text = undoEscapes(text)) !== undefined;) patterns.add(text)
  const inJson = JSON.stringify(secret).slice(1, -1)
  for (const text of [secret, inJson, formEncoded(secret), encodeURIComponent(secret.toWellFormed())])
    for (const part of base64Parts(text)) {
      patterns.add(part)
      patterns.add(part.replaceAll('+', '-').replaceAll('/', '_'))
    }
  for (const pattern of [...patterns]) patterns.add(Buffer.from(pattern, 'utf8').toString('latin1'))
  return [...patterns].filter((pattern) => pattern.length >= SHORTEST_SECRET)
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/**
 * What base64 makes of a text wherever it begins, for each of the three alignments: the characters that neighbours
 * cannot change, and where its last character is one of those that can, the whole ending, too, as it is at the end of
 * a base64 text, or a short rest of the secret would stay.
 */
function base64Parts(text: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text, 'utf8')])
    const encoded = bytes.toString('base64').slice(Math.ceil((before * 8) / 6))
    const sure = Math.floor((bytes.length * 8) / 6) - Math.ceil((before * 8) / 6)
    const ending = encoded.replace(/=+$/, '')
    return ending.length === sure ? [ending] : [encoded.slice(0, sure), ending, encoded]
  })
}
