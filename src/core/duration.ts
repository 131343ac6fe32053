/** From the largest on, in the order in which they are written. */
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

const WRITTEN = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+)${unit})?`).join('')}$`)

/** `500ms`, `30s`, `5m`, `2h`, `7d`, or several together, the larger first (`1h30m`), as ms. Undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  const match = text === '' ? null : WRITTEN.exec(text)
  if (!match) return undefined
  const ms = UNITS.reduce((sum, [, size], i) => sum + Number(match[i + 1] ?? 0) * size, 0)
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** Whole ms as they are written in a file, in the largest units that fit: `1h30m`. */
export function printDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) text += `${count}${unit}`
  }
  return text || '0s'
}

/** What people count in once there are two of it, and what they add to it; in seconds. */
const SPOKEN = [
  ['days', 86_400, 'h', 3600],
  ['h', 3600, 'min', 60],
  ['min', 60, 's', 1],
] as const

/** ms as they are said to people: `0.42 ms`, `31 ms`, `2.5 s`, `90 s`, `2 min 5 s`, `23 h`, `58 days`. */
export function sayDuration(ms: number): string {
  if (ms <= 0) return '0 ms'
  if (ms < 0.995) return `${ms.toFixed(2)} ms`
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
  for (const [unit, size, smaller, part] of SPOKEN) {
    const parts = Math.round(ms / 1000 / part)
    const each = size / part
    if (parts < 2 * each) continue
    const rest = parts % each
    return `${Math.floor(parts / each)} ${unit}${rest === 0 ? '' : ` ${rest} ${smaller}`}`
  }
  return `${Math.round(ms / 100) / 10} s`
}
