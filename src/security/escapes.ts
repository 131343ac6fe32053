const BACKSLASH = 92
const PERCENT = 37
const AMPERSAND = 38
const BACKSLASHED: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/y
/** More than any code point: an escape is told as its length times this, plus its code. */
const LENGTH = 0x200000

/**
 * The text with one layer of escapes undone: `\n`, `\"`, `\/`, `\xe4`, `\u00e4` of JSON and of programs, `%C3` byte by
 * byte, `&quot;` and `&#43;` of HTML. Undefined: there are none.
 */
export function undoEscapes(text: string): string | undefined {
  if (!text.includes('\\') && !text.includes('%') && !(text.includes('&') && text.includes(';')))
    return undefined
  const units = new Uint16Array(text.length)
  let length = 0
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at)
    if (unit !== BACKSLASH && unit !== PERCENT && unit !== AMPERSAND) {
      units[length++] = unit
      at++
      continue
    }
    const escape = escapeAt(text, at, unit)
    const code = escape % LENGTH
    if (code > 0xffff) units[length++] = 0xd7c0 + (code >> 10)
    units[length++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code
    at += (escape / LENGTH) | 0
  }
  if (length === text.length) return undefined
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le')
}

/** Where positions of the text without escapes are in the one with them. */
export function originsOf(positions: readonly number[], text: string): readonly number[] {
  const origins = new Map<number, number>()
  const wanted = positions.toSorted((a, b) => a - b)
  let at = 0
  let undone = 0
  for (const position of wanted) {
    while (undone < position && at < text.length) {
      const escape = escapeAt(text, at, text.charCodeAt(at))
      undone += escape % LENGTH > 0xffff ? 2 : 1
      at += (escape / LENGTH) | 0
    }
    origins.set(position, at)
  }
  return positions.map((position) => origins.get(position)!)
}

/** What stands at a place, escaped or not. */
function escapeAt(text: string, at: number, unit: number): number {
  if (unit === BACKSLASH) return backslashAt(text, at)
  if (unit === PERCENT) {
    const code = hexAt(text, at + 1, 2)
    return code < 0 ? LENGTH + unit : 3 * LENGTH + code
  }
  return unit === AMPERSAND ? entityAt(text, at) : LENGTH + unit
}

function backslashAt(text: string, at: number): number {
  const mark = text.charAt(at + 1)
  const digits = mark === 'u' ? 4 : mark === 'x' ? 2 : 0
  const code = digits === 0 ? -1 : hexAt(text, at + 2, digits)
  if (code >= 0) return (2 + digits) * LENGTH + code
  const meaning = BACKSLASHED[mark]
  return meaning === undefined ? LENGTH + BACKSLASH : 2 * LENGTH + meaning.charCodeAt(0)
}

function entityAt(text: string, at: number): number {
  ENTITY.lastIndex = at
  const [mark, decimal, hex, name] = ENTITY.exec(text) ?? []
  if (mark === undefined) return LENGTH + AMPERSAND
  if (name !== undefined) return mark.length * LENGTH + NAMED[name]!.charCodeAt(0)
  const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal)
  return code > 0x10ffff ? LENGTH + AMPERSAND : mark.length * LENGTH + code
}

/** The number that these hexadecimal digits make; -1 where they are none. */
function hexAt(text: string, at: number, digits: number): number {
  let code = 0
  for (let i = at; i < at + digits; i++) {
    const c = text.charCodeAt(i)
    const digit = c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1
    if (digit < 0) return -1
    code = code * 16 + digit
  }
  return code
}
