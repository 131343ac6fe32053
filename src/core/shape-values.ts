const SIZES: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** `500`, `64KB`, `40MB`, `1GB` (1 KB = 1,024 bytes) as bytes. Undefined: it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+) ?(B|KB|MB|GB|)$/i.exec(text)
  const bytes = match ? Number(match[1]) * SIZES[match[2]!.toUpperCase()]! : undefined
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** What is wrong with a date and time, or with `dayAlone` a date; undefined when nothing is. */
export function momentMistake(text: string, dayAlone = false): string | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-](\d\d):(\d\d))?)?$/.exec(text)
  if (!match) return dayAlone ? 'is no date' : 'is no date and time'
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return 'is a day that does not exist'
  if (match[4] === undefined) return dayAlone ? undefined : 'has no time'
  if (Number(match[4]) > 23 || Number(match[5]) > 59 || Number(match[6] ?? 0) > 59)
    return 'has a time that does not exist'
  return Number(match[7] ?? 0) > 23 || Number(match[8] ?? 0) > 59
    ? 'has an offset that does not exist'
    : undefined
}

/** A value as a message names it; long texts are cut. */
export function describe(value: unknown): string {
  if (value === null || value === '') return 'empty'
  if (typeof value === 'string') return `the text "${clip(value)}"`
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : 'a map'
}

function clip(text: string): string {
  const line = text.split('\n', 1)[0]!
  const cut = line.length > 60 ? line.slice(0, 60) : line
  return cut.length < text.length ? `${cut}…` : cut
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `"a", "b" or "c"` */
export function listed(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
