const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZES: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** `500ms`, `30s`, `5m`, `2h`, `7d`, or several together, the larger first (`1h30m`), as ms. Undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text)
  if (!match || text === '') return undefined
  const ms = ['d', 'h', 'm', 's', 'ms'].reduce(
    (sum, unit, i) => sum + Number(match[i + 1] ?? 0) * UNITS[unit]!,
    0,
  )
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** `500`, `64KB`, `40MB`, `1GB` (1 KB = 1,024 bytes) as bytes. Undefined: it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+) ?(B|KB|MB|GB|)$/i.exec(text)
  const bytes = match ? Number(match[1]) * SIZES[match[2]!.toUpperCase()]! : undefined
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** ms in the largest units that fit: `1h30m`. */
export function printDuration(ms: number): string {
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const count = Math.floor(rest / UNITS[unit]!)
    rest -= count * UNITS[unit]!
    if (count > 0) text += `${count}${unit}`
  }
  return text
}

/** What is wrong with a date and time; undefined when nothing is. */
export function momentMistake(text: string): string | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(
    text,
  )
  if (!match) return 'is no date and time'
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return 'is a day that does not exist'
  if (match[4] === undefined) return 'has no time'
  return Number(match[4]) < 24 && Number(match[5]) < 60 && Number(match[6] ?? 0) < 60
    ? undefined
    : 'has a time that does not exist'
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
