import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { printDuration, sayDuration } from '../core/duration.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Duration, Moment, Optional } from '../core/schema.ts'
import { Secret } from '../core/secret.ts'
import { momentIn } from '../core/zone.ts'
import { secretFields } from './secret-fields.ts'

const HOUR = 60 * 60_000
const DAY = 24 * HOUR
/** ms by which a date may be ahead of the one of UTC: it is tomorrow already elsewhere. */
const AHEAD = 14 * HOUR

/** Of every kind of credential that holds a secret. */
export const ROTATION_FIELDS = {
  rotateAfter: Optional(
    Duration({
      description: 'A warning comes, once a day, when the secret is older than this.',
      minimum: DAY,
      maximum: 3650 * DAY,
      examples: ['90d'],
    }),
  ),
  secretSince: Optional(
    Moment({
      description: 'When the secret was made: a date, or a date and time (of UTC, where it has no offset).',
      dayAlone: true,
      examples: ['2026-08-30'],
    }),
  ),
}

export type RotationOptions = Static<TObject<typeof ROTATION_FIELDS>>

/** How old a secret is, and how old it may become. */
export interface Rotation {
  /** Epoch ms. */
  readonly since: number
  /** As it was written. */
  readonly secretSince: string
  /** ms; undefined: as old as it likes. */
  readonly rotateAfter: number | undefined
}

/** A field that holds a secret in this credential. */
export interface SecretField {
  /** `clientSecret` */
  readonly name: string
  /** It may be a list: the new secret and the old one, until every party knows the new one. */
  readonly isList: boolean
}

/** @param options decoded */
export function secretsIn(schema: TSchema, options: unknown): readonly SecretField[] {
  const names = secretFields(schema, options)
    .filter(
      (path) => path.reduce<unknown>((at, part) => at?.[part as keyof typeof at], options) instanceof Secret,
    )
    .map((path) => path.filter((part) => typeof part === 'string').join('.'))
  const fields = schema['properties'] as Readonly<Record<string, TSchema>>
  return [...new Set(names)].map((name) => ({ name, isList: fields[name]?.['x-is'] === 'one-or-more' }))
}

/** Code of the problem that a secret is too old: what it says changes from day to day. */
export const ROTATE = 'credential/rotate'

/** Reads what is said of the age of the secret; what is odd about it is reported. */
export function readRotation(
  { rotateAfter, secretSince }: RotationOptions,
  secrets: readonly SecretField[],
  now: number,
  problem: (report: ProblemReport) => void,
): Rotation | undefined {
  if (secretSince === undefined) {
    if (rotateAfter !== undefined)
      problem({
        code: 'credential/secret-since',
        severity: 'warning',
        message: '"rotateAfter" is there, but not "secretSince": the age of the secret is not known',
        hint: 'Add the day on which the secret was made, such as secretSince: 2026-08-30.',
        at: ['rotateAfter'],
        on: 'key',
      })
    return undefined
  }
  const rotation = { since: momentIn('UTC', secretSince), secretSince, rotateAfter }
  if (rotation.since > now + (secretSince.includes('T') ? 0 : AHEAD))
    problem({
      code: 'credential/secret-since',
      severity: 'warning',
      message: '"secretSince" is in the future',
      hint: 'Write the day on which the secret that is in use now was made.',
      at: ['secretSince'],
    })
  if (isOverdue(rotation, now))
    problem({
      code: ROTATE,
      severity: 'warning',
      message: `the secret ${sayOverdue(rotation, now)}`,
      hint: whatToDo(secrets),
      at: ['secretSince'],
    })
  return rotation
}

export function isOverdue({ since, rotateAfter = Infinity }: Rotation, now: number): boolean {
  return now - since > rotateAfter
}

/** `is 113 days old: it has been in use since 2026-08-30, and "rotateAfter" is 90d` */
export function sayOverdue({ since, secretSince, rotateAfter }: Rotation, now: number): string {
  return `is ${sayAge(now - since)} old: it has been in use since ${secretSince}, and "rotateAfter" is ${printDuration(rotateAfter!)}`
}

/** Lines for `sluice credential show`. */
export function describeRotation(
  { since, secretSince, rotateAfter }: Rotation,
  now: number,
): Readonly<Record<string, string>> {
  const age = now - since
  const left = rotateAfter === undefined ? undefined : rotateAfter - age
  return {
    'secret since': age < 0 ? secretSince : `${secretSince}, ${sayAge(age)} ago`,
    ...(left !== undefined && {
      'rotation due': `${new Date(now + left).toISOString().slice(0, 10)}, ${left < 0 ? `${sayAge(-left)} ago` : `in ${sayAge(left)}`}`,
    }),
  }
}

/** Whole days, where it is some. */
function sayAge(ms: number): string {
  return sayDuration(ms < 2 * DAY ? ms : ms - (ms % DAY))
}

function whatToDo(secrets: readonly SecretField[]): string {
  const list = secrets.find(({ isList }) => isList)
  const where = secrets.map(({ name }) => `"${name}"`).join(' and ')
  return [
    'Make a new secret at the service',
    list
      ? `write ${list.name}: [new, old], or change what ${where} refers to`
      : `change what ${where || 'the credential'} refers to`,
    'and set secretSince to the day on which it was made.',
  ].join(', ')
}
