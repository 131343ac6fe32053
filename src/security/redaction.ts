/** Takes live secrets and tokens out of what people may see. */
export interface Redactor {
  /**
   * From now on this text is replaced, in clear and in the encodings it travels in. Shorter than 8 characters: nothing happens.
   * Returns how to end that; the same secret may be added several times.
   */
  add(secret: string): () => void
  /** The text with `[secret]` in the place of secrets; the same string where there is none. */
  text(text: string): string
  /** As `text`, for UTF-8 bytes; the same buffer where there is none. */
  bytes(bytes: Buffer): Buffer
}

const MARK = '[secret]'
/** Characters; what is shorter is a word of its own in too many texts. */
export const SHORTEST_SECRET = 8
/** Characters that the search looks at together. */
const BLOCK = 3
const TABLE = 1 << 16

export function createRedactor(): Redactor {
  const secrets = new Map<string, { uses: number; readonly patterns: readonly string[] }>()
  let search: ((text: string) => number[]) | undefined
  let changed = false

  function find(text: string): number[] {
    if (changed) {
      search = secrets.size === 0 ? undefined : createSearch(patternsOf(secrets.values()))
      changed = false
    }
    return search === undefined || text.length < SHORTEST_SECRET ? NOTHING : search(text)
  }

  return {
    add(secret) {
      if (secret.length < SHORTEST_SECRET) return () => {}
      const known = secrets.get(secret)
      if (known) known.uses++
      else {
        secrets.set(secret, { uses: 1, patterns: encodingsOf(secret) })
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
    bytes(bytes) {
      const text = bytes.toString('latin1')
      const found = find(text)
      return found.length === 0 ? bytes : Buffer.from(cover(text, found), 'latin1')
    },
  }
}

const NOTHING: number[] = []

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
function createSearch(patterns: Iterable<string>): (text: string) => number[] {
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
    let found = NOTHING
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
        if (found === NOTHING) found = []
        found.push(last - pattern.length, last)
      }
    }
    return found
  }
}

function blockAt(text: string, last: number): number {
  return (
    ((text.charCodeAt(last - 2) << 10) ^ (text.charCodeAt(last - 1) << 5) ^ text.charCodeAt(last)) &
    (TABLE - 1)
  )
}

/** Replaces the found ranges; what overlaps becomes one mark. */
function cover(text: string, found: number[]): string {
  const ranges: [start: number, end: number][] = []
  for (let i = 0; i < found.length; i += 2) ranges.push([found[i]!, found[i + 1]!])
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let covered = ''
  let at = 0
  for (let i = 0; i < ranges.length;) {
    const start = ranges[i]![0]
    let end = ranges[i]![1]
    for (i++; i < ranges.length && ranges[i]![0] < end; i++) end = Math.max(end, ranges[i]![1])
    covered += text.slice(at, start) + MARK
    at = end
  }
  return covered + text.slice(at)
}

/** The shapes in which a secret may turn up: as it is, in JSON, URLs and forms, in Basic headers, as bytes read as Latin-1. */
function encodingsOf(secret: string): string[] {
  const patterns = new Set<string>()
  const plain = [secret, formEncoded(secret), encodeURIComponent(secret.toWellFormed())]
  for (const text of plain) {
    patterns.add(text)
    patterns.add(text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))
    for (const part of base64Parts(text)) {
      patterns.add(part)
      patterns.add(part.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }
  const inJson = JSON.stringify(secret).slice(1, -1)
  patterns.add(inJson)
  patterns.add(inJson.replaceAll('/', '\\/'))
  patterns.add(JSON.stringify(inJson).slice(1, -1))
  for (const pattern of [...patterns]) patterns.add(Buffer.from(pattern, 'utf8').toString('latin1'))
  return [...patterns].filter((pattern) => pattern.length >= SHORTEST_SECRET)
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/** What base64 makes of a text wherever it begins: the characters that neighbours cannot change, for each of the three alignments. */
function base64Parts(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text, 'utf8')])
    return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })
}
