import { Type, type TObject, type TProperties, type TSchema, type TUnsafe } from '@sinclair/typebox'
import type { Secret } from './secret.ts'
import type { Step } from './flow.ts'

/**
 * The vocabulary in which options are written down: TypeBox, with what YAML texts mean beyond JSON Schema under
 * `x-is`. `core/shape.ts` checks and decodes it; editors, docs and forms are drawn from it.
 */
export interface Documented {
  /** One sentence for the docs page and the editor. */
  description: string
  default?: unknown
  examples?: unknown[]
}

function is<T>(what: string, schema: object, about: object): TUnsafe<T> {
  return Type.Unsafe<T>({ ...schema, 'x-is': what, ...about })
}

/** `500ms`, `30s`, `5m`, `2h`, `7d`, or several together (`1h30m`); decoded to ms. */
export const Duration = (about: Documented & { minimum?: number; maximum?: number }) =>
  is<number>('duration', { type: 'string' }, about)

/** `500`, `64KB`, `40MB`, `1GB` (1 KB = 1,024 bytes); decoded to bytes. */
export const Size = (about: Documented) => is<number>('size', { type: ['string', 'integer'] }, about)

/** Text that may hold `${}`; a number or boolean is taken as its text. */
export const Template = (about: Documented) => is<string>('template', { type: 'string' }, about)

/** A bare expression, or exactly one `${}`; a boolean is taken, too. */
export const Expression = (about: Documented) => is<string>('expression', { type: 'string' }, about)

/** Any YAML value, with `${}` in its texts. */
export const Value = (about: Documented) => is<unknown>('value', {}, about)

/** Headers, properties, query: names to templates of any value. Null removes. */
export const Templates = (about: Documented) =>
  is<Record<string, unknown>>('templates', { type: 'object' }, about)

/** A nested list of steps. */
export const Steps = (about: Documented) => is<readonly Step[]>('steps', { type: 'array' }, about)

/** A credential of the security material: its name, or `{ name, type }`. */
export const CredentialName = (about: Documented) =>
  is<{ name: string; type?: string }>('credential', { type: ['string', 'object'] }, about)

/** A text of a credential that must not be written in clear: a reference, or a literal under `--dev`. */
export const SecretText = (about: Documented) => is<Secret>('secret', { type: 'string' }, about)

/** One value or a list of them; decoded to a list. */
export const OneOrMore = <T extends TSchema>(item: T, about: Documented) =>
  is<T['static'][]>('one-or-more', { item }, about)

/** One of these words. */
export const Choice = <const T extends string>(words: readonly T[], about: Documented) =>
  is<T>('choice', { type: 'string', enum: words }, about)

/** A date and time, with offset or without, or with `dayAlone` a date alone; decoded to text as written. */
export const Moment = (about: Documented & { dayAlone?: boolean }) =>
  is<string>('moment', { type: 'string' }, about)

export const Text = (about: Documented & { pattern?: string }) => Type.String(about)
export const Flag = (about: Documented) => Type.Boolean(about)
export const Whole = (about: Documented & { minimum?: number; maximum?: number }) => Type.Integer(about)
export const ListOf = <T extends TSchema>(item: T, about: Documented) => Type.Array(item, about)
export const MapOf = <T extends TSchema>(item: T, about: Documented) =>
  Type.Record(Type.String(), item, about)

/** A map of known keys; others are problems. */
export const Keys = <P extends TProperties>(
  properties: P,
  about: { description?: string } = {},
): TObject<P> => Type.Object(properties, { additionalProperties: false, ...about })

export const Optional = Type.Optional
