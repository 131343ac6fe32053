import { parseDuration } from '../core/duration.ts'
import { didYouMean } from '../core/problem.ts'
import type { RunStatus } from '../core/stores.ts'
import { STATUSES } from '../store/records.ts'
import type { RunFilter } from '../store/run-conditions.ts'
import { realClock } from '../world.ts'
import { UsageError } from './command.ts'

/** Options that say which runs are meant, by their name in the filter. */
const OPTIONS = {
  flows: 'flow',
  statuses: 'status',
  codes: 'code',
  credentials: 'credential',
  hosts: 'host',
  since: 'since',
  until: 'until',
  correlationId: 'correlationId',
  headers: 'header',
  text: 'text',
} as const

export type FilterName = keyof typeof OPTIONS
const NAMES = Object.keys(OPTIONS) as FilterName[]

export type FilterOptions = {
  readonly [name in 'flow' | 'status' | 'code' | 'credential' | 'host' | 'header']?: readonly string[]
} & {
  readonly [name in 'since' | 'until' | 'correlationId' | 'text' | 'limit' | 'before']?: string
}

/** Nothing sets the others yet; they are taken all the same. */
const OFFERED = STATUSES.filter((status) => status !== 'RETRY' && status !== 'DISCARDED')

export const filterOptions = [
  {
    flags: '--flow <name>',
    description: "runs of this flow; * stands for any text: 'orders/*'",
    repeatable: true,
  },
  {
    flags: '--status <status>',
    description: `runs with this status: ${OFFERED.join(', ')}`,
    repeatable: true,
  },
  {
    flags: '--code <code>',
    description: "runs that failed with this code: receiver.status, 'credential.*'",
    repeatable: true,
  },
  { flags: '--credential <name>', description: 'runs that used this credential', repeatable: true },
  { flags: '--host <host>', description: 'runs that talked to this host', repeatable: true },
  {
    flags: '--since <time>',
    description: 'runs that started within 1h, 30m, 2d, ... or since 2026-11-21T08:00',
  },
  { flags: '--until <time>', description: 'runs that started before' },
  { flags: '--correlation-id <id>', description: 'runs with this correlation id' },
  {
    flags: '--header <name=value>',
    description: 'runs with this value of a searchable header; of several all must fit',
    repeatable: true,
  },
  { flags: '--text <text>', description: 'runs with this text in a log line or in their failure' },
] as const

/** @throws UsageError where a value is none */
export function filterOf(options: FilterOptions, limit: number): RunFilter {
  const filter = {
    flows: listOf('--flow', options.flow),
    statuses: listOf('--status', options.status)?.map(statusOf),
    codes: listOf('--code', options.code),
    credentials: listOf('--credential', options.credential),
    hosts: listOf('--host', options.host),
    since: timeOf('--since', options.since),
    until: timeOf('--until', options.until),
    correlationId: options.correlationId,
    headers: options.header?.map(headerOf),
    text: options.text,
  }
  const { since, until } = filter
  if (since !== undefined && until !== undefined && since >= until)
    throw new UsageError(`--since ${options.since} is not before --until ${options.until}`)
  const given = Object.entries(filter).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(given), limit: limitOf(options.limit) ?? limit }
}

/** The options of a filter that were given. */
export function givenFilters(options: FilterOptions): FilterName[] {
  return NAMES.filter((name) => options[OPTIONS[name]] !== undefined)
}

/** An option as it was given: `--status FAILED --status RETRY`. */
export function asGiven(name: FilterName, options: FilterOptions): string {
  const value = options[OPTIONS[name]]!
  const flag = `--${OPTIONS[name].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return (typeof value === 'string' ? [value] : value).map((text) => `${flag} ${quoted(text)}`).join(' ')
}

/** A word as a shell reads it. */
export function quoted(text: string): string {
  return /^[\w./@:,=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Given several times, or several in one with commas between. */
export function listOf(option: string, given: readonly string[] | undefined): string[] | undefined {
  if (given === undefined) return undefined
  const all = given.flatMap((text) => text.split(',').map((part) => part.trim()))
  if (all.includes('')) throw new UsageError(`${option} wants a value; got "${given.join()}"`)
  return all
}

function statusOf(text: string): RunStatus {
  const status = STATUSES.find((known) => known === text.toUpperCase())
  if (status) return status
  const near = didYouMean(text.toUpperCase(), OFFERED)
  throw new UsageError(
    `there is no status "${text}"${near === '' ? `; there are ${OFFERED.join(', ')}` : near}`,
  )
}

/** Epoch ms. @throws UsageError where it is no time */
export function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ago = parseDuration(text)
  if (ago !== undefined) return realClock.now() - ago
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text) : NaN
  if (Number.isNaN(at))
    throw new UsageError(`${option} wants a time like 1h, 30m or 2026-11-21T08:00; got "${text}"`)
  return at
}

function headerOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--header wants name=value; got "${text}"`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

/** @param what there should be so many of */
export function limitOf(text: string | undefined, what = 'runs'): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError(`--limit wants a number of ${what}; got "${text}"`)
}
