import { Type } from '@sinclair/typebox'
import { ApiRefusal } from './operation.ts'

const MOST = 1000

/** Query of every list. */
export const PAGE = {
  limit: Type.Optional(
    Type.Integer({ description: 'So many at the most.', minimum: 1, maximum: MOST, default: 100 }),
  ),
  cursor: Type.Optional(Type.String({ description: '`next` of the page before.', maxLength: 500 })),
}

export interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

export function limitOf({ limit = 100 }: PageQuery): number {
  return limit
}

/** Where a list goes on; it says nothing to the caller. */
export function cursorOf(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** What a cursor holds, by key. */
type Shape = Readonly<Record<string, 'string' | 'number'>>
type Place<Of extends Shape> = Of extends Shape
  ? { readonly [key in keyof Of]: Of[key] extends 'string' ? string : number }
  : never

/**
 * Where a list goes on.
 * @param shapes it has one of them
 * @throws ApiRefusal 400 where the cursor is none of ours
 */
export function placeOf<const Of extends Shape>(
  cursor: string | undefined,
  ...shapes: readonly Of[]
): Place<Of> | undefined {
  if (cursor === undefined) return undefined
  try {
    const place = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Record<string, unknown>
    const has = (shape: Shape) => Object.entries(shape).every(([key, type]) => typeof place[key] === type)
    if (shapes.some(has)) return place as Place<Of>
  } catch {}
  throw new ApiRefusal(400, 'request.invalid', 'cursor is not what a page before gave as `next`')
}

/** A part of a list that is in the order of its names. */
export function pageByName<Item extends { readonly name: string }>(
  all: readonly Item[],
  query: PageQuery,
): { items: readonly Item[]; next?: string } {
  const after = placeOf(query.cursor, { name: 'string' })?.name
  const sorted = all.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const rest = after === undefined ? sorted : sorted.filter(({ name }) => name > after)
  const items = rest.slice(0, limitOf(query))
  return { items, ...(items.length < rest.length && { next: cursorOf({ name: items.at(-1)!.name }) }) }
}
