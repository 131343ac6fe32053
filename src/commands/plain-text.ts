/** Text from a message as a terminal may show it: control characters, escape sequences too, become visible. */
export function printable(text: string): string {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, visible)
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text.trimEnd().replace(/\s*\r?\n\s*/g, ' ⏎ '))
}

export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`
}

const SIZES = [
  [1024, 'KB'],
  [1024 ** 2, 'MB'],
  [1024 ** 3, 'GB'],
] as const

/** `512 bytes`, `1.4 KB`, `40 MB`. */
export function bytes(count: number): string {
  if (count < 1024) return count === 1 ? '1 byte' : `${count} bytes`
  const [size, unit] = SIZES.find(([each]) => count < each * 1024) ?? SIZES.at(-1)!
  const value = count / size
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** `2026-11-21 12:00:00.123`, local. */
export function localTime(at: number): string {
  const date = new Date(at)
  const two = (value: number, digits = 2): string => String(value).padStart(digits, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}.${two(date.getMilliseconds(), 3)}`
}

/** As a shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function visible(character: string): string {
  const code = character.charCodeAt(0)
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}
