import { globPattern, type RunSelection } from '../core/run-filter.ts'
import type { RunStatus } from '../core/stores.ts'
import { STATUSES } from './records.ts'
import type { Database } from './sqlite/database.ts'

export interface RunFilter extends RunSelection {
  /** Epoch ms, inclusive. */
  readonly since?: number
  /** Epoch ms, exclusive. */
  readonly until?: number
  readonly limit: number
  /** Id of a run: only those that started before it. */
  readonly before?: string
}

/** A filter as SQL. */
export interface Conditions {
  /** Conditions beside those of time. */
  readonly where: readonly string[]
  readonly values: readonly (string | number)[]
  /** An index names the few runs that can fit: time is no way to find them. */
  readonly few: boolean
  /** Every run that time finds has to be read, with its lines. */
  readonly slow: boolean
}

/** Runs that a searchable header may name so that they are looked at one by one. */
const FEW = 10_000
const ENDED_BADLY: readonly RunStatus[] = ['FAILED', 'RETRY', 'CANCELLED', 'DISCARDED', 'ABANDONED']

/** Undefined: no run can fit. */
export function conditionsOf(database: Database, filter: RunFilter): Conditions | undefined {
  const where: string[] = []
  const values: (string | number)[] = []
  const and = (condition: string, ...parameters: readonly (string | number)[]): void => {
    where.push(condition)
    values.push(...parameters)
  }
  const { correlationId, headers = [], text } = filter
  const counts = headers.map((header) => countOf(database, header))
  const few = correlationId !== undefined || counts.some((count) => count <= FEW)
  // A plus keeps SQLite from finding runs by this condition.
  const by = few ? '+' : ''
  if (filter.flows !== undefined) {
    const numbers = flowNumbers(database, filter.flows)
    if (numbers.length === 0) return undefined
    and(`${by}runs.flow IN (${numbers.join()})`)
  }
  const statuses = filter.statuses ?? (filter.codes === undefined ? undefined : ENDED_BADLY)
  if (statuses !== undefined) {
    and(`${by}status IN (${statuses.map((status) => STATUSES.indexOf(status)).join()})`)
    if (!statuses.includes('COMPLETED')) and(`${by}status <> 1`)
  }
  if (filter.codes !== undefined) any(and, filter.codes, `${CODE} GLOB ?`, (code) => [sqlGlob(code)])
  if (filter.credentials !== undefined)
    any(and, filter.credentials, `instr(${listed('credentials')}, ?) > 0`, (name) => [`\n${name}\n`])
  if (filter.hosts !== undefined) {
    const hosts = listed('hosts')
    any(and, filter.hosts, `(instr(${hosts}, ?) > 0 OR instr(${hosts}, ?) > 0)`, (host) => {
      const name = host.toLowerCase()
      return [`\n${name}\n`, `\n${name}:`]
    })
  }
  if (correlationId !== undefined) and('(correlation = ? OR id = ?)', correlationId, correlationId)
  headers.forEach(([name, value], i) =>
    and(
      counts[i]! <= FEW
        ? 'id IN (SELECT run FROM searchable WHERE name = ? AND value = ?)'
        : 'EXISTS (SELECT 1 FROM searchable WHERE run = id AND +name = ? AND +value = ?)',
      name.toLowerCase(),
      value,
    ),
  )
  if (text !== undefined) {
    const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
    and(
      `(failure LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM lines WHERE run = id AND text LIKE ? ESCAPE '\\'))`,
      pattern,
      pattern,
    )
  }
  return { where, values, few, slow: text !== undefined }
}

/** The code of a failure; of one that is no JSON any more nothing. */
export const CODE = `CASE WHEN json_valid(failure) THEN failure ->> '$.code' END`

type And = (condition: string, ...parameters: readonly (string | number)[]) => void

function any(
  and: And,
  wanted: readonly string[],
  condition: string,
  parameters: (value: string) => readonly string[],
): void {
  and(`(${wanted.map(() => condition).join(' OR ')})`, ...wanted.flatMap(parameters))
}

function listed(column: 'credentials' | 'hosts'): string {
  return `(char(10) || ${column} || char(10))`
}

/** As SQLite's GLOB reads it: `*` is the only sign with a meaning. */
export function sqlGlob(glob: string): string {
  return glob.replace(/[?[]/g, '[$&]')
}

function flowNumbers(database: Database, globs: readonly string[]): number[] {
  const patterns = globs.map(globPattern)
  return database
    .prepare('SELECT number, name FROM flows')
    .all()
    .filter(({ name }) => patterns.some((pattern) => pattern.test(String(name))))
    .map(({ number }) => Number(number))
}

function countOf(database: Database, [name, value]: readonly [string, string]): number {
  const row = database
    .prepare('SELECT count(*) AS found FROM (SELECT 1 FROM searchable WHERE name = ? AND value = ? LIMIT ?)')
    .get(name.toLowerCase(), value, FEW + 1)
  return Number(row!['found'])
}
