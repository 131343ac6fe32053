import { call } from './http.ts'

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Scrape {
  readonly text: string
  /** Type by name of a family. */
  readonly types: ReadonlyMap<string, string>
  readonly series: readonly Series[]
  /** The value of the only series with this name and these labels; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
}

const SERIES =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-zA-Z_])|(?=\})))*)\})? (\S+)$/
const SUFFIX: Readonly<Record<string, RegExp>> = {
  histogram: /_(?:bucket|sum|count)$/,
  summary: /_(?:sum|count)$/,
}

/** Reads text for Prometheus as strictly as its format is defined. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function readScrape(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const series: Series[] = []
  const seen = new Set<string>()
  let family = ''
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const about = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (about) {
      const [, what, name, rest] = about
      if (what === 'HELP') helped.add(name!)
      else {
        if (types.has(name!) || !helped.has(name!)) throw new Error(`TYPE of ${name} twice, or without HELP`)
        types.set(name!, rest!)
        family = name!
      }
      continue
    }
    const match = SERIES.exec(line)
    if (!match) throw new Error(`no line of the format: ${line}`)
    const [, name, labels = '', written] = match
    const base = name!.replace(SUFFIX[types.get(family)!] ?? /$^/, '')
    if (base !== family) throw new Error(`${name} does not belong to ${family}`)
    if (seen.has(`${name}{${labels}}`)) throw new Error(`twice: ${line}`)
    seen.add(`${name}{${labels}}`)
    const value = written === '+Inf' ? Infinity : Number(written)
    if (Number.isNaN(value)) throw new Error(`no number: ${line}`)
    series.push({ name: name!, labels: labelsOf(labels), value })
  }
  return {
    text,
    types,
    series,
    value(name, labels = {}) {
      const found = series.filter(
        (one) =>
          one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      )
      if (found.length > 1) throw new Error(`${found.length} series of ${name}`)
      return found[0]?.value
    },
  }
}

export async function scrape(url: string): Promise<Scrape> {
  const { status, headers, text } = await call(`${url}/metrics`)
  if (status !== 200 || !/^text\/plain; version=0\.0\.4; charset=utf-8$/.test(headers['content-type']!))
    throw new Error(`${status} ${headers['content-type']}: ${text.slice(0, 200)}`)
  return readScrape(text)
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)
  return Object.fromEntries(
    [...pairs].map(([, name, value]) => [
      name!,
      value!.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one)),
    ]),
  )
}
