import { isMap } from './shape-values.ts'

/** Characters of a text that are shown. */
const SHOWN = 160
/** Entries of a map that are shown. */
const ENTRIES = 8

/** `a`, `a and b`, `a, b and c`; more than a few are counted. */
export function inWords(words: readonly string[], last = 'and'): string {
  const shown = words.length > ENTRIES + 1 ? words.slice(0, ENTRIES) : words
  const all = shown === words ? words : [...shown, `${words.length - ENTRIES} more`]
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} ${last} ${all.at(-1)}`
}

/** `1 line`, `3 lines`; thousands with a comma. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`
}

/** Bytes as they are written in a file: `64KB`, `40MB`. */
export function sizeInWords(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let unit = 0
  let size = bytes
  for (; unit < 3 && size >= 1024 && size % 1024 === 0; unit++) size /= 1024
  return unit === 0 ? counted(size, 'byte') : `${size} ${units[unit]}`
}

/** An expression as it is shown: without its `${}`, on one line, in backticks. */
export function codeInWords(expression: string): string {
  return `\`${clipped(onlyExpression(expression) ?? expression.trim())}\``
}

/** A text with `${}` in it, in quotes; one that is nothing but an expression as that. */
export function textInWords(text: string): string {
  const expression = onlyExpression(text)
  return expression === undefined ? `"${clipped(text.trimEnd())}"` : `\`${clipped(expression)}\``
}

/** A value of a flow, with its expressions: `a map of id (`body.id`) and total (12)`. */
export function valueInWords(value: unknown): string {
  if (typeof value === 'string') return textInWords(value)
  if (Array.isArray(value)) return `a list of ${counted(value.length, 'item')}`
  if (!isMap(value)) return String(value)
  const names = Object.keys(value)
  return names.length === 0 ? 'an empty map' : `a map of ${entriesInWords(value)}`
}

/** What nobody should write into a flow, and some do. */
const SECRET_NAME = /secret|token|passw|pwd|signature|credential|^sig$|(^|[^a-z])key$|apikey/i

/** `id = `body.id`, total = 12`; of maps and lists in it only that they are there, and no text that may be a secret. */
export function entriesInWords(map: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(map).map(([name, value]) => {
    if (isMap(value)) return `${name} (a map)`
    if (typeof value === 'string' && SECRET_NAME.test(name) && !value.includes('${')) return `${name} = …`
    return Array.isArray(value) ? `${name} (a list)` : `${name} = ${valueInWords(value)}`
  })
  const shown = entries.length > ENTRIES + 1 ? entries.slice(0, ENTRIES) : entries
  return shown === entries
    ? shown.join(', ')
    : `${shown.join(', ')} and ${counted(entries.length - ENTRIES, 'more', 'more')}`
}

/** Statuses and classes of them: `404, 409 and 5xx`. */
export function statusesInWords(statuses: readonly (number | string)[]): string {
  return inWords(statuses.map(String), 'or')
}

/** What stands between `${` and `}` where that is all there is. */
function onlyExpression(text: string): string | undefined {
  const inside = /^\s*\$\{([^]*)\}\s*$/.exec(text)?.[1]
  return inside === undefined || inside.includes('${') || /\}[^{]*\$\{/.test(text) ? undefined : inside.trim()
}

function clipped(text: string): string {
  const line = text.replace(/\s*\r?\n\s*/g, ' ')
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}
