import type { Context } from '../core/context.ts'
import type { Path } from '../core/document.ts'
import { Failure } from '../core/failure.ts'
import { typeName } from '../core/json.ts'
import type { Deployment, Template } from '../core/kinds.ts'
import type { Message } from '../core/message.ts'
import { linkTarget } from '../net/link-header.ts'
import type { HttpOptions, PaginateOptions } from './http-options.ts'
import { checkPaginate } from './http-paginate-check.ts'
import { CursorWalk, LinkedWalk, NumberedWalk, type Told, type Walk } from './page-walks.ts'

/** What a step with `paginate` knows of its pages. */
export interface Paging {
  readonly prefetch: number
  readonly maxPages: number
  /** The list of a page. */
  readonly items: Template
  /** What says which page is wanted goes into the body of the request. */
  readonly inBody: boolean
  /** @param url of the step, for this message */
  begin(url: string, message: Message, context: Context): Walk
}

/** Compiles `paginate`; reports what does not fit together. */
export function preparePaging(
  given: HttpOptions & { readonly paginate: PaginateOptions },
  deployment: Deployment,
): Paging {
  checkPaginate(given, deployment)
  const { paginate, credential } = given
  const { page, offset, cursor } = paginate
  const expressions = new PageExpressions(deployment)
  const items = expressions.compile(paginate.items, ['items'])
  const numbered = page ?? offset
  const begin = numbered
    ? numberedWalks(numbered, paginate, expressions)
    : cursor
      ? cursorWalks(cursor, paginate, expressions, deployment)
      : linkedWalks(paginate, credential === undefined, expressions)
  return {
    prefetch: paginate.prefetch ?? 1,
    maxPages: paginate.maxPages ?? Infinity,
    items,
    inBody: (numbered ?? cursor)?.in === 'body',
    begin,
  }
}

type Begin = Paging['begin']

function linkedWalks(
  { next, link, more }: PaginateOptions,
  onlyOwnOrigin: boolean,
  expressions: PageExpressions,
): Begin {
  const isMore = expressions.flag(more, ['more'])
  const found: Told<string> =
    next === undefined && link === true
      ? ({ message }) => linkTarget(message.headers['link'] ?? '', 'next') ?? null
      : expressions.text(next, ['next'])
  const told: Told<string> = (page) => (isMore(page) === false ? null : found(page))
  return (url) => new LinkedWalk(told, onlyOwnOrigin ? new URL(url).origin : undefined)
}

function numberedWalks(
  { param, start, size, sizeParam, total, ...form }: NonNullable<PaginateOptions['page' | 'offset']>,
  { page, more }: PaginateOptions,
  expressions: PageExpressions,
): Begin {
  const name = page ? 'page' : 'offset'
  const setting = {
    param,
    start: start ?? (page ? 1 : 0),
    counts: page ? ('pages' as const) : ('items' as const),
    size,
    sizeParam,
    total: expressions.number(total, [name, 'total']),
    pages: expressions.number('pages' in form ? form.pages : undefined, [name, 'pages']),
    more: expressions.flag(more, ['more']),
  }
  return () => new NumberedWalk(setting)
}

function cursorWalks(
  cursor: NonNullable<PaginateOptions['cursor']>,
  { more }: PaginateOptions,
  expressions: PageExpressions,
  deployment: Deployment,
): Begin {
  const value = expressions.compile(cursor.value, ['cursor', 'value'])
  const start = deployment.value(cursor.start ?? null, ['paginate', 'cursor', 'start'])
  const isMore = expressions.flag(more, ['more'])
  const inBody = cursor.in === 'body'
  const told: Told<unknown> = ({ message, context }) => {
    const given = value.evaluate(message, context)
    const kind = typeName(given)
    if (inBody ? kind !== 'bytes' : !['map', 'list', 'bytes'].includes(kind)) return given
    throw unfit('value', kind, 'text or a number is wanted')
  }
  return (_, message, context) =>
    new CursorWalk({
      param: cursor.param,
      start: start.evaluate(message, context),
      value: told,
      more: isMore,
    })
}

/** Expressions that are evaluated for each page. */
class PageExpressions {
  private readonly deployment: Deployment

  constructor(deployment: Deployment) {
    this.deployment = deployment
  }

  compile(text: string, at: Path): Template {
    return this.deployment.expression(text, ['paginate', ...at], true)
  }

  text(written: string | undefined, at: Path): Told<string> {
    return this.told(written, at, (value, name) => {
      if (value === null || value === '') return null
      if (typeof value === 'string') return value
      throw unfit(name, typeName(value), 'the URL of the next page is wanted, or null')
    })
  }

  number(written: string | undefined, at: Path): Told<number> {
    return this.told(written, at, (value, name) => {
      if (value === null || value === '') return null
      const number = typeof value === 'string' ? Number(value) : value
      if (typeof number === 'number' && Number.isFinite(number)) return number
      throw unfit(name, typeName(value), 'a number is wanted')
    })
  }

  flag(written: string | undefined, at: Path): Told<boolean> {
    return this.told(written, at, (value, name) => {
      if (typeof value === 'boolean') return value
      if (value === null) return false
      throw unfit(name, typeName(value), 'true or false is wanted')
    })
  }

  private told<T>(
    written: string | undefined,
    at: Path,
    convert: (value: unknown, name: string) => T | null,
  ): Told<T> {
    if (written === undefined) return () => null
    const template = this.compile(written, at)
    const name = String(at.at(-1))
    return ({ message, context }) => convert(template.evaluate(message, context), name)
  }
}

function unfit(name: string, kind: string, wanted: string): Failure {
  return new Failure('expression.failed', `"${name}" of \`paginate\` gives a ${kind}; ${wanted}`)
}
